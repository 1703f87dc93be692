from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifiers.evaluation.thresholds import LEAST_POSITIVES, LOWEST, HeldBack, Wish, choose, propose

SLUGS = ("gambling", "bullying")
HIGHEST = {"gambling": 0.9, "bullying": 0.9}


def held_back(seed: int = 1, rows: int = 4000) -> HeldBack:
    """Half is ordinary talk; the first category is told apart well, the second badly."""
    random = np.random.default_rng(seed)
    says = (random.random((rows, 2)) < 0.2).astype(np.int8)
    calm = np.arange(rows) % 2 == 0
    says[calm] = 0
    noise = random.random((rows, 2)) * [0.5, 0.9]
    scores = np.clip(noise + says * [0.5, 0.1], 0, 1)
    return HeldBack(SLUGS, scores, says, {"talk": calm}, random.random(rows) < 0.5)


def wish(at_most: float, **changes: object) -> Wish:
    return Wish(**({"ordinary": ["talk"], "at_most": at_most, "wanted": {}, "highest": HIGHEST} | changes))  # type: ignore[arg-type]


def everything(held: HeldBack) -> np.ndarray:
    return np.ones(len(held.half), dtype=bool)


@pytest.mark.parametrize("at_most", [0.005, 0.05, 0.3])
def test_ordinary_talk_is_flagged_no_more_than_is_aimed_at(at_most: float) -> None:
    held = held_back()
    limits = choose(held, everything(held), wish(at_most))
    assert (held.scores[held.registers["talk"]] >= limits).any(axis=1).mean() <= at_most


def test_a_larger_aim_finds_at_least_as_much() -> None:
    held = held_back()
    small, large = (propose(held, wish(at_most)) for at_most in (0.01, 0.2))
    assert all(large.categories[slug].recall >= small.categories[slug].recall for slug in SLUGS)
    assert large.ordinary > small.ordinary


def test_false_alarms_are_spent_where_they_find_most() -> None:
    held = held_back()
    found = propose(held, wish(0.02)).categories
    assert found["gambling"].recall > 0.9
    assert found["bullying"].threshold == pytest.approx(0.9)


def test_what_is_wanted_more_has_a_lower_threshold() -> None:
    held = held_back()
    plain, wanted = (choose(held, everything(held), wish(0.2, wanted=w)) for w in ({}, {"bullying": 50.0}))
    assert wanted[1] < plain[1]


def test_no_threshold_is_above_the_highest_allowed() -> None:
    held = held_back()
    limits = choose(held, everything(held), wish(0.001, highest={"gambling": 0.9, "bullying": 0.3}))
    assert limits[1] == pytest.approx(0.3)


def test_a_category_with_too_few_positives_has_no_threshold_of_its_own() -> None:
    held = held_back()
    positives = np.flatnonzero(held.says[:, 1] == 1)
    held.says[positives[LEAST_POSITIVES - 1 :], 1] = 0
    assert set(propose(held, wish(0.01)).categories) == {"gambling"}


def test_a_set_that_is_not_there_is_named() -> None:
    with pytest.raises(KeyError, match="nowhere"):
        propose(held_back(), wish(0.01, ordinary=["nowhere"]))


@settings(max_examples=20)
@given(st.integers(0, 1000), st.floats(0.001, 0.5))
def test_the_same_rows_give_the_same_thresholds_within_the_allowed_range(seed: int, at_most: float) -> None:
    held = held_back(seed, 600)
    limits = choose(held, everything(held), wish(at_most))
    assert ((limits >= LOWEST - 1e-9) & (limits <= 0.9 + 1e-9)).all()
    assert np.array_equal(limits, choose(held, everything(held), wish(at_most)))
