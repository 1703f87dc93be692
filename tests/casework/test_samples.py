"""What is kept of captures that were drawn with a known probability: numbers by thread, in the same transaction."""

from __future__ import annotations

import pytest
from django.db import DatabaseError

from casework import counts, intake
from casework.models import SampleCount
from classifiers.assessment import Assessment
from crawlers.capture import Capture
from tests.casework.factories import make_assessment, make_capture

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.modes]

HIT = make_assessment({"bullying": 0.9, "gambling": 0.9})
MISS = make_assessment()


def assess(*assessed: tuple[Capture, Assessment]) -> None:
    receipt = intake.receive([capture for capture, _ in assessed])
    for batch_id in receipt.batch_ids:
        intake.complete(batch_id, assessed)


def drawn(**values: object) -> Capture:
    return make_capture(**{"method": "reservoir", "inclusion_probability": 0.25, "frame": 40, "thread": "t1"} | values)


def row(category: str = "") -> tuple[int, float, float, int | None]:
    one = SampleCount.objects.get(category=category)
    return one.units, one.weight, one.drawn, one.frame


def test_a_thread_counts_all_its_units_and_its_hits_by_category() -> None:
    assess((drawn(), MISS), (drawn(), HIT), (drawn(inclusion_probability=0.125), HIT))
    assert row() == (3, 16.0, 4.0, 40)
    assert row("any") == row("bullying") == row("gambling") == (2, 12.0, 4.0, 40)
    assert SampleCount.objects.count() == 4


def test_later_batches_add_to_it() -> None:
    assess((drawn(inclusion_probability=0.125, frame=None), MISS))
    assess((drawn(), MISS))
    assert row() == (2, 12.0, 4.0, 40)


def test_what_has_no_probability_is_not_in_the_sample() -> None:
    assess((make_capture(), HIT))
    assert not SampleCount.objects.exists()


def test_threads_strata_sections_and_days_are_kept_apart() -> None:
    other_day = "2026-11-21T02:00:00+08:00"
    assess(
        *((one, MISS) for one in (
            drawn(), drawn(thread="t2"), drawn(stratum="1d-to20"), drawn(section="other"), drawn(captured_at=other_day)
        ))
    )  # fmt: skip
    assert SampleCount.objects.count() == 5
    assert {str(one.day) for one in SampleCount.objects.all()} == {"2026-11-20", "2026-11-21"}


def test_without_a_thread_the_address_stands_for_it_and_no_key_is_kept_readable() -> None:
    assess(*((drawn(thread=None, canonical_url=f"https://forum.example/{n % 2}"), MISS) for n in range(4)))
    assert [one.units for one in SampleCount.objects.all()] == [2, 2]
    assert not any("forum" in one.thread for one in SampleCount.objects.all())


def test_a_batch_that_fails_counts_nothing_and_done_twice_it_counts_once(monkeypatch: pytest.MonkeyPatch) -> None:
    capture = drawn()
    batch_id = intake.receive([capture]).batch_ids[0]

    def fail(*_: object) -> None:
        raise DatabaseError("away")

    with monkeypatch.context() as broken:
        broken.setattr(counts, "add", fail)
        with pytest.raises(DatabaseError):
            intake.complete(batch_id, [(capture, HIT)])
    assert not SampleCount.objects.exists()

    for _ in range(2):
        intake.complete(batch_id, [(capture, HIT)])
    assert row() == (1, 4.0, 4.0, 40)
