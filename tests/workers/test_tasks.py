"""Tasks carry ids, come after the commit, and may be repeated."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from django.db import transaction
from kombu.exceptions import OperationalError

from casework import decisions, intake, signals
from casework.models import Batch, Case, InboxItem
from casework.search import outbox
from classifiers.assessment import Assessment
from config.celery import Queue
from tests.casework.factories import Points, make_assessment, make_capture, make_case, make_user
from tests.workers.conftest import Message
from workers import tasks

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.modes]
TEXT = "这句话只许待在收件箱里"


class Stand(Points):
    """An assessor that flags every text."""

    def assess(self, texts: Sequence[str]) -> list[Assessment]:
        return [make_assessment({"bullying": 0.9}) for _ in texts]


@pytest.fixture(autouse=True)
def assessor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "assessor", Stand)


def test_a_batch_is_announced_by_its_id_alone(messages: Callable[[], list[Message]]) -> None:
    (batch_id,) = intake.receive([make_capture(TEXT)]).batch_ids

    (sent,) = messages()
    assert (sent.task, sent.arguments) == ("workers.tasks.assess", [batch_id])
    assert TEXT not in sent.raw
    assert TEXT.encode("unicode_escape").decode() not in sent.raw
    assert Batch.objects.get().sent_at is not None


def test_nothing_is_sent_before_the_commit_nor_after_a_rollback(messages: Callable[[], list[Message]]) -> None:
    with transaction.atomic():
        signals.announce_batch(1)
        transaction.set_rollback(True)
    assert messages() == []
    with transaction.atomic():
        signals.announce_batch(2)
        assert messages() == []
    assert [one.arguments for one in messages()] == [[2]]


def test_an_assessed_batch_becomes_cases_and_their_ids_are_sent(
    messages: Callable[[], list[Message]], index_away: None
) -> None:
    (batch_id,) = intake.receive([make_capture(TEXT), make_capture("另一句")]).batch_ids

    tasks.assess(batch_id)

    ids = sorted(Case.objects.values_list("id", flat=True))
    assert len(ids) == 2
    assert InboxItem.objects.count() == 0
    assert (messages()[-1].task, messages()[-1].arguments) == ("workers.tasks.index", [ids])


def test_a_batch_that_comes_twice_is_assessed_once(messages: Callable[[], list[Message]]) -> None:
    (batch_id,) = intake.receive([make_capture()]).batch_ids
    tasks.assess(batch_id)
    before = len(messages())

    tasks.assess(batch_id)

    assert Case.objects.count() == 1
    assert len(messages()) == before


def test_indexing_while_the_index_is_away_harms_nothing(index_away: None) -> None:
    case = make_case()
    outbox.put([case.pk])

    tasks.index([case.pk])

    assert outbox.count() == 1


def test_without_an_index_nobody_is_asked_to_write_to_it(messages: Callable[[], list[Message]]) -> None:
    (batch_id,) = intake.receive([make_capture()]).batch_ids

    tasks.assess(batch_id)

    assert Case.objects.count() == 1
    assert [one.task for one in messages()] == ["workers.tasks.assess"]
    assert outbox.count() == 0


def test_whoever_decides_and_takes_back_leaves_the_index_to_a_worker(
    messages: Callable[[], list[Message]], index_away: None
) -> None:
    case, reviewer = make_case(), make_user()

    decisions.decide(case.pk, reviewer, "dismissed", expected_version=1)
    decisions.undo(case.pk, reviewer)

    assert [(one.task, one.arguments) for one in messages()] == 2 * [("workers.tasks.index", [[case.pk]])]
    assert outbox.count() == 1


def test_many_changed_cases_are_sent_in_parts(messages: Callable[[], list[Message]], index_away: None) -> None:
    with transaction.atomic():
        signals.announce_cases(range(2 * tasks.INDEX_CHUNK + 1))
    assert [len(one.arguments[0]) for one in messages()] == [tasks.INDEX_CHUNK, tasks.INDEX_CHUNK, 1]


def test_a_broker_that_is_away_leaves_the_batch_to_the_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_arguments: object, **_options: object) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(tasks.assess, "apply_async", away)
    receipt = intake.receive([make_capture()])

    assert receipt.accepted == 1
    assert Batch.objects.get().sent_at is None
    assert intake.unfinished(0) == list(receipt.batch_ids)


def test_an_urgent_batch_goes_into_the_queue_that_is_emptied_first(messages: Callable[[], list[Message]]) -> None:
    intake.receive([make_capture(), make_capture(TEXT)], urgent=lambda texts: [text == TEXT for text in texts])

    first, second = (one.raw for one in messages())
    assert '"routing_key": "woodpecker.0-urgent"' in first
    assert '"routing_key": "woodpecker.2-assess"' in second
    assert min(Queue) == Queue.URGENT


def test_crawls_have_a_queue_of_their_own(messages: Callable[[], list[Message]]) -> None:
    assert tasks.send(tasks.crawl, "demo")
    assert '"routing_key": "woodpecker-crawl"' in messages()[0].raw
