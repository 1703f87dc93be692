"""Notices: takedown lists, from the draft of one person over the approval of another to the exported file.

What may be asked for a line is what the decision table allows; a line that it does not allow cannot be submitted,
approved or exported. Source: 未成年人网络保护条例 Arts 23, 24, 29; 未成年人保护法 Arts 77, 79, 80.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Count, Max, QuerySet
from django.utils import timezone

from casework import audit, canonical, chains, evidence, exposure, hits, notice_files, notice_pdf, notice_rows
from casework.errors import InvalidInput, NotAllowed, NotFound
from casework.models import Case, CaseState, Instrument, Notice, NoticeLine, NoticeState, User
from casework.notice_lines import allowed_dispositions, never_listed, problems
from casework.roles import Action, require
from config.decision_table import Disposition
from config.taxonomy import Severity

__all__ = [
    "FORMATS",
    "add_cases",
    "allowed_dispositions",
    "approve",
    "discard",
    "draft",
    "eligible",
    "export",
    "never_listed",
    "problems",
    "remove_line",
    "send_back",
    "set_disposition",
    "set_flags",
    "sites_waiting",
    "submit",
]

FORMATS = ("csv", "xlsx", "json", "pdf")
FORMAT = "silver-woodpecker/notice/1"
REASON_CHARACTERS = 500
_NUMBERS = "notice"


def eligible(site: str, user: User) -> QuerySet[Case]:
    """Return the confirmed cases of a site that are on no list yet and may be put on one.

    Raises:
        NotAllowed: this person prepares no lists.
    """
    return _waiting(user).filter(site=site).order_by("severity", "-score", "id")


def sites_waiting(user: User) -> list[tuple[str, int]]:
    """Return the sites with confirmed cases that wait for a list, and how many, most first.

    Raises:
        NotAllowed: this person prepares no lists.
    """
    counted = _waiting(user).order_by().values_list("site").annotate(n=Count("pk")).order_by("-n", "site")
    return [(site, n) for site, n in counted]


@transaction.atomic
def draft(site: str, instrument: Instrument | str, user: User, case_ids: Iterable[int]) -> Notice:
    """Begin a list for one site from its confirmed cases; each line gets the first remedy that the table allows.

    Raises:
        NotAllowed: this person prepares no lists, or a case may never be listed.
        InvalidInput: no such instrument, no case, or a case that is not confirmed, not of the site or listed already.
    """
    require(user, Action.PREPARE_NOTICE)
    try:
        kind = Instrument(instrument)
    except ValueError:
        raise InvalidInput("instrument", instrument, ", ".join(Instrument.values)) from None
    cases = _confirmed(site, case_ids, user)
    notice = Notice.objects.create(
        number=_number(), site=site, platform_class=cases[0].platform_class, instrument=kind, prepared_by=user
    )
    _append(notice, cases)
    audit.record("notice.draft", user, notice, number=notice.number, site=site, cases=[case.pk for case in cases])
    return notice


@transaction.atomic
def add_cases(notice: Notice, user: User, case_ids: Iterable[int]) -> Notice:
    """Add confirmed cases to one's own draft.

    Raises:
        NotFound, NotAllowed, InvalidInput: as `draft`.
    """
    notice = _own_draft(notice.pk, user)
    cases = _confirmed(notice.site, case_ids, user)
    _append(notice, cases)
    audit.record("notice.add", user, notice, cases=[case.pk for case in cases])
    return notice


@transaction.atomic
def remove_line(line_id: int, user: User) -> None:
    """Take a line off one's own draft; its case may be listed again.

    Raises:
        NotFound: no such line.
        NotAllowed: not this person's draft.
    """
    line = _own_line(line_id, user)
    audit.record("notice.remove", user, line.notice, case=line.case_id)
    line.delete()


@transaction.atomic
def set_disposition(line_id: int, disposition: str, user: User) -> NoticeLine:
    """Choose the remedy that a line asks for.

    Raises:
        NotFound: no such line.
        NotAllowed: not this person's draft.
        InvalidInput: the decision table does not allow it here.
    """
    line = _own_line(line_id, user)
    allowed = allowed_dispositions(line)
    if disposition not in {one.slug for one in allowed}:
        raise InvalidInput("disposition", disposition, "、".join(one.slug for one in allowed) or "此行不得列入清单")
    line.disposition = disposition
    line.save(update_fields=["disposition"])
    audit.record("notice.disposition", user, line.notice, case=line.case_id, disposition=disposition)
    return line


@transaction.atomic
def set_flags(line_id: int, user: User, *, unlabelled: bool, minor_author: bool) -> NoticeLine:
    """Say whether the item lacks its label (未显著提示) and whether its author seems to be a minor.

    The remedies that the table allows follow; one that it no longer allows is replaced by the first that it does.

    Raises:
        NotFound: no such line.
        NotAllowed: not this person's draft.
    """
    line = _own_line(line_id, user)
    line.unlabelled, line.minor_author = unlabelled, minor_author
    allowed = [one.slug for one in allowed_dispositions(line)]
    if line.disposition not in allowed:
        line.disposition = allowed[0] if allowed else ""
    line.save(update_fields=["unlabelled", "minor_author", "disposition"])
    audit.record("notice.flags", user, line.notice, case=line.case_id, unlabelled=unlabelled, minor_author=minor_author)
    return line


@transaction.atomic
def submit(notice: Notice, user: User) -> Notice:
    """Hand one's own draft to a second person.

    Raises:
        NotFound: no such list.
        NotAllowed: not this person's draft.
        InvalidInput: it has no line, or a line that cannot be exported; says which and why.
    """
    notice = _own_draft(notice.pk, user)
    _check_lines(notice)
    notice.state, notice.submitted_at = NoticeState.SUBMITTED, timezone.now()
    notice.save(update_fields=["state", "submitted_at"])
    audit.record("notice.submit", user, notice, number=notice.number)
    return notice


@transaction.atomic
def approve(notice: Notice, user: User) -> Notice:
    """Approve a submitted list and seal its rows. Whoever prepared it cannot approve it.

    Raises:
        NotFound: no such list.
        NotAllowed: the role, the state or the two-person rule forbids it.
        InvalidInput: a line can no longer be exported; says which and why.
    """
    notice = _submitted(notice.pk, user)
    lines = _check_lines(notice)
    notice.state, notice.approved_by, notice.approved_at = NoticeState.APPROVED, user, timezone.now()
    notice.sent_back_reason = ""
    notice.sealed = _sealed(notice, lines, user, notice.approved_at)
    notice.manifest_sha256 = canonical.sha256(canonical.dumps(notice.sealed))
    notice.save()
    audit.record(
        "notice.approve", user, notice, number=notice.number, lines=len(lines), manifest=notice.manifest_sha256
    )
    return notice


@transaction.atomic
def send_back(notice: Notice, user: User, reason: str) -> Notice:
    """Give a submitted list back to its preparer.

    Raises:
        NotFound: no such list.
        NotAllowed: the role, the state or the two-person rule forbids it.
        InvalidInput: no reason, or one that is too long.
    """
    notice = _submitted(notice.pk, user)
    reason = reason.strip()
    if not 0 < len(reason) <= REASON_CHARACTERS:
        raise InvalidInput("reason", f"{len(reason)} 字", f"1 至 {REASON_CHARACTERS} 字")
    notice.state, notice.sent_back_reason, notice.submitted_at = NoticeState.DRAFT, reason, None
    notice.save(update_fields=["state", "sent_back_reason", "submitted_at"])
    audit.record("notice.send_back", user, notice, number=notice.number, reason=reason)
    return notice


@transaction.atomic
def discard(notice: Notice, user: User) -> None:
    """Throw one's own draft away; its cases may be listed again, its number is not used again.

    Raises:
        NotFound: no such list.
        NotAllowed: not this person's draft.
    """
    notice = _own_draft(notice.pk, user)
    audit.record("notice.discard", user, notice, number=notice.number)
    notice.delete()


@transaction.atomic
def export(notice: Notice, format: str, user: User) -> bytes:
    """Return an approved list as a file; who exported it is recorded.

    Raises:
        NotAllowed: the role forbids it, the list is not approved, its seal is broken, or this machine can set no PDF.
        InvalidInput: no such format.
    """
    require(user, Action.EXPORT_NOTICE)
    if format not in FORMATS:
        raise InvalidInput("format", format, ", ".join(FORMATS))
    notice = Notice.objects.get(pk=notice.pk)
    if notice.state != NoticeState.APPROVED or notice.sealed is None or notice.approved_at is None:
        raise NotAllowed(f"清单{notice.number}尚未核准，不能导出")
    if canonical.sha256(canonical.dumps(notice.sealed)) != notice.manifest_sha256:
        raise NotAllowed(f"清单{notice.number}与核准时的摘要不符，不能导出")
    content = _file(notice, notice.sealed, format, notice.approved_at)
    audit.record("notice.export", user, notice, number=notice.number, format=format, sha256=canonical.sha256(content))
    return content


def _waiting(user: User) -> QuerySet[Case]:
    require(user, Action.PREPARE_NOTICE)
    cases = exposure.visible_cases(user).filter(state=CaseState.CONFIRMED, notice_line__isnull=True)
    return cases.filter(restricted=False).exclude(severity=Severity.S0)


def _file(notice: Notice, sealed: dict[str, Any], format_: str, approved_at: datetime) -> bytes:
    columns, rows = sealed["columns"], sealed["rows"]
    if format_ == "csv":
        return notice_files.to_csv(columns, rows)
    if format_ == "xlsx":
        return notice_files.to_xlsx(notice.number, columns, rows, timezone.localtime(approved_at))
    if format_ == "pdf":
        return notice_pdf.to_pdf(sealed, notice.get_instrument_display(), notice.manifest_sha256)
    return notice_files.to_json(sealed, notice.manifest_sha256)


def _sealed(notice: Notice, lines: Sequence[NoticeLine], approver: User, at: datetime) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "number": notice.number,
        "instrument": str(notice.instrument),
        "site": notice.site,
        "prepared_by": notice.prepared_by.staff_no,
        "approved_by": approver.staff_no,
        "approved_at": timezone.localtime(at).isoformat(),
        "columns": list(notice_rows.COLUMNS),
        "rows": [notice_rows.row(line, _chosen(line), approver, at) for line in lines],
    }


def _chosen(line: NoticeLine) -> Disposition:
    return next(one for one in allowed_dispositions(line) if one.slug == line.disposition)


def _check_lines(notice: Notice) -> list[NoticeLine]:
    lines = list(notice.lines.select_related("case", "notice").order_by("position"))
    if not lines:
        raise InvalidInput("lines", 0, "至少一行")
    failing = [
        f"第{line.position}行（{line.case.number}）：{'；'.join(why)}" for line in lines if (why := problems(line))
    ]
    if failing:
        raise InvalidInput("lines", "\n".join(failing), "每一行都符合处置对照表")
    return lines


def _confirmed(site: str, case_ids: Iterable[int], user: User) -> list[Case]:
    """Lock the cases in ascending order and check that each may be listed."""
    wanted = sorted(set(case_ids))
    cases = list(Case.objects.select_for_update().filter(pk__in=wanted).order_by("id"))
    visible = set(exposure.visible_cases(user).filter(pk__in=wanted).values_list("pk", flat=True))
    listed = set(NoticeLine.objects.filter(case_id__in=wanted).values_list("case_id", flat=True))
    if not wanted:
        raise InvalidInput("cases", "0", "至少一个已确认的案件")
    for case in cases:
        if never_listed(case):
            raise NotAllowed(f"案件{case.number}须即时转公安，不入普通清单")
    known = {case.pk: case for case in cases if case.pk in visible}
    for case_id in wanted:
        if case_id not in known:
            raise NotFound("案件", case_id)
        _check_listable(known[case_id], site, listed)
    return cases


def _check_listable(case: Case, site: str, listed: set[int]) -> None:
    if case.site != site:
        raise InvalidInput("cases", f"{case.number} 属于 {case.site}", f"{site} 的案件")
    if case.state != CaseState.CONFIRMED:
        raise InvalidInput("cases", f"{case.number} 现为“{CaseState(case.state).label}”", "已确认的案件")
    if case.pk in listed:
        raise InvalidInput("cases", f"{case.number} 已在清单上", "尚未列入清单的案件")


def _append(notice: Notice, cases: Iterable[Case]) -> None:
    last = notice.lines.aggregate(last=Max("position"))["last"] or 0
    for position, case in enumerate(cases, start=last + 1):
        if case.copy_of_id is not None and evidence.latest(case) is None:
            evidence.seal(case, notice.prepared_by)  # of copies only those that a list names are sealed
        line = NoticeLine(notice=notice, case=case, position=position, minor_author=hits.MINOR_AUTHOR in case.flags)
        allowed = allowed_dispositions(line)
        line.disposition = allowed[0].slug if allowed else ""
        line.save(force_insert=True)


def _number() -> str:
    """Return the next number of today, e.g. SW-20261124-001; a discarded list's number is not used again."""
    head = chains.lock(_NUMBERS)
    day = f"{timezone.localdate():%Y%m%d}"
    if head.hash != day:
        head.sequence = 0
    return f"SW-{day}-{chains.advance(head, day):03d}"


