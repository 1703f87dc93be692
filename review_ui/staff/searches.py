"""Beside the queue: searches that one keeps, how a search moves from day to day, a result as a file, similar cases."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from casework import exposure, searches, sightings
from casework.models import User
from casework.roles import Action, may
from casework.search import get_search
from casework.sightings import Where
from review_ui.access import allowed, person
from review_ui.chart import columns
from review_ui.staff.asked import Asked, asked

DAYS = 30


def beside(user: User, question: Asked) -> dict[str, Any]:
    """Return what the queue shows of kept searches and of what can be done with the present one."""
    return {
        "saved": [(one, one.address == question.address) for one in searches.saved(user)],
        "may_export": bool(may(user, Action.EXPORT_RESULTS)),
    }


@allowed(Action.SEE_CASES)
@require_POST
def save(request: HttpRequest) -> HttpResponse:
    """Keep the present question under a name."""
    address = asked(QueryDict(request.POST.get("asked", ""))).address
    kept = searches.save(person(request), request.POST.get("name", ""), address)
    messages.success(request, _("已保存搜索“%(name)s”") % {"name": kept.name})
    return HttpResponseRedirect(f"{reverse('queue')}?{kept.address}")


@allowed(Action.SEE_CASES)
@require_POST
def remove(request: HttpRequest, search_id: int) -> HttpResponse:
    """Remove a kept search; the message brings it back."""
    gone = searches.remove(person(request), search_id)
    messages.info(request, _("已删除搜索“%(name)s”") % {"name": gone.name}, extra_tags=f"search:{gone.pk}")
    return HttpResponseRedirect(reverse("queue"))


@allowed(Action.SEE_CASES)
@require_POST
def bring_back(request: HttpRequest, search_id: int) -> HttpResponse:
    """Undo a removal."""
    kept = searches.bring_back(person(request), search_id)
    return HttpResponseRedirect(f"{reverse('queue')}?{kept.address}")


@allowed(Action.SEE_CASES)
@require_GET
def trend(request: HttpRequest) -> HttpResponse:
    """Show how many cases of a question were made on each of the last days."""
    user = person(request)
    question = asked(request.GET)
    days = get_search().days(question.query(user, facets=False), DAYS)
    bars = columns(days, range((DAYS - 1) % 7, DAYS, 7))
    context = {"question": question, "bars": bars, "total": sum(n for _day, n in days), "days": DAYS}
    return render(request, "review_ui/trend.html", context)


@allowed(Action.EXPORT_RESULTS)
@require_POST
def export(request: HttpRequest) -> HttpResponse:
    """Hand out the present result as CSV, without texts; that it was taken is recorded."""
    user = person(request)
    question = asked(QueryDict(request.POST.get("asked", "")))
    content = searches.export(question.query(user), user)
    name = f"woodpecker-{timezone.localtime():%Y%m%d-%H%M%S}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(content, content_type="text/csv; charset=utf-8", headers=headers)


@allowed(Action.SEE_CASES)
@require_GET
def similar(request: HttpRequest, case_id: int) -> HttpResponse:
    """Show the cases that share much of a case's wording, as a part of its page."""
    user = person(request)
    case = exposure.visible_case(case_id, user)
    ids = get_search().similar(case, exposure.scope_for(user))
    found = exposure.visible_cases(user).in_bulk(ids)
    rows = [(found[one], exposure.present(found[one], user)) for one in ids if one in found]
    sightings.note_list(user, Where.SIMILAR, (view for _case, view in rows))
    return render(request, "review_ui/similar.html", {"rows": rows})
