"""`/healthz`, `/readyz` and `/metrics`: what supervisors, proxies and Prometheus ask."""

from __future__ import annotations

import secrets

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET
from prometheus_client import CONTENT_TYPE_LATEST

from casework import metrics as figures
from casework import status
from config.settings import get_settings

LOOPBACK = ("127.0.0.1", "::1")


@never_cache
@require_GET
def healthz(request: HttpRequest) -> JsonResponse:
    """Answer 200 when every part is there, else 503 and name the part; details stay inside."""
    parts = status.parts()
    failing = [part.name for part in parts if not part.ok]
    body = {
        "status": "failing" if failing else "ok",
        "parts": {part.name: "ok" if part.ok else "failing" for part in parts},
    }
    return JsonResponse(body, status=503 if failing else 200)


@never_cache
@require_GET
def readyz(request: HttpRequest) -> JsonResponse:
    """Answer 200 when this process can serve pages: the database answers and is at this program's migration.

    Search, broker, workers and clock are not asked: without them the pages go on, and what the pages would have sent
    waits for the sweep.
    """
    try:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
        reason = "migrations" if missing else ""
    except DatabaseError:
        reason = "database"
    if reason:
        return JsonResponse({"status": "not ready", "missing": reason}, status=503)
    return JsonResponse({"status": "ready"})


@never_cache
@require_GET
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer Prometheus: on loopback, or to whoever bears the token; to others there is no such page."""
    if not _may_read_metrics(request):
        return HttpResponse("not found\n", status=404, content_type="text/plain")
    return HttpResponse(figures.exposition(), content_type=CONTENT_TYPE_LATEST)


def _may_read_metrics(request: HttpRequest) -> bool:
    token = get_settings().metrics_token.get_secret_value()
    borne = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if token:
        return secrets.compare_digest(borne.encode(), token.encode())
    # What a proxy on this machine passes on comes from loopback too, but says for whom it asks.
    passed_on = "X-Forwarded-For" in request.headers or "Forwarded" in request.headers
    return request.META.get("REMOTE_ADDR") in LOOPBACK and not passed_on
