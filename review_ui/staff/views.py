"""The queue and the case page."""

import re
from typing import Any
from urllib.parse import parse_qsl, urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from casework import annotations, cases, claims, clocks, clusters, decisions, exposure, policies, sightings, transitions
from casework.errors import HeldByOther, InvalidInput, StaleCase
from casework.models import UNDECIDED, Addressee, Case, CaseState, Decision, Finding, Role, User
from casework.roles import Action, may
from casework.search import get_search
from casework.search.port import Query
from casework.sightings import Where
from config.taxonomy import load_taxonomy
from review_ui import words
from review_ui.access import allowed, person
from review_ui.errors import in_words
from review_ui.staff import searches
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
    copies, holders = clusters.counts(found), claims.holders(found, but=user)
    rows = [
        (
            found[hit.case_id],
            exposure.present(found[hit.case_id], user, highlights=hit.highlights),
            copies.get(hit.case_id, 0),
            holders.get(hit.case_id),
        )
        for hit in page.hits
        if hit.case_id in found
    ]
    sightings.note_list(user, Where.QUEUE, (view for _case, view, *_rest in rows))
    context = {
        "rows": rows,
        "held": claims.held_by(user),
        "page": page,
        "query": query,
        "question": question,
        # Whoever decides nothing meets confirmed cases alone, which no queue of undecided ones holds.
        "queues": _queues(question) if may(user, Action.DECIDE) else [],
        "sorts": [(value, _(label)) for value, label in words.SORTS.items()],
        "groups": facet_groups(page.facets, query.filters, request.GET),
        "chosen_filters": sum(len(values) for values in question.chosen.values()) + len(question.states or ()),
        "kid_zone": question.chosen.get("kid_zone") == ["true"],
        "kid_zone_address": toggled(request.GET, "kid_zone", "true"),
        "may_decide": bool(may(user, Action.DECIDE)),
        **searches.beside(user, question),
        **_paging(request, page.total, query, page.next_after),
    }
    return render(request, "review_ui/queue.html", context)


@allowed(Action.DECIDE)
@require_GET
def due(request: HttpRequest) -> HttpResponse:
    """Show what is late and what soon will be, the most pressing first."""
    user = person(request)
    waiting = clocks.waiting(user)
    holders = claims.holders((one.case.pk for one in waiting), but=user)
    rows = [(one, holders.get(one.case.pk)) for one in waiting]
    context = {"rows": rows, "counts": clocks.counts(user)}
    return render(request, "review_ui/due.html", context)


@allowed(Action.SEE_CASES)
@require_GET
def case(request: HttpRequest, case_id: int) -> HttpResponse:
    """Show one case with everything that a person needs to decide."""
    found = exposure.visible_case(case_id, person(request))
    return render(request, "review_ui/case.html", _seen(_case_context(found, request), request))


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
    behind = following(question, user, case_id)
    category, reason = request.POST.get("category") or None, request.POST.get("reason", "")
    try:
        decisions.decide(
            case_id,
            user,
            finding,
            expected_version=int(version),
            category=category,
            reason=reason,
            addressee=_addressee(request, finding),
        )
    except (StaleCase, HeldByOther) as error:
        return _came_second(request, case_id, error, question)
    next_id = _onward(behind, question, user)
    number = Case(pk=case_id).number
    label = _(Finding(finding).label)
    messages.success(
        request, _("%(number)s：%(label)s") % {"number": number, "label": label}, extra_tags=f"undo:{case_id}"
    )
    return _to_case(next_id, question) if next_id else _to_queue(question)


def _came_second(request: HttpRequest, case_id: int, error: StaleCase | HeldByOther, question: Asked) -> HttpResponse:
    """Show the case as it is now, with what this person had found and written: nothing of it is lost."""
    found = exposure.visible_cases(person(request)).filter(pk=case_id).first()
    if found is None:
        raise error
    messages.error(request, in_words(error))
    given = {name: request.POST.get(name, "") for name in ("finding", "category", "reason")}
    mine = {**given, "finding": Finding(given["finding"]).label if given["finding"] in Finding.values else ""}
    context = {
        **_seen(_case_context(found, request), request),
        "question": question,
        "mine": mine,
        "chosen": given["category"] or found.category,
    }
    return render(request, "review_ui/case.html", context, status=409)


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
    """Open the next case of what was asked for: the first, or the one behind `behind`, that nobody else works on.

    It is claimed here already, so that of two people who press at once each gets another; `behind` is given back. A
    link that is merely followed does no harm: the claim returns by itself.
    """
    user, question, given = person(request), asked(request.GET), request.GET.get("behind", "")
    behind = int(given) if re.fullmatch(r"[0-9]{1,18}", given) else None
    if behind is not None:
        claims.give_back(behind, user)
    next_id = _onward(following(question, user, behind), question, user)
    if next_id is not None:
        return _to_case(next_id, question)
    messages.info(request, _("没有别的案件了"))
    return _to_queue(question)


