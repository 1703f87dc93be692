"""`/healthz`: whether every part answers."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from casework import status


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
