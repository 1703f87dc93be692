from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.calibration import fit_platt, sigmoid


def test_a_fitted_curve_gives_probabilities_that_come_true() -> None:
    random = np.random.default_rng(1)
    margins = random.normal(size=20_000)
    labels = random.random(20_000) < sigmoid(2.0 * margins - 1.0)
    curve = fit_platt(margins, labels)
    assert curve.slope == pytest.approx(2.0, abs=0.1)
    assert curve.offset == pytest.approx(-1.0, abs=0.1)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20))
def test_a_probability_is_between_nought_and_one_whatever_the_margin(margins: list[float]) -> None:
    values = sigmoid(margins)
    assert ((values >= 0) & (values <= 1)).all()


def test_perfectly_separated_labels_do_not_run_away() -> None:
    curve = fit_platt([-3.0, -2.0, 2.0, 3.0], [0, 0, 1, 1])
    assert np.isfinite([curve.slope, curve.offset]).all()
    assert curve([-3.0])[0] < 0.5 < curve([3.0])[0]


def test_labels_of_one_kind_cannot_be_fitted() -> None:
    with pytest.raises(ValueError, match="both kinds"):
        fit_platt([1.0, 2.0], [1, 1])