def _addressee(request: HttpRequest, finding: str) -> str:
    """Return to whom it is escalated; the page sends its choice with every finding."""
    return request.POST.get("to", "") if finding == Finding.ESCALATED else ""


def _onward(ids: list[int], question: Asked, user: User) -> int | None:
    """Return the case to go on with: the first that nobody else works on; of decided ones simply the first."""
    states = question.state(user)
    if states and not set(states) & set(UNDECIDED):
        return ids[0] if ids else None
    return claims.take_first(ids, user)


def _to_case(case_id: int, question: Asked) -> HttpResponseRedirect:
    return HttpResponseRedirect(_with(reverse("case", kwargs={"case_id": case_id}), question))


def _to_queue(question: Asked) -> HttpResponseRedirect:
    return HttpResponseRedirect(_with(reverse("queue"), question))


def _with(address: str, question: Asked) -> str:
    return f"{address}?{question.address}" if question.address else address


def _seen(context: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
    """Record that a case page is seen; returns what it shows."""
    around = (view for _case, view in (*context["before"], *context["after"]))
    sightings.note_case(person(request), Where.PAGE, context["view"], around)
    return context


def _case_context(found: Case, request: HttpRequest) -> dict[str, Any]:
    user = person(request)
    taxonomy = load_taxonomy()
    around = cases.context(found, user)
    thresholds = policies.placement(found.site, found.section).thresholds
    last = decisions.last_decision(found)
    occurrences = [] if found.copy_of_id else clusters.occurrences(found, user)
    steps = transitions.findings(found.state)
    may_act = bool(may(user, Action.DECIDE)) and (
        found.state != CaseState.ESCALATED or bool(may(user, Action.DECIDE_ESCALATED))
    )
    return {
        "case": found,
        "question": asked(request.GET),
        "view": exposure.present(found, user),
        "context": around,
        "before": [(other, exposure.present(other, user)) for other in around.before],
        "after": [(other, exposure.present(other, user)) for other in around.after],
        "scores": [
            (taxonomy.categories[slug], score, thresholds.get(slug, 1.0), score >= thresholds.get(slug, 1.0))
            for slug, score in sorted(found.scores.items(), key=lambda pair: -pair[1])
            if exposure.scores_shown(found) and (score >= 0.05 or slug in found.categories)
        ],
        "addressees": [(value, _(label)) for value, label in Addressee.choices],
        "categories": list(taxonomy.categories.values()),
        "summary": annotations.summary(found) if may(user, Action.SEE_ANNOTATIONS) else None,
        "history": cases.history(found),
        "last": last,
        "may_undo": last is not None and _may_undo(last, user),
        "may_decide": bool(may(user, Action.DECIDE)),
        "chosen": found.category,
        "addressee": last.get_addressee_display() if last is not None and found.state == CaseState.ESCALATED else "",
        "holder": claims.holders([found.pk], but=user).get(found.pk),
        "colleagues": _colleagues(found, user) if may_act and found.state in UNDECIDED and not found.copy_of_id else [],
        "likeness": round(100 * (found.likeness or 0)),
        "occurrences": occurrences,
        "copies": clusters.counts([found.pk]).get(found.pk, 0) if occurrences else 0,
        "findings": [] if found.copy_of_id or not may_act else _offered(found, user),
        "may_reopen": may_act and not found.copy_of_id and Finding.REOPENED in steps,
        "category": taxonomy.categories[found.category],
    }


def _colleagues(case: Case, user: User) -> list[tuple[str, str]]:
    """Return whom this person may hand the case to: 工号 and role in words."""
    titles = {role.value: _(role.label) for role in Role}
    return [(one.staff_no, titles[one.role]) for one in claims.colleagues(case, user)]


def _offered(case: Case, user: User) -> list[Finding]:
    """Return the findings that this person may choose from."""
    steps = transitions.findings(case.state)
    allowed_ = [one for one in steps if may(user, transitions.TRANSITIONS[CaseState(case.state), one].action)]
    return [one for one in allowed_ if one is not Finding.REOPENED]


def _may_undo(last: Decision, user: User) -> bool:
    in_time = last.decided_at + cases.UNDO_WINDOW > timezone.now()
    return last.decided_by_id == user.pk and last.follows_id is None and in_time


def _queues(question: Asked) -> list[tuple[str, str, bool]]:
    """Return the queues of the policy: title, address, and whether it is the one that is shown."""
    english = (get_language() or "").startswith("en")
    found = []
    for one in policies.work().queues:
        address = urlencode(one.filters(), doseq=True)
        title = (one.title_en or one.title) if english else one.title
        found.append((title, f"?{address}", sorted(parse_qsl(address)) == sorted(parse_qsl(question.address))))
    return found


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
