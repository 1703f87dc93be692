"""The queue and the case page."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from casework import annotations, cases, decisions, exposure, policies
from casework.errors import InvalidInput
from casework.models import Case, CaseState, Finding
from casework.roles import Action, may
from casework.search import get_search
from casework.search.port import FACETS, MAX_WINDOW, Query, Sort
from config.taxonomy import load_taxonomy
from review_ui import words
from review_ui.access import allowed, person
from review_ui.staff.facets import facet_groups, toggled

PAGE_SIZE = 20


@allowed(Action.SEE_CASES)
@require_GET
def queue(request: HttpRequest) -> HttpResponse:
    """Show the cases that fit a search, most urgent first, open ones unless another state is chosen."""
    user = person(request)
    chosen = {name: request.GET.getlist(name) for name in FACETS if request.GET.getlist(name)}
    if "kid_zone" in request.GET:
        chosen["kid_zone"] = ["true"]
    states = chosen.pop("state", None)
    scope = exposure.scope_for(user)
    default = [CaseState.OPEN.value] if CaseState.OPEN in scope.states else [CaseState.CONFIRMED.value]
    state = default if states is None else [one for one in states if one != "all"]
    text = request.GET.get("q", "").strip()
    sort = _sort(request.GET.get("sort", ""))
    query = Query(
        scope=scope,
        text=text,
        filters={**chosen, "state": state},
        sort=sort,
        page=_page_number(request.GET.get("page", "")),
        size=PAGE_SIZE,
        after=request.GET.get("after") or None,
    )
    page = get_search().search(query)
    found = exposure.visible_cases(user).in_bulk([hit.case_id for hit in page.hits])
    rows = [
        (found[hit.case_id], exposure.present(found[hit.case_id], user, highlights=hit.highlights))
        for hit in page.hits
        if hit.case_id in found
    ]
    context = {
        "rows": rows,
        "page": page,
        "query": query,
        "text": text,
        "sorts": [(value, _(label)) for value, label in words.SORTS.items()],
        "groups": facet_groups(page.facets, {**chosen, "state": state}, request.GET),
        "chosen": chosen,
        "state_given": states or [],
        "kid_zone": "kid_zone" in chosen,
        "kid_zone_address": toggled(request.GET, "kid_zone", "true"),
        "may_decide": bool(may(user, Action.DECIDE)),
        **_paging(request, page.total, query, page.next_after),
    }
    return render(request, "review_ui/queue.html", context)


@allowed(Action.SEE_CASES)
@require_GET
def case(request: HttpRequest, case_id: int) -> HttpResponse:
    """Show one case with everything that a person needs to decide."""
    user = person(request)
    found = exposure.visible_case(case_id, user)
    return render(request, "review_ui/case.html", _case_context(found, request, revealed=False))


@allowed(Action.SEE_CASES)
@require_POST
def reveal(request: HttpRequest, case_id: int) -> HttpResponse:
    """Show the text; that it was seen is recorded."""
    user = person(request)
    found = exposure.visible_case(case_id, user)
    view = exposure.reveal(found, user, request.POST.get("reason", ""))
    return render(request, "review_ui/case_text.html", {"case": found, "view": view, "revealed": True})


@allowed(Action.DECIDE)
@require_POST
def decide(request: HttpRequest, case_id: int) -> HttpResponse:
    """Record a finding and lead on to the next case."""
    user = person(request)
    try:
        version = int(request.POST.get("version", ""))
    except ValueError:
        raise InvalidInput("version", request.POST.get("version"), "页面给出的版本号") from None
    finding = request.POST.get("finding", "")
    decisions.decide(
        case_id,
        user,
        finding,
        expected_version=version,
        category=request.POST.get("category") or None,
        reason=request.POST.get("reason", ""),
    )
    number = Case(pk=case_id).number
    label = _(Finding(finding).label)
    messages.success(
        request, _("%(number)s：%(label)s") % {"number": number, "label": label}, extra_tags=f"undo:{case_id}"
    )
    following = _next(user, case_id)
    return redirect("case", case_id=following) if following else redirect("queue")


@allowed(Action.DECIDE)
@require_POST
def undo(request: HttpRequest, case_id: int) -> HttpResponse:
    """Take back one's own last finding."""
    decisions.undo(case_id, person(request))
    messages.info(request, _("已撤销，案件恢复原状"))
    return redirect("case", case_id=case_id)


