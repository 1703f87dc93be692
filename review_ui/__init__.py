"""Pages and HTTP API for reviewers, volunteers, liaisons and leads.

A Django app, server-rendered. A view reads the request, calls one verb of `casework` and renders; no rule of
the domain lives here. It may import `casework` and `config`.
"""
