"""The clock of `beat` goes on when the machine's clock was wrong."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import OperationalError
from django.utils import timezone

from casework import status
from tests.workers.conftest import Message
from workers.app import app
from workers.schedule import SCHEDULE
from workers.scheduler import BEAT_SECONDS, Scheduler

pytestmark = pytest.mark.django_db
DUE = "workers.tasks.crawl_due"


@pytest.fixture
def scheduler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scheduler]:
    monkeypatch.setattr("workers.scheduler.close_old_connections", lambda: None)  # the test's own, in a transaction
    monkeypatch.setitem(app.conf, "beat_schedule", SCHEDULE)
    made = Scheduler(app=app, schedule_filename=str(tmp_path / "schedule"))
    yield made
    made.close()


def ran(scheduler: Scheduler, ago: timedelta) -> None:
    """Let everything have run last so long ago, and the schedule look forward from there."""
    for entry in scheduler.schedule.values():
        entry.last_run_at = timezone.now() - ago
    scheduler.populate_heap()


def strike(scheduler: Scheduler) -> float:
    """Let it run whatever is due; return after how many seconds it wants to look again."""
    while not (again := scheduler.tick()):
        pass
    return again


def test_what_ran_a_moment_ago_waits_for_its_period(
    scheduler: Scheduler, messages: Callable[[], list[Message]]
) -> None:
    ran(scheduler, timedelta(seconds=5))
    assert 10 < strike(scheduler) <= 15
    assert messages() == []


def test_what_ran_in_the_future_by_a_clock_that_was_wrong_runs_again_after_its_period(
    scheduler: Scheduler, messages: Callable[[], list[Message]], monkeypatch: pytest.MonkeyPatch
) -> None:
    ran(scheduler, -timedelta(hours=1))
    assert strike(scheduler) <= 20
    assert messages() == []

    later = timezone.now() + timedelta(seconds=21)
    monkeypatch.setattr(app, "now", lambda: later)
    strike(scheduler)
    assert [one.task for one in messages()] == [DUE]


def test_a_clock_that_differs_by_some_seconds_is_not_taken_for_wrong(scheduler: Scheduler) -> None:
    ran(scheduler, -timedelta(seconds=30))
    assert 40 < strike(scheduler) <= 50


def test_the_clock_says_that_it_runs_even_when_nobody_takes_what_it_sends(
    scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr(scheduler, "apply_async", away)
    ran(scheduler, timedelta(hours=1))
    strike(scheduler)
    assert status.alive(status.CLOCK) == 1
    scheduler.close()
    assert status.alive(status.CLOCK) == 0


def test_it_beats_every_few_seconds_and_not_at_every_look(
    scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    beats: list[str] = []
    monkeypatch.setattr(status, "beat", beats.append)
    now = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    scheduler.tick()
    scheduler.tick()
    assert beats == [status.CLOCK]
    now = BEAT_SECONDS
    scheduler.tick()
    assert len(beats) == 2


def test_a_database_that_is_away_does_not_stop_the_clock(scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        raise OperationalError

    monkeypatch.setattr(status, "beat", away)
    ran(scheduler, timedelta(seconds=5))
    assert strike(scheduler) > 0