@allowed(Action.DECIDE)
@require_GET
def next_case(request: HttpRequest) -> HttpResponse:
    """Open the most urgent case that waits."""
    following = _next(person(request), int(request.GET.get("after", "0") or 0))
    if following is None:
        messages.info(request, _("没有待审核的案件了"))
        return HttpResponseRedirect(reverse("queue"))
    return redirect("case", case_id=following)


def _next(user: Any, not_this: int) -> int | None:
    waiting = exposure.visible_cases(user).filter(state=CaseState.OPEN).exclude(pk=not_this)
    return cases.by_urgency(waiting).values_list("pk", flat=True).first()


def _case_context(found: Case, request: HttpRequest, *, revealed: bool) -> dict[str, Any]:
    user = person(request)
    taxonomy = load_taxonomy()
    thresholds = policies.placement(found.site, found.section).thresholds
    last = decisions.last_decision(found)
    steps = {finding.value for state, finding in cases.TRANSITIONS if state == found.state}
    may_act = bool(may(user, Action.DECIDE)) and (
        found.state == CaseState.OPEN or bool(may(user, Action.DECIDE_ESCALATED))
    )
    return {
        "case": found,
        "view": exposure.present(found, user, revealed=revealed),
        "context": cases.context(found, user),
        "scores": [
            (taxonomy.categories[slug], score, thresholds.get(slug, 1.0), score >= thresholds.get(slug, 1.0))
            for slug, score in sorted(found.scores.items(), key=lambda pair: -pair[1])
            if score >= 0.05 or slug in found.categories
        ],
        "categories": list(taxonomy.categories.values()),
        "summary": annotations.summary(found) if may(user, Action.SEE_ANNOTATIONS) else None,
        "history": cases.history(found),
        "last": last,
        "may_undo": last is not None and last.decided_by_id == user.pk,
        "findings": [finding for finding in Finding if finding.value in steps] if may_act else [],
        "category": taxonomy.categories[found.category],
    }


def _sort(value: str) -> Sort:
    try:
        return Sort(value) if value else Sort.URGENCY
    except ValueError:
        raise InvalidInput("sort", value, ", ".join(Sort)) from None


def _page_number(value: str) -> int:
    if not value:
        return 1
    if not value.isdigit() or int(value) < 1 or int(value) > MAX_WINDOW // PAGE_SIZE:
        raise InvalidInput("page", value, f"1–{MAX_WINDOW // PAGE_SIZE}")
    return int(value)


def _paging(request: HttpRequest, total: int, query: Query, next_after: str | None) -> dict[str, Any]:
    """Return the addresses of the neighbouring pages; past the window a cursor leads on."""

    def address(**changes: Any) -> str:
        values = {name: request.GET.getlist(name) for name in request.GET if name not in {"page", "after"}}
        return "?" + urlencode({**values, **changes}, doseq=True)

    last = min((total + PAGE_SIZE - 1) // PAGE_SIZE, MAX_WINDOW // PAGE_SIZE)
    forward = None
    if next_after:
        deep = query.after is not None or query.page >= MAX_WINDOW // PAGE_SIZE
        forward = address(after=next_after) if deep else address(page=query.page + 1)
    back = address(page=query.page - 1) if query.after is None and query.page > 1 else None
    return {
        "forward": forward,
        "back": back,
        "number": query.page,
        "last": max(last, 1),
        "deep": query.after is not None,
    }
