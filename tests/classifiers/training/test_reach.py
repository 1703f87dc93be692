"""What reaches the encoder: little that would be flagged is lost, and ordinary talk is spared."""

from __future__ import annotations

import numpy as np
import pytest

from classifiers.calibration import sigmoid
from classifiers.training.reach import reach_of


def _odds(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Two scorers that mostly agree, on many ordinary texts and a few of each of three categories."""
    random = np.random.default_rng(seed)
    true = random.normal(-5, 1.5, (4000, 3))
    for column in range(3):
        true[column * 200 : column * 200 + 200, column] += 7
    return true + random.normal(0, 0.5, true.shape), true + random.normal(0, 1.0, true.shape)


@pytest.mark.parametrize("lost", [0.0, 0.003, 0.05])
def test_no_more_is_lost_than_allowed_and_ordinary_texts_are_spared(lost: float) -> None:
    blended, linear = _odds(1)
    reach = reach_of(blended, linear, [0.3, 0.3, 0.3], lost)
    reaching = (sigmoid(linear) >= reach).any(axis=1)
    flagged = (sigmoid(blended) >= 0.3).any(axis=1)
    assert (flagged & ~reaching).sum() <= lost * flagged.sum()
    assert reaching[~flagged].mean() < 0.6


def test_more_that_may_be_lost_spares_more() -> None:
    blended, linear = _odds(2)
    shares = [
        (sigmoid(linear) >= reach_of(blended, linear, [0.3, 0.3, 0.3], lost)).any(axis=1).mean()
        for lost in (0.0, 0.01, 0.1)
    ]
    assert shares[0] > shares[1] > shares[2]


def test_where_nothing_is_flagged_hardly_anything_reaches() -> None:
    _, linear = _odds(3)
    reach = reach_of(np.full_like(linear, -9.0), linear, [0.3, 0.3, 0.3])
    assert all(value > 0.9 for value in reach)
