"""The queue and the case page."""

import re
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from casework import annotations, cases, clusters, decisions, exposure, policies
from casework.errors import InvalidInput
from casework.models import Case, CaseState, Finding
from casework.roles import Action, may
from casework.search import get_search
from casework.search.port import Query
from config.taxonomy import load_taxonomy
from review_ui import words
from review_ui.access import allowed, person
from review_ui.staff.asked import LAST_PAGE, PAGE_SIZE, Asked, asked, following
from review_ui.staff.facets import facet_groups, toggled


@allowed(Action.SEE_CASES)
@require_GET
def queue(request: HttpRequest) -> HttpResponse:
    """Show the cases that fit a search, most urgent first, open ones unless another state is chosen."""
    user = person(request)
    question = asked(request.GET)
    query = question.query(user)
    page = get_search().search(query)
    found = exposure.visible_cases(user).in_bulk([hit.case_id for hit in page.hits])
    copies = clusters.counts(found)
    rows = [
        (
            found[hit.case_id],
            exposure.present(found[hit.case_id], user, highlights=hit.highlights),
            copies.get(hit.case_id, 0),
        )
        for hit in page.hits
        if hit.case_id in found
    ]
    context = {
        "rows": rows,
        "page": page,
        "query": query,
        "question": question,
        "sorts": [(value, _(label)) for value, label in words.SORTS.items()],
        "groups": facet_groups(page.facets, query.filters, request.GET),
        "chosen_filters": sum(len(values) for values in question.chosen.values()) + len(question.states or ()),
        "kid_zone": "kid_zone" in question.chosen,
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
    """Record a finding and lead on to the next case of what was asked for."""
    user = person(request)
    version = request.POST.get("version", "")
    if not (version.isascii() and version.isdigit() and len(version) < 10):
        raise InvalidInput("version", version[:20], "页面给出的版本号")
    finding = request.POST.get("finding", "")
    question = asked(QueryDict(request.POST.get("asked", "")))
    # Asked for before the case leaves the list, so that work goes on behind it and not at the top again.
    next_id = following(question, user, case_id)
    decisions.decide(
        case_id,
        user,
        finding,
        expected_version=int(version),
        category=request.POST.get("category") or None,
        reason=request.POST.get("reason", ""),
    )
    number = Case(pk=case_id).number
    label = _(Finding(finding).label)
    messages.success(
        request, _("%(number)s：%(label)s") % {"number": number, "label": label}, extra_tags=f"undo:{case_id}"
    )
    return _to_case(next_id, question) if next_id else _to_queue(question)


@allowed(Action.DECIDE)
@require_POST
def undo(request: HttpRequest, case_id: int) -> HttpResponse:
    """Take back one's own last finding."""
    decisions.undo(case_id, person(request))
    messages.info(request, _("已撤销，案件恢复原状"))
    return _to_case(case_id, asked(QueryDict(request.POST.get("asked", ""))))


@allowed(Action.DECIDE)
@require_GET
def next_case(request: HttpRequest) -> HttpResponse:
    """Open the next case of what was asked for: the first, or the one behind `behind`."""
    question = asked(request.GET)
    behind = request.GET.get("behind", "")
    next_id = following(question, person(request), int(behind) if re.fullmatch(r"[0-9]{1,18}", behind) else None)
    if next_id is not None:
        return _to_case(next_id, question)
    messages.info(request, _("没有别的案件了"))
    return _to_queue(question)


def _to_case(case_id: int, question: Asked) -> HttpResponseRedirect:
    return HttpResponseRedirect(_with(reverse("case", kwargs={"case_id": case_id}), question))


def _to_queue(question: Asked) -> HttpResponseRedirect:
    return HttpResponseRedirect(_with(reverse("queue"), question))


def _with(address: str, question: Asked) -> str:
    return f"{address}?{question.address}" if question.address else address


def _case_context(found: Case, request: HttpRequest, *, revealed: bool) -> dict[str, Any]:
    user = person(request)
    taxonomy = load_taxonomy()
    around = cases.context(found, user)
    thresholds = policies.placement(found.site, found.section).thresholds
    last = decisions.last_decision(found)
    steps = {finding.value for state, finding in cases.TRANSITIONS if state == found.state}
    may_act = bool(may(user, Action.DECIDE)) and (
        found.state == CaseState.OPEN or bool(may(user, Action.DECIDE_ESCALATED))
    )
    return {
        "case": found,
        "question": asked(request.GET),
        "view": exposure.present(found, user, revealed=revealed),
        "context": around,
        "before": [(other, exposure.present(other, user)) for other in around.before],
        "after": [(other, exposure.present(other, user)) for other in around.after],
        "scores": [
            (taxonomy.categories[slug], score, thresholds.get(slug, 1.0), score >= thresholds.get(slug, 1.0))
            for slug, score in sorted(found.scores.items(), key=lambda pair: -pair[1])
            if score >= 0.05 or slug in found.categories
        ],
        "categories": list(taxonomy.categories.values()),
        "summary": annotations.summary(found) if may(user, Action.SEE_ANNOTATIONS) else None,
        "history": cases.history(found),
        "last": last,
        "may_undo": last is not None and last.decided_by_id == user.pk and last.follows_id is None,
        "may_decide": bool(may(user, Action.DECIDE)),
        "likeness": round(100 * (found.likeness or 0)),
        "occurrences": [] if found.copy_of_id else clusters.occurrences(found, user),
        "copies": clusters.counts([found.pk]).get(found.pk, 0),
        "findings": []
        if found.copy_of_id
        else [finding for finding in Finding if finding.value in steps]
        if may_act
        else [],
        "category": taxonomy.categories[found.category],
    }


def _paging(request: HttpRequest, total: int, query: Query, next_after: str | None) -> dict[str, Any]:
    """Return the addresses of the neighbouring pages; past the window a cursor leads on."""

    def address(**changes: Any) -> str:
        values = {name: request.GET.getlist(name) for name in request.GET if name not in {"page", "after"}}
        return "?" + urlencode({**values, **changes}, doseq=True)

    last = min((total + PAGE_SIZE - 1) // PAGE_SIZE, LAST_PAGE)
    forward = None
    if next_after:
        deep = query.after is not None or query.page >= LAST_PAGE
        forward = address(after=next_after) if deep else address(page=query.page + 1)
    back = address(page=query.page - 1) if query.after is None and query.page > 1 else None
    return {
        "forward": forward,
        "back": back,
        "number": query.page,
        "last": max(last, 1),
        "deep": query.after is not None,
    }
