"""A full inbox slows crawls down; none hangs, and the status says so."""

from __future__ import annotations

import threading
import time

import pytest

from casework import intake, status
from casework.models import Batch
from config.settings import get_settings
from tests.casework.factories import make_capture
from workers import backpressure

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.modes]


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> None:
    """An inbox over its limit."""
    tight = get_settings().model_copy(update={"inbox_limit": 1})
    monkeypatch.setattr(backpressure, "get_settings", lambda: tight)
    intake.receive([make_capture(), make_capture()])


def test_there_is_no_wait_while_there_is_room() -> None:
    intake.receive([make_capture()])
    assert backpressure.Brake().wait() == 0.0


def test_a_crawl_waits_until_there_is_room_and_the_status_says_so(full: None) -> None:
    seen: list[int] = []

    def make_room() -> None:
        while not seen or not seen[-1]:
            seen.append(status.snapshot()["backpressure"]["crawls_held"])
            time.sleep(0.01)
        Batch.objects.all().delete()

    other = threading.Thread(target=make_room)
    other.start()
    waited = backpressure.Brake(patience=60, look=0.05).wait()
    other.join()

    assert waited > 0
    assert seen[-1] == 1
    assert status.snapshot()["backpressure"]["crawls_held"] == 0


def test_patience_ends_where_nobody_makes_room(full: None) -> None:
    brake = backpressure.Brake(patience=0.1, look=0.05)
    assert brake.wait() >= 0.1
    assert intake.waiting() == 2


def test_what_was_given_up_does_not_slow_anybody(full: None) -> None:
    for batch_id in Batch.objects.values_list("id", flat=True):
        intake.fail(batch_id, "no room")
    assert backpressure.Brake().wait() == 0.0
