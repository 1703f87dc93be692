"""Takedown lists: from confirmed cases to a file that two people stand behind."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import Count
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from casework import exposure, notices, sightings
from casework.errors import InvalidInput, NotFound
from casework.models import Instrument, Notice, NoticeState
from casework.roles import Action, may
from casework.sightings import Where
from review_ui.access import allowed, back_to, person
from review_ui.staff.facets import label

TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "json": "application/json",
    "pdf": "application/pdf",
}
SHOWN = 200
"""Cases that one page offers for a list."""


@allowed(Action.PREPARE_NOTICE)
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """Show which platforms have confirmed cases waiting, and the lists there are."""
    user = person(request)
    context = {
        "waiting": [(site, label("site", site), n) for site, n in notices.sites_waiting(user)],
        "lists": Notice.objects.select_related("prepared_by", "approved_by").annotate(n=Count("lines"))[:SHOWN],
    }
    return render(request, "review_ui/notices.html", context)


@allowed(Action.PREPARE_NOTICE)
def new(request: HttpRequest, site: str) -> HttpResponse:
    """Choose the instrument and the cases of a new list."""
    user = person(request)
    if request.method == "POST":
        notice = notices.draft(site, request.POST.get("instrument", ""), user, _chosen(request))
        messages.success(request, _("已建立清单 %(number)s") % {"number": notice.number})
        return redirect("notice", notice_id=notice.pk)
    rows = [(case, exposure.present(case, user)) for case in notices.eligible(site, user)[:SHOWN]]
    sightings.note_list(user, Where.NOTICE, (view for _case, view in rows))
    context = {"site": site, "title": label("site", site), "rows": rows, "instruments": Instrument.choices}
    return render(request, "review_ui/notice_new.html", context)


@allowed(Action.PREPARE_NOTICE)
@require_GET
def notice(request: HttpRequest, notice_id: int) -> HttpResponse:
    """Show one list, line by line, with what is still wrong with it."""
    user = person(request)
    found = _notice(notice_id)
    own = found.prepared_by_id == user.pk
    draft = found.state == NoticeState.DRAFT
    lines = [
        (line, exposure.present(line.case, user), notices.allowed_dispositions(line), notices.problems(line))
        for line in found.lines.select_related("case", "notice")
    ]
    sightings.note_list(user, Where.NOTICE, (view for _line, view, *_rest in lines))
    context = {
        "notice": found,
        "lines": lines,
        "platform": label("site", found.site),
        "editable": draft and own,
        "waiting_for_me": found.state == NoticeState.SUBMITTED and not own and bool(may(user, Action.APPROVE_NOTICE)),
        "waiting_for_another": found.state == NoticeState.SUBMITTED and own,
        "approved": found.state == NoticeState.APPROVED,
        "formats": notices.FORMATS,
        "wrong": any(problems for *_rest, problems in lines),
    }
    return render(request, "review_ui/notice.html", context)


@allowed(Action.PREPARE_NOTICE)
@require_POST
def line(request: HttpRequest, line_id: int) -> HttpResponse:
    """Change one line of one's own draft: its remedy, its flags, or take it off."""
    user = person(request)
    if request.POST.get("act") == "remove":
        notices.remove_line(line_id, user)
        return HttpResponseRedirect(back_to(request))
    changed = notices.set_flags(
        line_id, user, unlabelled="unlabelled" in request.POST, minor_author="minor_author" in request.POST
    )
    wished = request.POST.get("disposition", "")
    if wished in {one.slug for one in notices.allowed_dispositions(changed)}:
        notices.set_disposition(line_id, wished, user)
    return HttpResponseRedirect(f"{back_to(request)}#line-{line_id}")


@allowed(Action.PREPARE_NOTICE)
@require_POST
def submit(request: HttpRequest, notice_id: int) -> HttpResponse:
    """Hand a draft to a second person."""
    notices.submit(_notice(notice_id), person(request))
    messages.success(request, _("已提交，等待另一位同事复核"))
    return redirect("notice", notice_id=notice_id)


@allowed(Action.APPROVE_NOTICE)
@require_POST
def approve(request: HttpRequest, notice_id: int) -> HttpResponse:
    """Approve somebody else's list; it is sealed."""
    notices.approve(_notice(notice_id), person(request))
    messages.success(request, _("已核准并封存，可以导出"))
    return redirect("notice", notice_id=notice_id)


@allowed(Action.APPROVE_NOTICE)
@require_POST
def send_back(request: HttpRequest, notice_id: int) -> HttpResponse:
    """Give a list back with a reason."""
    notices.send_back(_notice(notice_id), person(request), request.POST.get("reason", ""))
    messages.info(request, _("已退回起草人"))
    return redirect("notice", notice_id=notice_id)


@allowed(Action.PREPARE_NOTICE)
@require_POST
def discard(request: HttpRequest, notice_id: int) -> HttpResponse:
    """Throw one's own draft away; its cases wait again."""
    notices.discard(_notice(notice_id), person(request))
    messages.info(request, _("草稿已作废，案件退回待列"))
    return redirect("notices")


@allowed(Action.EXPORT_NOTICE)
@require_POST
def export(request: HttpRequest, notice_id: int, format_: str) -> HttpResponse:
    """Download an approved list; the export is recorded."""
    found = _notice(notice_id)
    content = notices.export(found, format_, person(request))
    response = HttpResponse(content, content_type=TYPES[format_])
    response["Content-Disposition"] = f'attachment; filename="{found.number}.{format_}"'
    return response


def _notice(notice_id: int) -> Notice:
    found = Notice.objects.select_related("prepared_by", "approved_by").filter(pk=notice_id).first()
    if found is None:
        raise NotFound("清单", notice_id)
    return found


def _chosen(request: HttpRequest) -> list[int]:
    given = request.POST.getlist("case")
    if not all(one.isdigit() for one in given):
        raise InvalidInput("case", ", ".join(given)[:80], "页面上列出的案件")
    return [int(one) for one in given]
