"""Means over categories and their scatter: resampling agrees with counting rows as often as they are drawn."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from classifiers.evaluation.metrics import average_precision, macro_f1
from classifiers.training.resample import interval, means, resampled_means
from classifiers.training.rows import UNKNOWN


@settings(max_examples=30)
@given(st.integers(0, 2**31), st.integers(20, 200))
def test_a_resampled_mean_is_that_of_the_rows_repeated(seed: int, rows: int) -> None:
    random = np.random.default_rng(seed)
    says = random.integers(0, 2, (rows, 2)).astype(np.int8)
    odds = random.normal(0, 1, (rows, 2)) + says
    (found,) = (values[0] for name, values in resampled_means(odds, says, 1, seed).items() if name == "macro_f1")
    sample = np.random.default_rng(seed).integers(0, rows, rows)
    expected = np.mean([macro_f1(odds[sample, k] > 0, says[sample, k]) for k in range(2)])
    assert abs(found - expected) < 1e-3
    precision = resampled_means(odds, says, 1, seed)["average_precision"][0]
    # Rows drawn twice stand side by side: both are given the precision after the second.
    likely = np.mean([average_precision(odds[sample, k], says[sample, k]) for k in range(2)])
    assert abs(precision - likely) < 0.1


def test_what_no_row_knows_and_what_is_of_one_kind_alone_are_left_out() -> None:
    says = np.array([[1, UNKNOWN, 1], [0, UNKNOWN, 1], [1, UNKNOWN, 1]], dtype=np.int8)
    odds = np.array([[2.0, 0, 0], [-2.0, 0, 0], [1.0, 0, 0]])
    assert means(odds, says) == {"average_precision": 1.0, "macro_f1": 1.0}


def test_a_better_scorer_is_better_in_every_paired_sample_though_intervals_overlap() -> None:
    random = np.random.default_rng(1)
    says = (random.random((400, 3)) < 0.1).astype(np.int8)
    worse = random.normal(0, 1, says.shape) + says
    better = worse + 0.3 * says
    drawn = [np.array(resampled_means(odds, says, 100, 3)["average_precision"]) for odds in (worse, better)]
    assert interval(drawn[0])[1] > interval(drawn[1])[0]
    assert interval(drawn[1] - drawn[0])[0] > 0
