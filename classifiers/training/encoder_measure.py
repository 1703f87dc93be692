"""Figures of an encoder beside the linear model and beside their blend, on untouched and on evaded texts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.calibration import Platt, fit_platt
from classifiers.evaluation.metrics import measure
from classifiers.normalise import Folded, Reader, fold
from classifiers.training.evasions import EVASIONS, evade
from classifiers.training.rows import UNKNOWN, Rows
from classifiers.training.train import as_common

Floats = NDArray[np.float64]
BATCH = 2048
DRAWS = 40  # for intervals; six times as many scorings as a linear model's card has


def log_odds(margins: Floats, curves: Sequence[Platt]) -> Floats:
    """Calibrated log-odds of raw margins."""
    return np.stack([curve.slope * margins[:, k] + curve.offset for k, curve in enumerate(curves)], axis=1)


def read_twice(texts: Sequence[str], reader: Reader, score: Callable[[Folded], Floats]) -> Floats:
    """Scores of texts, where a text with a second reading has the higher of the two, as the cascade does."""
    parts: list[Floats] = []
    for begin in range(0, len(texts), BATCH):
        folded = fold(texts[begin : begin + BATCH])
        found: Floats = score(folded)
        readings = reader.read(folded)
        if readings:
            again = score(fold([reading.text for reading in readings.values()]))
            numbers = np.fromiter(readings, dtype=np.int64)
            found[numbers] = np.maximum(found[numbers], again)
        parts.append(found)
    return np.concatenate(parts)


def fit_curves(margins: Floats, says: NDArray[np.int8], least: Sequence[float]) -> list[Platt]:
    """A calibration per category from rows that say something of it, as if at least its share of `least` were of it."""
    curves = []
    for k in range(says.shape[1]):
        known = says[:, k] != UNKNOWN
        labels = says[known, k]
        curves.append(fit_platt(margins[known, k], labels, as_common(labels, least[k])))
    return curves


def evaded(texts: Sequence[str], seed: int) -> list[str]:
    """Every text evaded in one way, the ways taken in turn."""
    kinds = tuple(EVASIONS)
    changed = []
    for number, text in enumerate(texts):
        random = Random(f"{seed}/{number}")  # noqa: S311 - to be repeated, not to be secret
        changed.append(evade(text, kinds[number % len(kinds)], random))
    return changed


def figures(odds: Floats, rows: Rows, chosen: NDArray[np.int64]) -> dict[str, Any]:
    """Per category: macro-F1 at ½, average precision and calibration error; and per set of both kinds macro-F1."""
    says, origin = rows.says[chosen], rows.origin[chosen]
    scores = 1 / (1 + np.exp(-np.clip(odds, -36, 36)))
    found: dict[str, Any] = {}
    for k, slug in enumerate(rows.slugs):
        known = says[:, k] != UNKNOWN
        if len(set(says[known, k].tolist())) < 2:
            continue
        entry: dict[str, Any] = dict(measure(scores[known, k], says[known, k], draws=DRAWS).as_dict())
        entry["sets"] = {}
        for number, name in enumerate(rows.sets):
            mine = known & (origin == number)
            if len(set(says[mine, k].tolist())) == 2:
                one = measure(scores[mine, k], says[mine, k], draws=2)
                entry["sets"][name] = {"rows": one.rows, "macro_f1": round(one.macro_f1, 4), "ece": round(one.ece, 4)}
        found[slug] = entry
    return found


def mean_of(found: dict[str, Any], figure: str) -> float:
    """Mean of a figure over the categories."""
    return float(np.mean([entry[figure] for entry in found.values()]))