def _own_draft(notice_id: int, user: User) -> Notice:
    require(user, Action.PREPARE_NOTICE)
    notice = _notice(notice_id)
    if notice.prepared_by_id != user.pk:
        raise NotAllowed(f"清单{notice.number}由{notice.prepared_by.staff_no}起草，只能由其修改")
    if notice.state != NoticeState.DRAFT:
        raise NotAllowed(f"清单{notice.number}现为“{NoticeState(notice.state).label}”，不能修改")
    return notice


def _own_line(line_id: int, user: User) -> NoticeLine:
    line = NoticeLine.objects.filter(pk=line_id).first()
    if line is None:
        raise NotFound("清单行", line_id)
    _own_draft(line.notice_id, user)
    return NoticeLine.objects.select_related("case", "notice").get(pk=line_id)


def _submitted(notice_id: int, user: User) -> Notice:
    require(user, Action.APPROVE_NOTICE)
    notice = _notice(notice_id)
    if notice.state != NoticeState.SUBMITTED:
        raise NotAllowed(f"清单{notice.number}现为“{NoticeState(notice.state).label}”，不在复核中")
    if notice.prepared_by_id == user.pk:
        raise NotAllowed("起草人不能复核自己的清单，须由另一人复核")
    return notice


def _notice(notice_id: int) -> Notice:
    notice = Notice.objects.select_for_update(of=("self",)).select_related("prepared_by").filter(pk=notice_id).first()
    if notice is None:
        raise NotFound("清单", notice_id)
    return notice
