"""From a model's raw margin to a probability, per category.

Platt's two-parameter sigmoid (Platt 1999), fitted on held-back texts with his smoothed targets: it needs few
examples and cannot change the order of scores. Fitting is Newton's method on the log loss, in NumPy.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, slots=True)
class Platt:
    """probability = 1 / (1 + exp(−(slope · margin + offset)))."""

    slope: float
    offset: float

    def __call__(self, margins: ArrayLike) -> NDArray[np.float64]:
        """Return probabilities for margins."""
        return sigmoid(self.slope * np.asarray(margins, dtype=np.float64) + self.offset)


def sigmoid(values: ArrayLike) -> NDArray[np.float64]:
    """Logistic function that does not overflow."""
    clipped = np.clip(np.asarray(values, dtype=np.float64), -36.0, 36.0)
    result: NDArray[np.float64] = 1.0 / (1.0 + np.exp(-clipped))
    return result


def fit_platt(
    margins: ArrayLike, labels: ArrayLike, weights: ArrayLike | None = None, *, steps: int = 100, ridge: float = 1e-6
) -> Platt:
    """Fit a sigmoid to margins and 0/1 labels.

    Raises:
        ValueError: the labels are all of one kind, so nothing can be fitted.
    """
    x, y = np.asarray(margins, dtype=np.float64), np.asarray(labels, dtype=np.float64)
    w = np.ones_like(x) if weights is None else np.asarray(weights, dtype=np.float64)
    positives, negatives = float((w * y).sum()), float((w * (1 - y)).sum())
    if positives == 0 or negatives == 0:
        raise ValueError("calibration needs texts of both kinds, found one")
    target = np.where(y > 0.5, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    centre, spread = float(np.average(x, weights=w)), float(x.std()) or 1.0
    design = np.stack([(x - centre) / spread, np.ones_like(x)], axis=1)
    beta = np.zeros(2)
    for _ in range(steps):
        p = sigmoid(design @ beta)
        gradient = design.T @ (w * (p - target))
        hessian = (design * (w * p * (1 - p))[:, None]).T @ design + ridge * np.eye(2)
        step = np.linalg.solve(hessian, gradient)
        beta = beta - np.clip(step, -2.0, 2.0)
        if float(np.abs(step).max()) < 1e-9:
            break
    return Platt(float(beta[0] / spread), float(beta[1] - beta[0] * centre / spread))
