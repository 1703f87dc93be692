"""Claiming a case: taken and renewed by its open page, handed over, returned."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from casework import claims
from casework.errors import HeldByOther, NotAllowed, NotFound
from casework.models import Case
from casework.roles import Action, may
from review_ui.access import allowed, person
from review_ui.errors import in_words


@allowed(Action.DECIDE)
@require_POST
def claim(request: HttpRequest, case_id: int) -> HttpResponse:
    """Take or renew the claim; what an open page asks for again and again, answered with who holds the case."""
    user = person(request)
    context = {
        "case": Case(pk=case_id),
        "every": int(claims.RENEWED_EVERY.total_seconds()),
        "may_take_over": bool(may(user, Action.DECIDE_ESCALATED)),
    }
    try:
        context["claim"] = claims.take(case_id, user)
    except HeldByOther as error:
        context["held"] = error
    except (NotAllowed, NotFound) as error:  # decided, or gone: the open page is told and asks no more
        context |= {"over": in_words(error), "gone": isinstance(error, NotFound)}
    return render(request, "review_ui/claim.html", context)


@allowed(Action.DECIDE_ESCALATED)
@require_POST
def take_over(request: HttpRequest, case_id: int) -> HttpResponse:
    """Take the case from whoever holds it."""
    claims.take_over(case_id, person(request))
    messages.info(request, _("案件已由您接手"))
    return redirect("case", case_id=case_id)


@allowed(Action.DECIDE)
@require_POST
def hand_over(request: HttpRequest, case_id: int) -> HttpResponse:
    """Give the case to a colleague, with a note."""
    given = claims.hand_over(case_id, person(request), request.POST.get("to", ""), request.POST.get("note", ""))
    number, to = Case(pk=case_id).number, given.holder.staff_no
    messages.success(request, _("%(number)s 已移交 %(to)s") % {"number": number, "to": to})
    return redirect("queue")


@allowed(Action.DECIDE)
@require_POST
def give_back(request: HttpRequest, case_id: int) -> HttpResponse:
    """Return the case to its queue."""
    claims.give_back(case_id, person(request))
    messages.info(request, _("%(number)s 已归还队列") % {"number": Case(pk=case_id).number})
    return redirect("queue")
