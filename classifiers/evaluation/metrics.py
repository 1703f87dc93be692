"""Metrics of probabilities against 0/1 labels. NumPy alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Labels = NDArray[np.int8]
BINS = 15


@dataclass(frozen=True, slots=True)
class Measured:
    """Figures of one category on one set of rows; each `*_interval` is a 95 % bootstrap interval."""

    rows: int
    positives: int
    threshold: float
    precision: float
    recall: float
    f1: float
    f1_interval: tuple[float, float]
    macro_f1: float
    macro_f1_interval: tuple[float, float]
    accuracy: float
    average_precision: float
    ece: float
    ece_interval: tuple[float, float]

    def as_dict(self) -> Mapping[str, Any]:
        """The figures, rounded to four digits."""
        return {key: _rounded(value) for key, value in asdict(self).items()}


def measure(scores: Floats, labels: Labels, *, threshold: float = 0.5, seed: int = 1, draws: int = 200) -> Measured:
    """Measure one category; F1 is of the positive class, macro-F1 the mean of both classes' F1, at the threshold."""
    said = scores >= threshold

    def interval(figure: Callable[[NDArray[np.int64]], float]) -> tuple[float, float]:
        random = np.random.default_rng(seed)
        values = [figure(random.integers(0, len(labels), len(labels))) for _ in range(draws)]
        low, high = np.quantile(values, [0.025, 0.975])
        return float(low), float(high)

    precision, recall, f1 = precision_recall_f1(said, labels)
    return Measured(
        rows=len(labels),
        positives=int(labels.sum()),
        threshold=threshold,
        precision=precision,
        recall=recall,
        f1=f1,
        f1_interval=interval(lambda i: precision_recall_f1(said[i], labels[i])[2]),
        macro_f1=macro_f1(said, labels),
        macro_f1_interval=interval(lambda i: macro_f1(said[i], labels[i])),
        accuracy=float((said == (labels == 1)).mean()),
        average_precision=average_precision(scores, labels),
        ece=calibration_error(scores, labels),
        ece_interval=interval(lambda i: calibration_error(scores[i], labels[i])),
    )


def precision_recall_f1(said: NDArray[np.bool_], labels: Labels) -> tuple[float, float, float]:
    """Precision, recall and F1 of the positive class; 0 where undefined."""
    true = labels == 1
    both = float((said & true).sum())
    precision = both / max(1.0, float(said.sum()))
    recall = both / max(1.0, float(true.sum()))
    return precision, recall, 2 * precision * recall / (precision + recall) if both else 0.0


def macro_f1(said: NDArray[np.bool_], labels: Labels) -> float:
    """Mean of the F1 of the positive and of the negative class."""
    return (precision_recall_f1(said, labels)[2] + precision_recall_f1(~said, (1 - labels).astype(np.int8))[2]) / 2


def average_precision(scores: Floats, labels: Labels) -> float:
    """Area under the precision-recall steps (ties keep the file's order)."""
    order = np.argsort(-scores, kind="stable")
    true = labels[order] == 1
    if not true.any():
        return 0.0
    precision = np.cumsum(true) / np.arange(1, len(true) + 1)
    return float(precision[true].mean())


def reliability(scores: Floats, labels: Labels, bins: int = BINS) -> list[tuple[float, float, int]]:
    """Equal-width bins that hold anything: (mean score, share of positives, rows)."""
    place = np.minimum((scores * bins).astype(np.int64), bins - 1)
    counts = np.bincount(place, minlength=bins)
    mean = np.bincount(place, weights=scores, minlength=bins)
    true = np.bincount(place, weights=labels.astype(np.float64), minlength=bins)
    return [(float(mean[k] / counts[k]), float(true[k] / counts[k]), int(counts[k])) for k in range(bins) if counts[k]]


def calibration_error(scores: Floats, labels: Labels, bins: int = BINS) -> float:
    """Expected calibration error (Naeini 2015): mean distance of score and share of positives, weighted by rows."""
    if not len(labels):
        return 0.0
    return sum(abs(score - share) * count for score, share, count in reliability(scores, labels, bins)) / len(labels)


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 4)
    return [_rounded(part) for part in value] if isinstance(value, tuple) else value
