from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as peer

from classifiers.evaluation.metrics import (
    average_precision,
    calibration_error,
    macro_f1,
    measure,
    precision_recall_f1,
    reliability,
)

PAIRS = st.lists(st.tuples(st.integers(0, 1), st.floats(0, 1, width=32)), min_size=4, max_size=80)


@given(PAIRS)
def test_f1_and_macro_f1_are_those_of_scikit_learn(pairs: list[tuple[int, float]]) -> None:
    labels = np.array([label for label, _ in pairs], dtype=np.int8)
    said = np.array([score for _, score in pairs]) >= 0.5
    precision, recall, f1 = precision_recall_f1(said, labels)
    assert precision == pytest.approx(peer.precision_score(labels, said, zero_division=0))
    assert recall == pytest.approx(peer.recall_score(labels, said, zero_division=0))
    assert f1 == pytest.approx(peer.f1_score(labels, said, zero_division=0))
    assert macro_f1(said, labels) == pytest.approx(
        (f1 + peer.f1_score(1 - labels, ~said, zero_division=0)) / 2, abs=1e-9
    )


def test_average_precision_is_that_of_scikit_learn() -> None:
    random = np.random.default_rng(3)
    labels = random.integers(0, 2, 500).astype(np.int8)
    scores = random.random(500)
    assert average_precision(scores, labels) == pytest.approx(peer.average_precision_score(labels, scores))


def test_a_calibrated_score_has_no_error_and_a_boastful_one_has() -> None:
    random = np.random.default_rng(4)
    scores = random.random(50_000)
    labels = (random.random(50_000) < scores).astype(np.int8)
    assert calibration_error(scores, labels) < 0.01
    assert calibration_error(np.where(scores > 0.5, 0.99, 0.01), labels) > 0.2


def test_reliability_counts_every_row() -> None:
    scores = np.array([0.0, 0.1, 0.5, 1.0])
    assert sum(count for *_, count in reliability(scores, np.array([0, 0, 1, 1], dtype=np.int8))) == 4


def test_an_interval_holds_its_figure() -> None:
    random = np.random.default_rng(5)
    labels = random.integers(0, 2, 400).astype(np.int8)
    scores = np.clip(labels * 0.4 + random.random(400) * 0.6, 0, 1)
    found = measure(scores, labels)
    low, high = found.f1_interval
    assert low <= found.f1 <= high
