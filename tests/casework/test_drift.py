"""Scores are counted in bands, and a model whose scores have moved is noticed."""

from datetime import timedelta

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from casework import drift, intake
from casework.models import ScoreCount
from tests.casework.factories import MODEL, make_assessment, make_capture

pytestmark = [pytest.mark.django_db, pytest.mark.modes]
BANDS = st.lists(st.integers(0, 10_000), min_size=drift.BANDS, max_size=drift.BANDS)


def counted(days_ago: int, bands: dict[int, int], model: str = MODEL, category: str = "bullying") -> None:
    day = timezone.localdate() - timedelta(days=days_ago)
    for band, n in bands.items():
        ScoreCount.objects.create(day=day, model_version=model, category=category, band=band, n=n)


def test_every_assessed_text_is_counted_once_in_each_category_whether_flagged_or_not() -> None:
    captures = [make_capture() for _ in range(3)]
    (batch_id,) = intake.receive(captures).batch_ids
    scores = ({"bullying": 0.95}, {"bullying": 0.3}, {})
    assessed = [(one, make_assessment(score)) for one, score in zip(captures, scores, strict=True)]
    intake.complete(batch_id, assessed)
    intake.complete(batch_id, assessed)
    bullying = ScoreCount.objects.filter(category="bullying").order_by("band").values_list("band", "n")
    assert list(bullying) == [(1, 1), (5, 1), (9, 1)]
    assert list(ScoreCount.objects.filter(category="gambling").values_list("band", "n")) == [(1, 3)]


def test_scores_that_are_as_they_were_have_not_drifted_and_moved_ones_have() -> None:
    for days_ago in (20, 19):
        counted(days_ago, {0: 5400, 5: 540, 9: 60})
    counted(10, {9: 9000})  # the reference is full by then
    counted(0, {0: 900, 5: 90, 9: 10})
    found = drift.measure()
    assert found is not None
    assert (found.model, found.reference_texts, found.texts) == (MODEL, 12_000, 1000)
    assert found.psi["bullying"] < 0.01
    ScoreCount.objects.filter(day=timezone.localdate(), band=0).update(band=7)
    moved = drift.measure()
    assert moved is not None
    assert moved.psi["bullying"] > 0.25


def test_few_texts_say_nothing() -> None:
    assert drift.measure() is None
    counted(0, {0: 9000})
    assert drift.measure() is None  # today is nobody's reference
    counted(5, {0: drift.LEAST_TEXTS - 1})
    assert drift.measure() is None


def test_a_new_model_is_compared_with_its_own_first_days() -> None:
    counted(30, {9: 20_000}, model="older")
    counted(3, {0: 1000}, model="newer")
    counted(0, {0: 1000}, model="newer")
    found = drift.measure()
    assert found is not None
    assert (found.model, found.reference_texts) == ("newer", 1000)


def test_old_days_are_forgotten_but_not_a_models_reference() -> None:
    counted(200, {0: 20_000})
    counted(100, {0: 20_000})
    counted(1, {0: 20_000})
    assert drift.forget(timezone.localdate() - timedelta(days=90)) == 1
    assert ScoreCount.objects.count() == 2


@pytest.mark.django_db(databases=[])
@given(BANDS, BANDS)
def test_the_index_is_never_negative_symmetric_and_nothing_for_the_same(one: list[int], other: list[int]) -> None:
    assert drift.index(one, one) == 0
    assert drift.index(one, other) >= 0
    assert drift.index(one, other) == pytest.approx(drift.index(other, one), abs=1e-4)
