"""What was set aside is looked at, tried again or dropped; retention holds for it too."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from casework import dead_letters, intake, retention, status
from casework.errors import NotFound
from casework.models import AuditEntry, Batch, DeadLetter, InboxItem, Stage
from crawlers.capture import Capture
from tests.casework.factories import make_capture

pytestmark = [pytest.mark.django_db, pytest.mark.modes]


def buried(text: str = "一句", *, restricted: bool = False) -> tuple[DeadLetter, Capture]:
    capture = make_capture(text)
    (batch_id,) = intake.receive([capture]).batch_ids
    assert dead_letters.isolate(batch_id, Stage.ASSESS, ValueError(text), restricted=restricted) == "buried"
    return DeadLetter.objects.get(capture_id=capture.id), capture


def test_a_batch_of_many_is_halved_and_both_halves_keep_their_age() -> None:
    (batch_id,) = intake.receive([make_capture() for _ in range(5)]).batch_ids
    before = Batch.objects.get().created_at
    assert dead_letters.isolate(batch_id, Stage.ASSESS, ValueError()) == "halved"
    assert [batch.items.count() for batch in Batch.objects.order_by("id")] == [2, 3]
    assert set(Batch.objects.values_list("created_at", flat=True)) == {before}


def test_what_was_done_meanwhile_is_left_alone() -> None:
    assert dead_letters.isolate(4711, Stage.ASSESS, ValueError()) == "gone"
    (batch_id,) = intake.receive([make_capture()]).batch_ids
    assert dead_letters.isolate(batch_id, Stage.WRITE, ValueError(), failed=["somebody else"]) == "gone"
    assert DeadLetter.objects.count() == 0


def test_an_error_is_kept_by_its_kind_and_place_alone() -> None:
    letter, _ = buried("不许留下")
    assert letter.error == "ValueError"
    try:
        make_capture(site="Not A Slug")
    except ValueError as error:
        told = dead_letters.named(error)
    assert told.startswith("ValidationError in tests/casework/factories.py:")


def test_a_letter_that_is_tried_again_waits_in_the_inbox_as_it_came_and_keeps_its_age() -> None:
    letter, capture = buried()
    assert dead_letters.retry([letter.pk]) == [letter.pk]
    batch = Batch.objects.get()
    assert batch.created_at == letter.received_at
    assert intake.load_batch(batch.pk) == [capture]
    assert DeadLetter.objects.count() == 0
    assert AuditEntry.objects.get().action == "dead.retry"
    assert dead_letters.retry([letter.pk]) == []


def test_a_dropped_capture_is_not_taken_again_unless_that_was_asked_for() -> None:
    first, capture = buried("甲")
    second, other = buried("乙")
    assert dead_letters.drop([first.pk]) == [first.pk]
    assert dead_letters.drop([second.pk], again=True) == [second.pk]
    assert intake.receive([capture, other]).accepted == 1
    assert InboxItem.objects.get().capture_id == other.id
    assert AuditEntry.objects.filter(action="dead.drop").count() == 2


def test_a_restricted_letter_never_held_a_text_and_the_database_sees_to_it() -> None:
    letter, _ = buried(restricted=True)
    assert letter.payload is None
    assert dead_letters.retry([letter.pk]) == []
    with pytest.raises(IntegrityError), transaction.atomic():
        DeadLetter.objects.update(payload={"text": "x"})


def test_the_text_goes_a_day_after_it_came_in_and_the_letter_a_month_after_it_failed() -> None:
    letter, capture = buried()
    assert retention.purge(now=timezone.now() + timedelta(hours=23)).purged["dead_texts"] == 0
    purge = retention.purge(now=timezone.now() + timedelta(hours=25))
    assert (purge.purged["dead_texts"], purge.left["dead_texts"]) == (1, 0)
    assert DeadLetter.objects.get().payload is None
    assert dead_letters.retry([letter.pk]) == []
    assert retention.purge(now=timezone.now() + timedelta(days=31)).purged["dead_letters"] == 1
    assert DeadLetter.objects.count() == 0
    assert intake.receive([capture]).accepted == 1


def test_the_status_counts_letters_and_given_up_batches_apart() -> None:
    buried()
    intake.fail(intake.receive([make_capture(), make_capture()]).batch_ids[0], "no room")
    now = status.snapshot()
    assert (now["failed"], now["failures"]) == (3, {"dead_letters": 1, "given_up": 2})


def test_a_letter_that_is_not_there_is_named() -> None:
    with pytest.raises(NotFound, match="4711"):
        dead_letters.get(4711)
