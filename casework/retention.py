"""Retention: what has to go, and the proof that it went.

Rules (PIPL Arts 6 and 19; 网络数据安全管理条例 Arts 12 and 24; our own dates): captures wait in the inbox 24 h at most;
one that could not be assessed keeps its text for as long, counted from its arrival, and its letter for 30 days; a
dismissed case keeps its text for 30 days, a confirmed one until 180 days after its list was approved, then digest and
verdict only. Digests of accepted captures stay.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from casework import audit, cases, dead_letters, drift, evidence, responses, signals
from casework.models import Case, CaseState, Decision, Finding, InboxItem, Notice, NoticeState

INBOX_KEPT = timedelta(hours=24)
DISMISSED_KEPT = timedelta(days=30)
HANDLED_KEPT = timedelta(days=180)
"""Age of a list's approval after which its confirmed cases keep digest and verdict only."""
ORPHAN_KEPT = timedelta(days=1)
"""Age at which an evidence file that no row knows counts as left behind."""
RESPONSE_KEPT = timedelta(hours=24)
"""Age at which a stored response goes that no case names; its captures were not flagged, or their cases were purged."""
SCORES_KEPT = timedelta(days=90)
"""Age at which a day's counted scores go, unless they are a model's reference."""
CHUNK = 500
"""Cases purged in one transaction."""


@dataclass(frozen=True)
class Purge:
    """What a purge found past its date, what it took away, and what is left (reported, never silently dropped)."""

    dry_run: bool
    found: Mapping[str, int] = field(default_factory=dict)
    purged: Mapping[str, int] = field(default_factory=dict)
    left: Mapping[str, int] = field(default_factory=dict)


def purge(*, dry_run: bool = False, now: datetime | None = None) -> Purge:
    """Take away what is past its date; the audit log gets the figures, and a count proves that nothing is left.

    Captures that wait too long are reported, not deleted: nobody has assessed them yet.

    Args:
        dry_run: count only, change nothing.
        now: the moment that dates are measured against.
    """
    moment = now or timezone.now()
    found = overdue(moment)
    if dry_run:
        return Purge(True, found, {}, found)
    purged = {
        "out_of_scope": cases.purge_due(moment),
        "dismissed": _purge_cases(lambda: _dismissed(moment), "dismissed"),
        "handled": _purge_cases(lambda: _handled(moment), "handled"),
        "orphaned_files": _delete(evidence.orphans(moment - ORPHAN_KEPT)),
        "stored_responses": _delete(responses.unneeded(moment - RESPONSE_KEPT)),
        **dead_letters.purge(moment),
    }
    drift.forget((moment - SCORES_KEPT).date())
    left = overdue(moment)
    if any(purged.values()) or any(left.values()):
        audit.record("retention.purge", audit.SYSTEM, "retention", found=found, purged=purged, left=left)
    return Purge(False, found, purged, left)


def overdue(now: datetime | None = None) -> dict[str, int]:
    """Count, rule by rule, what is past its date."""
    moment = now or timezone.now()
    out_of_scope = Case.objects.filter(state=CaseState.OUT_OF_SCOPE, purged_at__isnull=True, purge_after__lte=moment)
    return {
        "inbox": InboxItem.objects.filter(batch__created_at__lte=moment - INBOX_KEPT).count(),
        "out_of_scope": out_of_scope.count(),
        "dismissed": _dismissed(moment).count(),
        "handled": _handled(moment).count(),
        "orphaned_files": sum(1 for _ in evidence.orphans(moment - ORPHAN_KEPT)),
        "stored_responses": sum(1 for _ in responses.unneeded(moment - RESPONSE_KEPT)),
        **dead_letters.overdue(moment),
    }


def _dismissed(now: datetime) -> QuerySet[Case]:
    """Cases whose dismissal stands for longer than it may keep text."""
    recent = Decision.objects.filter(
        case=OuterRef("pk"), finding=Finding.DISMISSED, undone_at__isnull=True, decided_at__gt=now - DISMISSED_KEPT
    )
    return Case.objects.filter(state=CaseState.DISMISSED, purged_at__isnull=True).exclude(Exists(recent))


def _handled(now: datetime) -> QuerySet[Case]:
    """Confirmed cases that stand on a list which was approved longer ago than they may keep text."""
    lists = Notice.objects.filter(state=NoticeState.APPROVED, approved_at__lte=now - HANDLED_KEPT)
    approved = Q(notice_line__notice__in=lists)
    return Case.objects.filter(approved, state=CaseState.CONFIRMED, purged_at__isnull=True, restricted=False)


def _purge_cases(due: Callable[[], QuerySet[Case]], rule: str) -> int:
    purged = 0
    while True:
        with transaction.atomic():
            locked = Case.objects.select_for_update().filter(pk__in=due().order_by("id")[:CHUNK].values("pk"))
            gone = list(locked.order_by("id"))
            if not gone:
                return purged
            for case in gone:
                evidence.destroy(case)
            ids = [case.pk for case in gone]
            cases.strip_text(Case.objects.filter(pk__in=ids))
            audit.record("case.purge", audit.SYSTEM, f"rule:{rule}", cases=ids)
            signals.announce_cases(ids)
        purged += len(ids)


def _delete(files: Iterable[str]) -> int:
    names = list(files)
    for name in names:
        default_storage.delete(name)
    return len(names)
