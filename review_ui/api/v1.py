"""`/api/v1/`: what the pages show, for programs; signed in by session, masked and scoped like the pages."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI, Query, Schema
from ninja.security import django_auth

from casework import errors, exposure, sightings, status
from casework.exposure import CaseView
from casework.models import Notice
from casework.roles import Action, require
from casework.search import get_search
from casework.search.port import Query as SearchQuery
from casework.search.port import Sort
from casework.sightings import Where
from review_ui.access import CaseworkErrors, person
from review_ui.errors import in_words

api = NinjaAPI(title="Silver Woodpecker", version="1", auth=django_auth, urls_namespace="api-1", docs_url=None)


class Filters(Schema):
    """What is looked for; lists may be given several times."""

    q: str = ""
    sort: Sort = Sort.URGENCY
    size: int = 20
    after: str | None = None
    site: list[str] = []
    platform_class: list[str] = []
    section: list[str] = []
    category: list[str] = []
    severity: list[str] = []
    state: list[str] = []


class CaseOut(Schema):
    """A case as this person may see it; the text is masked."""

    id: int
    number: str
    version: int
    state: str
    site: str
    section: str
    kind: str
    url: str
    category: str
    categories: list[str]
    severity: str
    grade: str
    score: float | None
    scores: dict[str, float]
    text: str


class CasePage(Schema):
    """One page of cases; `counted_at` says when total and facets were counted, where that was not for this page."""

    total: int
    items: list[CaseOut]
    facets: dict[str, list[tuple[str, int]]]
    counted_at: datetime | None
    next_after: str | None
    degraded: str


class NoticeOut(Schema):
    """A takedown list."""

    number: str
    site: str
    instrument: str
    state: str
    lines: int
    manifest_sha256: str


@api.exception_handler(errors.CaseworkError)
def casework_error(request: HttpRequest, error: errors.CaseworkError) -> HttpResponse:
    """Answer with the status that the pages use."""
    return api.create_response(request, {"detail": in_words(error)}, status=CaseworkErrors.status(error))


@api.get("/status", summary="State of the installation")
def get_status(request: HttpRequest) -> dict[str, Any]:
    """Return what `woodpecker status --json` prints."""
    require(person(request), Action.SEE_STATUS)
    return status.report()


@api.get("/cases", response=CasePage, summary="Search cases")
def list_cases(request: HttpRequest, filters: Query[Filters]) -> dict[str, Any]:
    """Return one page of cases, most urgent first."""
    user = person(request)
    require(user, Action.SEE_CASES)
    chosen = filters.dict(exclude={"q", "sort", "size", "after"})
    page = get_search().search(
        SearchQuery(
            scope=exposure.scope_for(user),
            text=filters.q,
            filters={name: values for name, values in chosen.items() if values},
            sort=filters.sort,
            size=filters.size,
            after=filters.after,
        )
    )
    found = exposure.visible_cases(user).in_bulk([hit.case_id for hit in page.hits])
    views = [exposure.present(found[hit.case_id], user) for hit in page.hits if hit.case_id in found]
    sightings.note_list(user, Where.API, views)
    return {
        "total": page.total,
        "items": [_case(view) for view in views],
        "facets": page.facets,
        "counted_at": page.counted_at,
        "next_after": page.next_after,
        "degraded": page.degraded,
    }


@api.get("/cases/{int:case_id}", response=CaseOut, summary="One case")
def get_case(request: HttpRequest, case_id: int) -> dict[str, Any]:
    """Return one case, masked; that it was seen is recorded as for a page."""
    user = person(request)
    require(user, Action.SEE_CASES)
    view = exposure.present(exposure.visible_case(case_id, user), user)
    sightings.note_case(user, Where.API, view)
    return _case(view)


@api.get("/notices", response=list[NoticeOut], summary="Takedown lists")
def list_notices(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the newest hundred lists."""
    require(person(request), Action.PREPARE_NOTICE)
    return [
        {
            "number": one.number,
            "site": one.site,
            "instrument": one.instrument,
            "state": one.state,
            "lines": one.lines.count(),
            "manifest_sha256": one.manifest_sha256,
        }
        for one in Notice.objects.prefetch_related("lines")[:100]
    ]


def _case(view: CaseView) -> dict[str, Any]:
    return {
        **{name: getattr(view, name) for name in CaseOut.model_fields if name != "text"},
        "categories": list(view.categories),
        "text": "".join(segment.text for segment in view.segments),
    }
