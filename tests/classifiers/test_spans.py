from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from classifiers.spans import MOST, strongest


def test_the_stretch_that_pushed_a_category_up_is_found() -> None:
    weights = np.array([0, 0, 0, 5, 5, 5, 0, 0, 0, 0], dtype=float)
    [(start, end)] = strongest(weights)
    assert start <= 3
    assert 6 <= end <= 8


@given(st.lists(st.floats(-10, 10), max_size=60))
def test_stretches_are_few_in_order_and_inside_the_text(values: list[float]) -> None:
    found = strongest(np.array(values, dtype=float))
    assert len(found) <= MOST
    assert all(0 <= start < end <= len(values) for start, end in found)
    assert all(a[1] <= b[0] for a, b in zip(found, found[1:], strict=False))


def test_a_text_that_speaks_against_has_no_stretch() -> None:
    assert strongest(np.full(10, -1.0)) == []
