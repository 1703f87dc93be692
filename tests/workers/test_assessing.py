"""A batch that fails is halved until the bad capture stands alone; what is no text's fault is left to the sweep."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from django.db import OperationalError
from structlog.testing import capture_logs

from casework import clusters, intake
from casework.errors import InvalidInput
from casework.models import Batch, Case, DeadLetter, InboxItem
from classifiers.assessment import Assessment
from tests.casework.factories import MODEL, Points, make_assessment, make_capture
from workers import assessing

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.modes]
BAD = "这句话让模型出错"


class Picky(Points):
    """An assessor that flags every text, and fails on one as it quotes it."""

    version = MODEL

    def __init__(self, slug: str = "bullying") -> None:
        self._slug = slug

    def assess(self, texts: Sequence[str]) -> list[Assessment]:
        if BAD in texts:
            raise ValueError(f"cannot read {BAD}")
        return [make_assessment({self._slug: 0.9}) for _ in texts]


def work_off(assessor: Picky) -> int:
    """Run every batch that waits, as often as it is sent again; return how often that was."""
    runs = 0
    while waiting := Batch.objects.filter(failed_at__isnull=True).order_by("id").first():
        assessing.run(waiting.pk, assessor)
        runs += 1
        assert runs < 100
    return runs


def test_one_bad_capture_of_many_ends_alone_and_the_others_become_cases() -> None:
    captures = [make_capture(f"第{n}句") for n in range(40)] + [make_capture(BAD)]
    intake.receive(captures)
    received = Batch.objects.get().created_at

    assert work_off(Picky()) <= 13

    letter = DeadLetter.objects.get()
    assert (letter.capture_id, letter.stage, letter.url) == (captures[-1].id, "assess", captures[-1].url)
    assert letter.error.startswith("ValueError in tests/workers/test_assessing.py:")
    assert letter.received_at == received
    assert (Case.objects.count(), InboxItem.objects.count()) == (40, 0)


def test_the_log_names_the_kind_of_error_and_not_the_text() -> None:
    intake.receive([make_capture(BAD)])
    with capture_logs() as entries:
        work_off(Picky())
    told = str(entries)
    assert "batch_failed" in told
    assert "ValueError" in told
    assert BAD not in told


def test_what_waits_and_can_no_longer_be_read_is_set_aside_alone() -> None:
    captures = [make_capture(f"第{n}句") for n in range(5)]
    intake.receive(captures)
    InboxItem.objects.filter(capture_id=captures[2].id).update(payload={"text": "旧版本写下的"})

    work_off(Picky())

    assert DeadLetter.objects.get().stage == "read"
    assert "旧版本" not in DeadLetter.objects.get().error
    assert Case.objects.count() == 4


def test_what_cannot_be_written_is_set_aside_and_restricted_text_is_not_held(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object) -> None:
        raise ValueError("no")

    monkeypatch.setattr(clusters, "enter", refuse)
    intake.receive([make_capture("一句")])
    work_off(Picky())
    intake.receive([make_capture("另一句")])
    work_off(Picky("sexual_exploitation"))

    ordinary, restricted = DeadLetter.objects.order_by("id")
    assert (ordinary.stage, ordinary.restricted, ordinary.payload["text"]) == ("write", False, "一句")
    assert (restricted.stage, restricted.restricted, restricted.payload) == ("write", True, None)
    assert Case.objects.count() == 0


def test_a_batch_that_ends_its_workers_again_and_again_is_halved_and_then_set_aside() -> None:
    intake.receive([make_capture("甲"), make_capture("乙")])
    Batch.objects.update(attempts=intake.MOST_ATTEMPTS)
    batch_id = Batch.objects.get().pk

    assessing.run(batch_id, Picky())

    assert list(Batch.objects.values_list("attempts", flat=True)) == [intake.MOST_ATTEMPTS - 1] * 2
    for ends in (1, 2):  # the first half ends its worker twice more, the second does not
        intake_attempt(batch_id, ends)
    work_off(Picky())
    assert DeadLetter.objects.get().error.startswith("TriedTooOften")
    assert Case.objects.count() == 1


def intake_attempt(batch_id: int, times: int) -> None:
    Batch.objects.filter(pk=batch_id).update(attempts=intake.MOST_ATTEMPTS - 1 + times)


def test_a_database_that_is_away_is_nobodys_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_arguments: object) -> None:
        raise OperationalError("the connection is lost")

    monkeypatch.setattr(intake, "complete", away)
    (batch_id,) = intake.receive([make_capture()]).batch_ids
    for _ in range(intake.MOST_ATTEMPTS + 2):
        with pytest.raises(OperationalError):
            assessing.run(batch_id, Picky())
    assert Batch.objects.get().attempts == 0
    assert DeadLetter.objects.count() == 0


def test_a_batch_that_somebody_else_halved_meanwhile_is_left_to_its_halves(monkeypatch: pytest.MonkeyPatch) -> None:
    (batch_id,) = intake.receive([make_capture("甲"), make_capture("乙")]).batch_ids
    taken = InboxItem.objects.order_by("id").last()
    assert taken

    def halved(*_arguments: object) -> None:
        InboxItem.objects.filter(pk=taken.pk).update(batch_id=Batch.objects.create().pk)
        raise InvalidInput("assessed", "1 foreign", "the batch's 1")

    with monkeypatch.context() as patched:
        patched.setattr(intake, "complete", halved)
        assessing.run(batch_id, Picky())

    assert DeadLetter.objects.count() == 0
    work_off(Picky())
    assert Case.objects.count() == 2


def test_when_there_is_no_room_for_a_letter_the_batch_is_given_up_and_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from casework import dead_letters

    monkeypatch.setattr(dead_letters, "full", lambda: True)
    intake.receive([make_capture(BAD)])
    work_off(Picky())
    batch = Batch.objects.get()
    assert batch.error.startswith("no room for another dead letter (WOODPECKER_DEAD_LETTERS_MAX=10000): ValueError")
    assert (batch.failed_at is not None, InboxItem.objects.count()) == (True, 1)
