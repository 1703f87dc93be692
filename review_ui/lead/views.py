"""How things stand: counts, the state of every part, what waits, who did what; and the accounts."""

from __future__ import annotations

from datetime import timedelta

from django.contrib import messages
from django.db.models import Count, QuerySet
from django.db.models.functions import TruncDate
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from casework import accounts, anchors, audit, clocks, exposure, misses, policies, status, switches
from casework.errors import NotFound
from casework.models import (
    AuditEntry,
    Batch,
    Case,
    CaseState,
    DeadLetter,
    Heartbeat,
    Notice,
    NoticeState,
    PolicyActivation,
    Role,
    User,
)
from casework.roles import Action, may
from review_ui import words
from review_ui.access import allowed, person
from review_ui.chart import Column, columns
from review_ui.staff.facets import label

DAYS = 14


@allowed(Action.SEE_STATUS)
@require_GET
def overview(request: HttpRequest) -> HttpResponse:
    """Show counts, parts, what waits and the last acts."""
    user = person(request)
    context = {
        "status": status.snapshot(),
        "parts": [(_(words.PARTS.get(one.name, one.name)), one.ok, _detail(one)) for one in status.parts()],
        "sees_cases": bool(may(user, Action.SEE_CASES)),
        "sees_notices": bool(may(user, Action.PREPARE_NOTICE)),
        "states": [(label("state", one), n) for one, n in _counted("state")],
        "severities": [(label("severity", one), n) for one, n in _counted("severity", open_only=True)],
        "categories": _bars([(label("category", one), n) for one, n in _counted("category", open_only=True)]),
        "sites": _bars([(label("site", one), n) for one, n in _counted("site")]),
        "days": _days(),
        # What leads to a list counts what this person finds there: restricted cases are in those of duty staff alone.
        "escalated": exposure.visible_cases(user).filter(state=CaseState.ESCALATED, copy_of=None).count()
        if may(user, Action.SEE_CASES)
        else None,
        "submitted": Notice.objects.filter(state=NoticeState.SUBMITTED).count(),
        "failed": Batch.objects.filter(failed_at__isnull=False)[:20],
        "dead": DeadLetter.objects.order_by("-id")[:20],
        "crawls": [(label("site", one.name.removeprefix("crawl:")), one) for one in _crawls()],
        "recall": misses.recall(),
        "clocks": clocks.counts(user),
        "rules": switches.standing(),
        "may_turn": bool(may(user, Action.TURN_RULES)),
        "wrong_policies": [(label("site", name), problems) for name, problems in policies.wrong().items()],
        "activations": PolicyActivation.objects.all()[:8],
        "entries": AuditEntry.objects.exclude(action="case.view").order_by("-sequence")[:15],
        "seen": AuditEntry.objects.filter(action="case.view").order_by("-sequence")[:8],
    }
    return render(request, "review_ui/lead.html", context)


@allowed(Action.SEE_AUDIT)
@require_POST
def verify_audit(request: HttpRequest) -> HttpResponse:
    """Check every link of the audit chain."""
    verdict = audit.verify(list(anchors.kept()))
    if verdict.fault is None:
        messages.success(request, _("审计日志完整，共 %(n)s 条") % {"n": verdict.entries})
    else:
        where = {"n": verdict.broken_at, "why": _(verdict.fault.value)}
        messages.error(request, _("审计日志在第 %(n)s 条断裂：%(why)s") % where)
    return redirect("lead")


@allowed(Action.TURN_RULES)
@require_POST
def turn_rule(request: HttpRequest, name: str) -> HttpResponse:
    """Turn one of the rules that act without a person on or off."""
    on = request.POST.get("on") == "true"
    switches.turn(name, person(request), on=on)
    messages.info(request, _("规则已开启") if on else _("规则已关闭"))
    return redirect("lead")


@allowed(Action.MANAGE_ACCOUNTS)
@require_http_methods(["GET", "POST"])
def people(request: HttpRequest) -> HttpResponse:
    """List the accounts and add one; its one-time link is shown once."""
    if request.method == "GET":
        return _people(request)
    user = accounts.create(request.POST.get("name", ""), request.POST.get("role", ""), actor=person(request))
    return _people(request, user, accounts.set_password_link(user))


@allowed(Action.MANAGE_ACCOUNTS)
@require_POST
def link(request: HttpRequest, user_id: int) -> HttpResponse:
    """Give somebody who cannot sign in a fresh one-time link; it is shown once."""
    user = _person(user_id)
    return _people(request, user, accounts.issue_link(user, actor=person(request)))


@allowed(Action.MANAGE_ACCOUNTS)
@require_POST
def switch(request: HttpRequest, user_id: int) -> HttpResponse:
    """Close an account or open it again; nobody closes their own."""
    found = _person(user_id)
    if found.pk == person(request).pk:
        messages.error(request, _("不能停用自己的账号"))
    else:
        accounts.set_active(found, not found.is_active, actor=person(request))
    return redirect("people")


def _people(request: HttpRequest, holder: User | None = None, path: str = "") -> HttpResponse:
    """Show the accounts, and the one-time link of one of them where there is one to hand over."""
    context = {
        "people": User.objects.order_by("staff_no"),
        "roles": Role.choices,
        "holder": holder,
        "link": request.build_absolute_uri(path) if path else "",
    }
    return render(request, "review_ui/people.html", context)


def _person(user_id: int) -> User:
    found = User.objects.filter(pk=user_id).first()
    if found is None:
        raise NotFound("账号", user_id)
    return found


def _detail(part: status.Part) -> str:
    """Return what a part runs on, in words; for one that fails, what it said."""
    if part.ok and part.name == "workers":
        return _("%(n)s 个在工作") % {"n": status.alive(status.WORK)}
    if part.ok and part.name == "beat":
        return _("在运行")
    if part.name == "disk" and part.free is not None:
        return _("剩余 %(n)s MB") % {"n": part.free // 2**20}
    return _(words.ENGINES.get(part.detail, part.detail))


def _crawls() -> QuerySet[Heartbeat]:
    return Heartbeat.objects.filter(kind="crawl").order_by("name")


def _counted(field: str, *, open_only: bool = False) -> list[tuple[str, int]]:
    cases = Case.objects.filter(copy_of=None, **({"state": CaseState.OPEN} if open_only else {}))
    return list(cases.values_list(field).annotate(n=Count("pk")).order_by("-n", field))


def _bars(rows: list[tuple[str, int]]) -> list[tuple[str, int, int]]:
    """Return (label, number, share of the greatest in per cent) for the longest ten."""
    top = max((n for _label, n in rows), default=1)
    return [(name, n, round(100 * n / top)) for name, n in rows[:10]]


def _days() -> list[Column]:
    """Return the last days' new cases, today last; the first, the middle and the last day carry their label."""
    today = timezone.localdate()
    first = today - timedelta(days=DAYS - 1)
    counted = dict(
        Case.objects.filter(created_at__date__gte=first, copy_of=None)
        .annotate(day=TruncDate("created_at"))
        .values_list("day")
        .annotate(n=Count("pk"))
        .order_by()
    )
    days = [first + timedelta(days=at) for at in range(DAYS)]
    return columns([(day, counted.get(day, 0)) for day in days], (0, DAYS // 2, DAYS - 1))
