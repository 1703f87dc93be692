"""From which linear probability on a text is given to the encoder: little is lost, most ordinary talk never gets there.

A text is given to the encoder where any category reaches its own probability. These are raised one at a time, always
the one that spares most texts for the fewest lost, as long as at most a share of what both models together flag would
no longer reach the encoder.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from classifiers.calibration import sigmoid

LOST = 0.002  # share of flagged texts that may not reach the encoder
GRID = np.linspace(-7.0, 3.0, 101)  # log-odds that are tried
STEPS = (1, 3, 8)  # how far one raise may go


def reach_of(
    blended: NDArray[np.float64], linear: NDArray[np.float64], lowest: Sequence[float], lost: float = LOST
) -> list[float]:
    """Per category, the linear probability from which a text is given to the encoder.

    `blended` and `linear` are log-odds of held-back texts, one row per text; `lowest` is each category's lowest
    threshold, at which a text counts as flagged.
    """
    flagged = np.asarray((sigmoid(blended) >= np.asarray(lowest)).any(axis=1))
    level = np.digitize(linear, GRID)  # a text reaches GRID[i] where its level is above i
    at = np.zeros(linear.shape[1], dtype=np.int64)
    reaching = (level > at).sum(axis=1)
    left = lost * flagged.sum() - (flagged & (reaching == 0)).sum()
    while (raised := _best(level, at, reaching == 1, flagged, left)) is not None:
        column, step, cost = raised
        reaching = reaching - _between(level[:, column], at[column], step)
        at[column] += step
        left -= cost
    return [round(float(sigmoid(odds)), 6) for odds in GRID[at]]


def _best(
    level: NDArray[np.int64],
    at: NDArray[np.int64],
    once: NDArray[np.bool_],
    flagged: NDArray[np.bool_],
    left: float,
) -> tuple[int, int, int] | None:
    """The category, the step and the flagged texts lost of the raise that spares most for what it loses."""
    best, found = -1.0, None
    for column in range(len(at)):
        for step in STEPS:
            if at[column] + step >= len(GRID):
                continue
            gone = _between(level[:, column], at[column], step) & once
            cost = int((gone & flagged).sum())
            spared = int(gone.sum()) - cost
            worth = (spared + 1e-3 * step) / (cost + 0.05)
            if cost <= left and worth > best:
                best, found = worth, (column, step, cost)
    return found


def _between(level: NDArray[np.int64], at: np.int64, step: int) -> NDArray[np.bool_]:
    return np.asarray((level > at) & (level <= at + step))
