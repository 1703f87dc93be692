"""Clocks: each state that waits for us has its own; nobody's runs while somebody else is waited for."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from casework import clocks, clusters, decisions, intake, policies
from casework.models import Case, CaseState, Role
from config.work import Condition, Work
from tests.casework.factories import make_assessment, make_capture, make_case, make_restricted_case, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.modes]


def hours(case: Case, since: datetime | None = None) -> float | None:
    """Hours from now to when a case is due."""
    case.refresh_from_db()
    left = None if case.due_at is None else case.due_at - (since or timezone.now())
    return None if left is None else round(left.total_seconds() / 3600, 1)


@pytest.mark.parametrize(
    ("severity", "kid_zone", "first", "second"),
    [("S0", False, 1, 1), ("S1", False, 4, 8), ("S1", True, 2, 4), ("S2", False, 24, 48), ("S3", True, 36, 60)],
)
def test_the_time_follows_severity_zone_and_who_is_waited_for(
    severity: str, kid_zone: bool, first: float, second: float
) -> None:
    now = timezone.now()
    for state, expected in ((CaseState.OPEN, first), (CaseState.SECOND, second), (CaseState.ESCALATED, second)):
        due = clocks.due(Case(severity=severity, kid_zone=kid_zone, state=state), now)
        assert due is not None
        assert due.at == now + timedelta(hours=expected)
    for state in (CaseState.CONFIRMED, CaseState.DISMISSED, CaseState.POLICE, CaseState.OUT_OF_SCOPE):
        assert clocks.due(Case(severity=severity, state=state), now) is None


def test_a_case_is_due_from_intake_on_and_a_copy_never() -> None:
    captures = [make_capture("加微信领游戏点券，先到先得，每天只有十个名额") for _ in range(2)]
    batch = intake.receive(captures).batch_ids[0]
    intake.complete(batch, [(one, make_assessment({"bullying": 0.99})) for one in captures])
    case, copy = Case.objects.get(copy_of=None), Case.objects.exclude(copy_of=None).get()
    assert (hours(case), copy.due_at) == (4.0, None)
    split = clusters.split(copy.pk, make_user())
    assert hours(split) == 4.0
    clusters.rejoin(copy.pk, make_user())
    assert hours(copy) is None


def test_the_clock_stops_with_the_finding_and_the_next_persons_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policies, "work", lambda: Work(second_confirmation=(Condition(),)))
    case, first, second = make_case(severity="S1"), make_user(), make_user()
    decisions.decide(case.pk, first, "confirmed", expected_version=1, category="bullying")
    assert hours(case) == 8.0
    decisions.undo(case.pk, first)
    assert hours(case) == 4.0
    decisions.decide(case.pk, first, "escalated", expected_version=3)
    assert hours(case) == 8.0
    decisions.decide(case.pk, make_user(Role.LEAD), "dismissed", expected_version=4)
    assert hours(case) is None
    decisions.decide(case.pk, second, "reopened", expected_version=5, reason="再看")
    assert hours(case) == 4.0


def test_what_is_late_comes_first_then_what_soon_will_be() -> None:
    now = timezone.now()
    fine, soon, late = (make_case(severity="S1", due_at=now + timedelta(hours=left)) for left in (3.5, 0.9, -0.1))
    make_case(state=CaseState.CONFIRMED, due_at=None)
    hidden = make_restricted_case(due_at=now)
    waiting = clocks.waiting(make_user())
    assert [(one.case, one.late, one.soon) for one in waiting] == [
        (late, True, False), (soon, False, True), (fine, False, False),
    ]  # fmt: skip
    assert clocks.counts(make_user()) == clocks.Counts(late=1, soon=1)
    assert clocks.counts(make_user(Role.DUTY)) == clocks.Counts(late=2, soon=1)
    assert hidden in [one.case for one in clocks.waiting(make_user(Role.DUTY))]


def test_cases_from_before_there_were_clocks_get_theirs() -> None:
    case, done = make_case(severity="S1"), make_case(state=CaseState.CONFIRMED)
    assert clocks.start_missing() == 1
    assert hours(case) == 4.0
    assert hours(done) is None
    assert clocks.start_missing() == 0
