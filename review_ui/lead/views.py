"""How things stand: counts, the state of every part, what waits, who did what; and the accounts."""

from __future__ import annotations

from datetime import timedelta

from django.contrib import messages
from django.db.models import Count
from django.db.models.functions import TruncDate
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from casework import accounts, audit, status
from casework.models import AuditEntry, Batch, Case, CaseState, Heartbeat, Notice, NoticeState, Role, User
from casework.roles import Action, may
from review_ui import words
from review_ui.access import allowed, person
from review_ui.staff.facets import label

DAYS = 14


@allowed(Action.SEE_STATUS)
@require_GET
def overview(request: HttpRequest) -> HttpResponse:
    """Show counts, parts, what waits and the last acts."""
    user = person(request)
    context = {
        "status": status.snapshot(),
        "parts": [(_(words.PARTS.get(one.name, one.name)), one.ok, one.detail) for one in status.parts()],
        "sees_notices": bool(may(user, Action.PREPARE_NOTICE)),
        "states": [(label("state", one), n) for one, n in _counted("state")],
        "severities": [(label("severity", one), n) for one, n in _counted("severity", open_only=True)],
        "categories": _bars([(label("category", one), n) for one, n in _counted("category", open_only=True)]),
        "sites": _bars([(label("site", one), n) for one, n in _counted("site")]),
        "days": _days(),
        "escalated": Case.objects.filter(state=CaseState.ESCALATED).count() if may(user, Action.SEE_CASES) else None,
        "submitted": Notice.objects.filter(state=NoticeState.SUBMITTED).count(),
        "failed": Batch.objects.filter(failed_at__isnull=False)[:20],
        "crawls": Heartbeat.objects.filter(kind="crawl").order_by("name"),
        "entries": AuditEntry.objects.order_by("-sequence")[:15],
        "may_manage": bool(may(user, Action.MANAGE_ACCOUNTS)),
    }
    return render(request, "review_ui/lead.html", context)


@allowed(Action.SEE_AUDIT)
@require_POST
def verify_audit(request: HttpRequest) -> HttpResponse:
    """Check every link of the audit chain."""
    verdict = audit.verify()
    if verdict.whole:
        messages.success(request, _("审计日志完整，共 %(n)s 条") % {"n": verdict.entries})
    else:
        messages.error(request, f"{_('审计日志在此处断裂')}：{verdict.broken_at}（{verdict.why}）")
    return redirect("lead")


@allowed(Action.MANAGE_ACCOUNTS)
def people(request: HttpRequest) -> HttpResponse:
    """List the accounts and add one; its one-time link is shown once."""
    link = ""
    if request.method == "POST":
        user = accounts.create(request.POST.get("name", ""), request.POST.get("role", ""), actor=person(request))
        link = request.build_absolute_uri(accounts.set_password_link(user))
    context = {"people": User.objects.order_by("staff_no"), "roles": Role.choices, "link": link}
    return render(request, "review_ui/people.html", context)


@allowed(Action.MANAGE_ACCOUNTS)
@require_POST
def switch(request: HttpRequest, user_id: int) -> HttpResponse:
    """Close an account or open it again; nobody closes their own."""
    found = User.objects.filter(pk=user_id).first()
    if found is None or found.pk == person(request).pk:
        messages.error(request, _("不能停用自己的账号"))
        return redirect("people")
    accounts.set_active(found, not found.is_active, actor=person(request))
    return redirect("people")


def _counted(field: str, *, open_only: bool = False) -> list[tuple[str, int]]:
    cases = Case.objects.filter(state=CaseState.OPEN) if open_only else Case.objects.all()
    return list(cases.values_list(field).annotate(n=Count("pk")).order_by("-n", field))


def _bars(rows: list[tuple[str, int]]) -> list[tuple[str, int, int]]:
    """Return (label, number, share of the greatest in per cent) for the longest ten."""
    top = max((n for _label, n in rows), default=1)
    return [(name, n, round(100 * n / top)) for name, n in rows[:10]]


def _days() -> list[tuple[str, int, int]]:
    """Return (day, new cases, share of the greatest in per cent) for the last days, today last."""
    today = timezone.localdate()
    first = today - timedelta(days=DAYS - 1)
    counted = dict(
        Case.objects.filter(created_at__date__gte=first)
        .annotate(day=TruncDate("created_at"))
        .values_list("day")
        .annotate(n=Count("pk"))
        .order_by()
    )
    days = [first + timedelta(days=at) for at in range(DAYS)]
    top = max([*counted.values(), 1])
    return [(f"{day.month}/{day.day}", counted.get(day, 0), round(100 * counted.get(day, 0) / top)) for day in days]
