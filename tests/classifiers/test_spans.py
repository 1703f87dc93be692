from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from classifiers.spans import LONG, occlusions, strongest


def test_the_stretch_that_pushed_a_category_up_is_found() -> None:
    weights = np.array([0, 0, 0, 5, 5, 5, 0, 0, 0, 0], dtype=float)
    [(start, end)] = strongest(weights)
    assert start <= 3
    assert 6 <= end <= 8


@given(st.lists(st.floats(-10, 10), max_size=300))
def test_stretches_are_few_in_order_and_inside_the_text(values: list[float]) -> None:
    found = strongest(np.array(values, dtype=float))
    assert len(found) <= LONG
    assert all(0 <= start < end <= len(values) for start, end in found)
    assert all(a[1] <= b[0] for a, b in zip(found, found[1:], strict=False))


def test_a_text_that_speaks_against_has_no_stretch() -> None:
    assert strongest(np.full(10, -1.0)) == []


@given(st.lists(st.floats(-10, 10), min_size=3, max_size=60))
def test_a_text_that_speaks_for_a_category_anywhere_has_a_stretch(values: list[float]) -> None:
    weights = np.array(values, dtype=float)
    smooth = np.convolve(np.pad(weights, 1, mode="edge"), [0.25, 0.5, 0.25], "valid")
    assert bool(strongest(weights)) == bool(smooth.max() > 0)


def test_where_every_character_leans_alike_not_the_whole_text_is_marked() -> None:
    weights = np.array([1.0] * 10 + [1.9] * 3 + [1.0] * 10)
    assert strongest(weights) == [(10, 13)]


def test_a_long_text_has_more_stretches_than_a_short_one() -> None:
    pattern = [0, 0, 0, 5, 5, 5, 0, 0, 0, 0]
    assert len(strongest(np.array(pattern * 4, dtype=float))) == 3
    assert len(strongest(np.array(pattern * 9, dtype=float))) == 6
    assert len(strongest(np.array(pattern * 40, dtype=float))) == LONG


@given(st.integers(1, 2000))
def test_parts_left_out_cover_the_text_and_leave_some_of_it(length: int) -> None:
    parts = occlusions(length)
    assert {place for start, end in parts for place in range(start, end)} == set(range(length))
    assert len(parts) == 1 or all(0 < end - start <= length / 2 for start, end in parts)
