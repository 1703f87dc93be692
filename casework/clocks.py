"""Clocks: by when somebody here should act on a case, what is about to be late, and what is late.

Each state that waits for us has a clock of its own, so that nobody's time runs while a case waits for somebody else:
the first look runs from intake until the first finding, the second person's from the first confirmation, that of lead
or duty staff from the escalation. A decided case waits for the platform, and no clock of ours runs. A children's
section halves every time, as it halves the platform's. All times are our own suggestions (建议).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet
from django.utils import timezone

from casework import deadlines, exposure
from casework.deadlines import Deadline
from casework.models import UNDECIDED, Case, CaseState, User
from config.service_levels import Duration, load_service_levels

WARNED = 0.25
"""Share of the time that is left when a warning begins."""
KID_ZONE = 0.5
"""What a children's section leaves of every time."""


@dataclass(frozen=True)
class Due:
    """One case with its clock: when it is due, when the warning begins, and how it stands now."""

    case: Case
    at: datetime
    warned_from: datetime
    late: bool
    soon: bool


@dataclass(frozen=True)
class Counts:
    """How many cases are late, and how many soon will be."""

    late: int
    soon: int


def due(case: Case, since: datetime) -> Deadline | None:
    """Return by when somebody should act on a case that is in its state since then; None when nobody here has to."""
    duration = _duration(case)
    return deadlines.after(since, duration, share=_share(case)) if duration else None


def start(case: Case, since: datetime | None = None) -> None:
    """Start the clock of the state in which the case is, or stop it. Saves nothing.

    Args:
        case: the case; a copy has no clock, its case has.
        since: when it came into this state; None: now.
    """
    deadline = None if case.copy_of_id is not None else due(case, since or timezone.now())
    case.due_at = deadline.at if deadline else None


def restart(case: Case) -> None:
    """Set the clock as it was before a finding that has been taken back. Saves nothing."""
    standing = case.decisions.filter(undone_at__isnull=True).order_by("-id").first() if case.pk else None
    start(case, standing.decided_at if standing else case.created_at)


def waiting(user: User, limit: int = 100) -> list[Due]:
    """Return the undecided cases that this person may meet, those that are due first at the top."""
    cases = _running(exposure.visible_cases(user)).order_by("due_at", "severity", "id")[:limit]
    now = timezone.now()
    return [_due(case, now) for case in cases]


def counts(user: User) -> Counts:
    """Return how many undecided cases that this person may meet are late, and of how many the warning has begun."""
    now = timezone.now()
    undecided = _running(exposure.visible_cases(user))
    late = undecided.filter(due_at__lte=now).count()
    soon = sum(
        undecided.filter(due_at__gt=now, severity=severity, state=state, kid_zone=kid_zone)
        .filter(due_at__lte=deadlines.after(now, duration, share=WARNED * share).at)
        .count()
        for severity, state, kid_zone, duration, share in _kinds()
    )
    return Counts(late, soon)


def start_missing(limit: int = 1000) -> int:
    """Start the clocks of undecided cases that have none yet (from before there were clocks); returns how many."""
    cases = Case.objects.filter(copy_of=None, state__in=UNDECIDED, due_at__isnull=True).order_by("id")[:limit]
    found = list(cases)
    for case in found:
        restart(case)
    Case.objects.bulk_update(found, ["due_at"], batch_size=200)
    return len(found)


def _running(cases: QuerySet[Case]) -> QuerySet[Case]:
    return cases.filter(due_at__isnull=False, state__in=UNDECIDED, copy_of=None)


def _due(case: Case, now: datetime) -> Due:
    assert case.due_at is not None
    duration = _duration(case)
    assert duration is not None
    left = deadlines.after(now, duration, share=WARNED * _share(case)).at
    warned_from = case.due_at - (left - now)
    return Due(case, case.due_at, warned_from, late=case.due_at <= now, soon=warned_from <= now < case.due_at)


def _duration(case: Case) -> Duration | None:
    level = load_service_levels()[case.severity]
    match case.state:
        case CaseState.OPEN:
            return level.first_look
        case CaseState.SECOND | CaseState.ESCALATED:
            return level.second_confirmation
        case _:
            return None


def _share(case: Case) -> float:
    return KID_ZONE if case.kid_zone else 1.0


def _kinds() -> Sequence[tuple[str, str, bool, Duration, float]]:
    return [
        (severity, state, kid_zone, level.first_look if state == CaseState.OPEN else level.second_confirmation, share)
        for severity, level in load_service_levels().items()
        for state in UNDECIDED
        for kid_zone, share in ((False, 1.0), (True, KID_ZONE))
    ]
