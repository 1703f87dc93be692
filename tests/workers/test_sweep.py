"""The sweep finishes what was left undone, once, whoever asks."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest
from django.utils import timezone

from casework import intake
from casework.models import Batch, Case, CaseState, Heartbeat
from casework.search import outbox
from config.settings import get_settings
from tests.casework.factories import make_capture, make_case
from tests.casework.threads import at_once
from tests.workers.conftest import Message, lose_messages
from workers import sweep, tasks

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.modes]
LONG_AGO = timedelta(hours=1)


def test_a_batch_whose_task_was_lost_is_sent_again_and_a_fresh_one_is_not(
    messages: Callable[[], list[Message]],
) -> None:
    lost, fresh = (intake.receive([make_capture()]).batch_ids[0] for _ in range(2))
    Batch.objects.filter(pk=lost).update(sent_at=timezone.now() - LONG_AGO)
    lose_messages()

    assert sweep.run().batches == 1
    assert sweep.run().batches == 0

    assert [one.arguments for one in messages()] == [[lost]]
    assert Batch.objects.get(pk=fresh).attempts == 0


def test_batches_that_merely_stand_in_a_long_queue_are_not_sent_again(messages: Callable[[], list[Message]]) -> None:
    for _ in range(5):
        intake.receive([make_capture()])
    Batch.objects.update(sent_at=timezone.now() - LONG_AGO)

    assert sweep.run().batches == 0
    lose_messages()
    assert sweep.run().batches == 5

    Batch.objects.update(sent_at=timezone.now() - LONG_AGO)
    for path in sorted(get_settings().path("broker", "messages").glob("*.msg"))[:2]:
        path.unlink()
    assert sweep.run().batches == 2
    assert len(messages()) == 5


def test_urgent_batches_are_sent_again_first_and_as_urgent(messages: Callable[[], list[Message]]) -> None:
    (ordinary,) = intake.receive([make_capture()]).batch_ids
    (urgent,) = intake.receive([make_capture()], urgent=lambda texts: [True] * len(texts)).batch_ids
    Batch.objects.update(sent_at=timezone.now() - LONG_AGO)
    lose_messages()

    assert sweep.run().batches == 2

    assert [one.arguments for one in messages()] == [[urgent], [ordinary]]
    assert "woodpecker.0-urgent" in messages()[0].raw


def test_a_batch_that_was_given_up_waits_until_somebody_releases_it(messages: Callable[[], list[Message]]) -> None:
    (batch_id,) = intake.receive([make_capture()]).batch_ids
    intake.fail(batch_id, "assessment failed: ValueError")
    lose_messages()

    assert sweep.run(unfinished_seconds=0).batches == 0
    assert sweep.release_failed() == 1
    assert sweep.release_failed() == 0

    assert [one.arguments for one in messages()] == [[batch_id]]


def test_cases_that_are_behind_for_a_while_are_indexed_each_once(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[int] = []

    class Telling:
        is_index = True

        def sync(self, case_ids: Sequence[int]) -> None:
            told.extend(case_ids)  # and takes none away, as when somebody else is just changing each of them

    monkeypatch.setattr(sweep, "get_search", Telling)
    monkeypatch.setattr(tasks, "INDEX_CHUNK", 2)
    settled, of_the_future = [make_case() for _ in range(4)], make_case()
    Case.objects.filter(pk__in=[one.pk for one in settled]).update(updated_at=timezone.now() - LONG_AGO)
    Case.objects.filter(pk=of_the_future.pk).update(updated_at=timezone.now() + LONG_AGO)
    outbox.put([*(one.pk for one in settled), of_the_future.pk, make_case().pk])

    assert sweep.run().indexed == 5

    assert told == [*(one.pk for one in settled), of_the_future.pk]


def test_an_index_that_is_away_is_named_and_the_rest_is_done(index_away: None) -> None:
    case = make_case(state=CaseState.OUT_OF_SCOPE, purge_after=timezone.now() - LONG_AGO)
    waiting = make_case()
    Case.objects.filter(pk=waiting.pk).update(updated_at=timezone.now() - LONG_AGO)
    outbox.put([waiting.pk])

    swept = sweep.run()

    assert re.fullmatch(r"http://127\.0\.0\.1:\d+ does not answer \(.*\)", swept.search_error)
    assert swept.purged == 1
    assert Case.objects.get(pk=case.pk).text == ""


def test_of_several_processes_one_sweeps(messages: Callable[[], list[Message]]) -> None:
    every = timedelta(seconds=60)
    swept = at_once(4, lambda _number: sweep.run_if_due(every))
    assert sum(one is not None for one in swept) == 1
    assert sweep.run_if_due(every) is None
    Heartbeat.objects.filter(name="sweep").update(at=timezone.now() - every)
    assert sweep.run_if_due(every) is not None


def test_a_clock_that_went_an_hour_ahead_and_back_holds_nothing_up(messages: Callable[[], list[Message]]) -> None:
    wrong = timezone.now() + LONG_AGO
    (batch_id,) = intake.receive([make_capture()]).batch_ids
    Batch.objects.update(sent_at=wrong)
    Heartbeat.objects.create(name="sweep", kind="sweep", at=wrong)
    lose_messages()

    swept = sweep.run_if_due(timedelta(seconds=60))

    assert swept is not None
    assert swept.batches == 1
    assert [one.arguments for one in messages()] == [[batch_id]]
