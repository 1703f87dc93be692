"""A new model goes through what is open a few cases at a time, behind everything else; a bad text stops nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest
from django.utils import timezone

from casework import intake, reassessments
from casework.models import Batch, Case, Reassessment
from classifiers.assessment import Assessment
from config.celery import Queue
from config.settings import get_settings
from tests.casework.factories import MODEL, Points, make_assessment, make_capture, make_case
from tests.workers.conftest import Message, lose_messages
from workers import reassessing, sweep, tasks

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.modes]
NEW = "stand-in-2"
BAD = "这一句读不了"


class Second(Points):
    """A second version of the assessor; one text it cannot read."""

    version = NEW

    def assess(self, texts: Sequence[str]) -> list[Assessment]:
        if BAD in texts:
            raise ValueError(BAD)
        return [make_assessment({"bullying": 0.9}).model_copy(update={"model": NEW}) for _ in texts]


@pytest.fixture(autouse=True)
def assessor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "assessor", Second)
    monkeypatch.setattr(reassessing, "BATCH", 2)


def work_off(messages: Callable[[], list[Message]]) -> int:
    """Do what a worker would with the messages of reassessing; returns how many there were."""
    done = 0
    while waiting := [one for one in messages() if one.task == "workers.tasks.reassess"]:
        lose_messages()
        for one in waiting:
            tasks.reassess(*one.arguments)
            done += 1
    return done


def test_a_worker_that_starts_with_another_model_assesses_again_what_is_open(
    messages: Callable[[], list[Message]],
) -> None:
    for _ in range(5):
        make_case()
    tasks.begin_reassessment()

    (sent,) = messages()
    assert (sent.task, sent.arguments) == ("workers.tasks.reassess", [Reassessment.objects.get().pk])
    assert f'"routing_key": "{Queue.LATER}"' in sent.raw
    assert max(Queue) == Queue.LATER
    assert work_off(messages) == 4
    assert set(Case.objects.values_list("model_version", flat=True)) == {NEW}
    assert Reassessment.objects.get().assessed == 5
    tasks.begin_reassessment()
    assert work_off(messages) == 1
    assert Reassessment.objects.get().assessed == 5


def test_changed_cases_are_sent_to_the_search(messages: Callable[[], list[Message]], index_away: None) -> None:
    case = make_case()
    tasks.begin_reassessment()
    lose_messages()
    tasks.reassess(Reassessment.objects.get().pk)
    assert [one.arguments for one in messages() if one.task == "workers.tasks.index"] == [[[case.pk]]]


def test_it_does_nothing_where_the_settings_say_so(
    messages: Callable[[], list[Message]], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_case()
    reassessments.begin("stand-in-0", "worker")
    own = get_settings().model_copy(update={"reassess": False})
    monkeypatch.setattr(reassessing, "get_settings", lambda: own)
    tasks.begin_reassessment()
    assert (messages(), reassessments.in_force()) == ([], None)


def test_a_worker_with_another_model_leaves_it_alone(messages: Callable[[], list[Message]]) -> None:
    make_case()
    run = reassessments.begin("stand-in-3", "command")
    tasks.reassess(run.pk)
    assert messages() == []
    assert Case.objects.get().model_version == MODEL


def test_a_text_that_cannot_be_assessed_is_set_aside_and_the_others_go_on(
    messages: Callable[[], list[Message]],
) -> None:
    bad = make_case(BAD)
    for _ in range(3):
        make_case()
    tasks.begin_reassessment()
    work_off(messages)
    assert list(Case.objects.filter(model_version=MODEL)) == [bad]
    assert Reassessment.objects.get().failed == [bad.pk]


def test_workers_that_found_nothing_to_do_put_no_case_under_suspicion(
    messages: Callable[[], list[Message]],
) -> None:
    for _ in range(reassessments.NONE_AFTER + 1):
        tasks.begin_reassessment()
        work_off(messages)
    make_case()  # as one that is split off later
    tasks.begin_reassessment()
    work_off(messages)
    assert Case.objects.get().model_version == NEW
    assert Reassessment.objects.get().failed == []


def test_the_sweep_goes_on_with_what_a_killed_worker_left_once_and_not_while_the_inbox_is_behind(
    messages: Callable[[], list[Message]],
) -> None:
    make_case()
    assert not sweep.run().reassessed_on
    run = reassessments.begin(NEW, "worker")
    assert sweep.run().reassessed_on
    assert not sweep.run().reassessed_on  # its message waits already
    lose_messages()
    assert reassessments.take_turn(run.pk) is not None  # and is killed
    assert not sweep.run().reassessed_on
    Reassessment.objects.update(busy_until=timezone.now() - timedelta(seconds=1))
    intake.receive([make_capture()])
    Batch.objects.update(created_at=timezone.now() - timedelta(minutes=1))
    assert not sweep.run().reassessed_on
    Batch.objects.all().delete()
    assert sweep.run().reassessed_on
    assert work_off(messages) == 2
    assert not sweep.run().reassessed_on
