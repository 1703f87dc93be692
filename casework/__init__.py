"""Cases, annotations, decisions, notices, evidence, audit and search: where people's work is kept.

A Django app. Every rule of the domain lives here, in a service module named after its noun; views and tasks
call one of its verbs. It may import `config` and the two contracts `crawlers.capture` and
`classifiers.assessment`, never the machinery behind them.
"""
