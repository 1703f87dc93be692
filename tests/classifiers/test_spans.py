from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from classifiers.spans import ABOVE, LONG, NEAR_TOP, PER, SHARE, SHORT, WHOLE, occlusions, strongest

VALUES = st.lists(st.floats(-10, 10), min_size=1, max_size=120)


def stretches(*texts: Sequence[float]) -> list[list[tuple[int, int]]]:
    """The strongest stretches of several texts, found together."""
    lengths = np.array([len(text) for text in texts])
    rows = np.full((len(texts), int(lengths.max())), np.nan)
    for row, text in zip(rows, texts, strict=True):
        row[: len(text)] = text
    found: list[list[tuple[int, int]]] = [[] for _ in texts]
    for number, start, end in zip(*(part.tolist() for part in strongest(rows, lengths)), strict=True):
        found[number].append((start, end))
    return found


def one_by_one(text: Sequence[float]) -> list[tuple[int, int]]:
    """What `strongest` says it does, written for one text without arrays of rows."""
    if len(text) < WHOLE:
        return [(0, len(text))] if np.array(text).sum() > 0 else []
    wide = np.array([text[0], *text, text[-1]])
    smooth = wide[:-2] * 0.25 + wide[1:-1] * 0.5 + wide[2:] * 0.25
    if smooth.max() <= 0:
        return []
    least = min(max(0.0, ABOVE * float(smooth.mean())), NEAR_TOP * float(smooth.max()))
    sums = np.concatenate(([0.0], smooth.cumsum()))
    weights: dict[tuple[int, int], float] = {}
    start = 0
    for place in range(len(text) + 1):
        if place == len(text) or smooth[place] <= least:
            if place > start:
                weights[start, place] = sums[place] - sums[start]
            start = place + 1
    best = sorted(weights, key=lambda stretch: -weights[stretch])[: min(LONG, max(SHORT, len(text) // PER))]
    return sorted(stretch for stretch in best if weights[stretch] >= SHARE * weights[best[0]])


@given(st.lists(VALUES, min_size=1, max_size=8))
def test_texts_have_together_the_stretches_that_each_has_alone(texts: list[list[float]]) -> None:
    assert stretches(*texts) == [one_by_one(text) for text in texts]


def test_the_stretch_that_pushed_a_category_up_is_found() -> None:
    [[(start, end)]] = stretches([0, 0, 0, 5, 5, 5, 0, 0, 0, 0])
    assert start <= 3
    assert 6 <= end <= 8


@given(VALUES)
def test_stretches_are_few_in_order_and_inside_the_text(values: list[float]) -> None:
    [found] = stretches(values)
    assert len(found) <= LONG
    assert all(0 <= start < end <= len(values) for start, end in found)
    assert all(a[1] <= b[0] for a, b in zip(found, found[1:], strict=False))


def test_a_text_that_speaks_against_has_no_stretch() -> None:
    assert stretches([-1.0] * 10, [-1.0], [1.0, -2.0]) == [[], [], []]


@given(st.lists(st.floats(-10, 10), min_size=3, max_size=60))
def test_a_text_that_speaks_for_a_category_anywhere_has_a_stretch(values: list[float]) -> None:
    smooth = np.convolve(np.pad(np.array(values), 1, mode="edge"), [0.25, 0.5, 0.25], "valid")
    assert bool(stretches(values)[0]) == bool(smooth.max() > 0)


def test_where_every_character_leans_alike_not_the_whole_text_is_marked() -> None:
    assert stretches([1.0] * 10 + [1.9] * 3 + [1.0] * 10) == [[(10, 13)]]


def test_a_long_text_has_more_stretches_than_a_short_one() -> None:
    pattern = [0, 0, 0, 5, 5, 5, 0, 0, 0, 0]
    assert [len(found) for found in stretches(pattern * 4, pattern * 9, pattern * 40)] == [3, 6, LONG]


@given(st.integers(1, 2000))
def test_parts_left_out_cover_the_text_and_leave_some_of_it(length: int) -> None:
    parts = occlusions(length)
    assert {place for start, end in parts for place in range(start, end)} == set(range(length))
    assert len(parts) == 1 or all(0 < end - start <= length / 2 for start, end in parts)
