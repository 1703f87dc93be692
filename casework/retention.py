"""Retention: what has to go, and the proof that it went.

Rules (PIPL Arts 6 and 19; 网络数据安全管理条例 Arts 12 and 24; our own dates): captures wait in the inbox 24 h at most;
one that could not be assessed keeps its text for as long, counted from its arrival, and its letter for 30 days; a
dismissed case keeps its text for 30 days, a confirmed one until 180 days after its list was approved, or after the
decision where it is on no list, one that went to the police until 180 days after that; then digest and verdict only. A
restricted case, which never held a text, keeps its address and digest for three years. Digests of captures stay.
What a person has still to finish is reported and not taken: whoever has it before them would lose it unseen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from casework import audit, cases, dead_letters, drift, evidence, hits, responses, signals
from casework.models import UNDECIDED, Case, CaseState, Decision, Finding, InboxItem, Notice, NoticeState

INBOX_KEPT = timedelta(hours=24)
DISMISSED_KEPT = timedelta(days=30)
HANDLED_KEPT = timedelta(days=180)
"""Age of a list's approval after which its confirmed cases keep digest and verdict only; of the decision, for one that
stands on no list or went to the police."""
RESTRICTED_KEPT = timedelta(days=3 * 365 + 1)
"""Age at which a restricted case loses its address and digest."""
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
        "unlisted": _purge_cases(lambda: _unlisted(moment), "unlisted"),
        "police": _purge_cases(lambda: _police(moment), "police"),
        "restricted": _purge_cases(lambda: _restricted(moment), "restricted", cases.strip_metadata),
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
        "unlisted": _unlisted(moment).count(),
        "unfinished_lists": _on_unfinished_lists(moment).count(),
        "police": _police(moment).count(),
        "restricted": _restricted(moment).count(),
        "undecided_restricted": _aged_restricted(moment).filter(state__in=UNDECIDED).count(),
        "orphaned_files": sum(1 for _ in evidence.orphans(moment - ORPHAN_KEPT)),
        "stored_responses": sum(1 for _ in responses.unneeded(moment - RESPONSE_KEPT)),
        **dead_letters.overdue(moment),
    }


def _dismissed(now: datetime) -> QuerySet[Case]:
    """Cases whose dismissal stands for longer than it may keep text."""
    return _standing(CaseState.DISMISSED, Finding.DISMISSED, now - DISMISSED_KEPT)


def _standing(state: CaseState, finding: Finding, since: datetime) -> QuerySet[Case]:
    """Cases that hold a text, in this state, which nobody has been led to since."""
    recent = Decision.objects.filter(case=OuterRef("pk"), finding=finding, undone_at__isnull=True, decided_at__gt=since)
    return Case.objects.filter(state=state, purged_at__isnull=True, restricted=False).exclude(Exists(recent))


def _handled(now: datetime) -> QuerySet[Case]:
    """Confirmed cases that stand on a list which was approved longer ago than they may keep text."""
    lists = Notice.objects.filter(state=NoticeState.APPROVED, approved_at__lte=now - HANDLED_KEPT)
    approved = Q(notice_line__notice__in=lists)
    return Case.objects.filter(approved, state=CaseState.CONFIRMED, purged_at__isnull=True, restricted=False)


def _unlisted(now: datetime) -> QuerySet[Case]:
    """Confirmed cases that nobody has put on a list."""
    confirmed = _standing(CaseState.CONFIRMED, Finding.CONFIRMED, now - HANDLED_KEPT)
    return confirmed.filter(notice_line__isnull=True)


def _on_unfinished_lists(now: datetime) -> QuerySet[Case]:
    """Confirmed cases as old that stand on a list which nobody has approved: it needs their text until it is."""
    confirmed = _standing(CaseState.CONFIRMED, Finding.CONFIRMED, now - HANDLED_KEPT)
    return confirmed.filter(notice_line__isnull=False).exclude(notice_line__notice__state=NoticeState.APPROVED)


def _police(now: datetime) -> QuerySet[Case]:
    """Cases that were handed to the police longer ago than they may keep text."""
    return _standing(CaseState.POLICE, Finding.POLICE, now - HANDLED_KEPT)


def _aged_restricted(now: datetime) -> QuerySet[Case]:
    old = Case.objects.filter(category=hits.RESTRICTED, restricted=True, created_at__lte=now - RESTRICTED_KEPT)
    return old.exclude(url="")


def _restricted(now: datetime) -> QuerySet[Case]:
    """Restricted cases past their years; not those that duty staff have still to decide, which would be lost unseen."""
    return _aged_restricted(now).exclude(state__in=UNDECIDED)


def _purge_cases(
    due: Callable[[], QuerySet[Case]],
    rule: str,
    strip: Callable[[QuerySet[Case]], int] = cases.strip_text,
) -> int:
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
            strip(Case.objects.filter(pk__in=ids))
            audit.record("case.purge", audit.SYSTEM, f"rule:{rule}", cases=ids)
            signals.announce_cases(ids)
        purged += len(ids)


def _delete(files: Iterable[str]) -> int:
    names = list(files)
    for name in names:
        default_storage.delete(name)
    return len(names)
