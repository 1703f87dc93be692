"""Means over the categories, and how far they would scatter over other samples of the same rows.

Every caller that gives the same seed resamples the same rows, so that the difference of two models is that of two
paired samples: most of the scatter is the rows', not the models', and falls out of it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.evaluation.metrics import average_precision, macro_f1
from classifiers.training.rows import UNKNOWN

Floats = NDArray[np.float64]
DRAWS = 200
FIGURES = ("average_precision", "macro_f1")


def means(odds: Floats, says: NDArray[np.int8]) -> dict[str, float]:
    """Mean over the categories of average precision, and of macro-F1 where odds are above even (0)."""
    found = np.array(
        [
            (average_precision(odds[known, k], says[known, k]), macro_f1(odds[known, k] > 0, says[known, k]))
            for k, known in _known(says)
        ]
    )
    return {name: round(float(value), 4) for name, value in zip(FIGURES, found.mean(axis=0), strict=True)}


def resampled_means(odds: Floats, says: NDArray[np.int8], draws: int, seed: int) -> dict[str, list[float]]:
    """The same means on `draws` samples of the rows, drawn with replacement."""
    random = np.random.default_rng(seed)
    samples = (random.integers(0, len(says), len(says)) for _ in range(draws))
    weights = np.stack([np.bincount(sample, minlength=len(says)) for sample in samples]).astype(np.float64)
    precision, f1 = [], []
    for k, known in _known(says):
        order = np.argsort(-odds[known, k], kind="stable")
        drawn = weights[:, known][:, order]
        true, said = says[known, k][order] == 1, odds[known, k][order] > 0
        precision.append(drawn_precision(drawn, true))
        f1.append((_f1(drawn, said, true) + _f1(drawn, ~said, ~true)) / 2)
    parts = zip(FIGURES, (precision, f1), strict=True)
    return {name: [round(float(value), 4) for value in np.mean(part, axis=0)] for name, part in parts}


def interval(values: list[float] | Floats) -> tuple[float, float]:
    """The middle 95 % of resampled values."""
    low, high = np.quantile(np.asarray(values), [0.025, 0.975])
    return float(low), float(high)


def _known(says: NDArray[np.int8]) -> list[tuple[int, NDArray[np.bool_]]]:
    """Categories of which rows of both kinds are known, and which rows speak of each."""
    known = [(k, says[:, k] != UNKNOWN) for k in range(says.shape[1])]
    return [(k, rows) for k, rows in known if len(set(says[rows, k].tolist())) == 2]


def drawn_precision(drawn: NDArray[Any], true: NDArray[np.bool_]) -> Floats:
    """Average precision of each draw; rows are sorted, the strongest first, `drawn[d, i]` is how often row i counts."""
    hits = np.cumsum(drawn * true, axis=1)[:, true]
    read = np.cumsum(drawn, axis=1)[:, true]
    counted = drawn[:, true]
    whole: Floats = (counted * hits / np.maximum(read, 1.0)).sum(axis=1) / np.maximum(counted.sum(axis=1), 1.0)
    return whole


def _f1(drawn: Floats, said: NDArray[np.bool_], true: NDArray[np.bool_]) -> Floats:
    both, either = drawn[:, said & true].sum(axis=1), drawn[:, said].sum(axis=1) + drawn[:, true].sum(axis=1)
    found: Floats = 2 * both / np.maximum(either, 1.0)
    return found
