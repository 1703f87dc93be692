"""Splitting off a copy that was joined wrongly, and putting it back."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from casework import clusters
from casework.roles import Action
from review_ui.access import allowed, person


@allowed(Action.DECIDE)
@require_POST
def split(request: HttpRequest, case_id: int) -> HttpResponse:
    """Make a copy a case of its own; its page offers the way back."""
    copy = clusters.split(case_id, person(request))
    messages.success(request, _("%(number)s 已拆出，单独审核") % {"number": copy.number})
    return redirect("case", case_id=case_id)


@allowed(Action.DECIDE)
@require_POST
def rejoin(request: HttpRequest, case_id: int) -> HttpResponse:
    """Take a split back."""
    copy = clusters.rejoin(case_id, person(request))
    messages.info(request, _("%(number)s 已归回原案件") % {"number": copy.number})
    return redirect("case", case_id=case_id)
