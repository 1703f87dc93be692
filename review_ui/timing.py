"""How long the server takes for each page, by view; addresses and people are not kept."""

from __future__ import annotations

import time
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from casework import metrics


class Timed:
    """Measure each answer, from the moment it was asked for to the moment it is handed over."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        began = time.perf_counter()
        response = self._get_response(request)
        # An address that leads nowhere is one of endlessly many, so these share a name.
        view = request.resolver_match.view_name if request.resolver_match else "none"
        method = request.method if request.method in {"GET", "HEAD", "POST"} else "other"
        metrics.PAGES.labels(view, method, str(response.status_code)).observe(time.perf_counter() - began)
        return response
