"""What evasion costs: the same texts, treated as evaders treat them, through the same model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.training.evasions import EVASIONS, FORM, evade

Score = Callable[[Sequence[str]], NDArray[np.float64]]
"""Texts in, scores out: one row per text, one column per category."""


def under_evasion(
    score: Score, flagged: Sequence[str], ordinary: Sequence[str], thresholds: NDArray[np.float64], *, seed: int = 1
) -> dict[str, Any]:
    """Measure each evasion by itself.

    `kept`: of the categories that the untouched `flagged` texts reached, the share that the treated ones still reach,
    among texts that the treatment changes. `ordinary_added`: how much larger a share of `ordinary` texts is flagged
    for anything when treated, in points of 1.
    """
    before, calm = score(flagged) >= thresholds, score(ordinary) >= thresholds
    found: dict[str, Any] = {}
    for kind in EVASIONS:
        random = Random(f"{seed}:{kind}")  # noqa: S311 - repeatable, not secret
        treated = [evade(text, kind, random) for text in flagged]
        changed = np.array([a != b for a, b in zip(treated, flagged, strict=True)], dtype=bool)
        after = score(treated) >= thresholds
        reached = before[changed].sum()
        kept = (before & after)[changed].sum() / max(1, reached)
        stirred = score([evade(text, kind, random) for text in ordinary]) >= thresholds
        found[kind] = {
            "level": "form" if kind in FORM else "sound and shape",
            "texts": int(changed.sum()),
            "kept": round(float(kept), 4),
            "ordinary_added": round(_share(stirred) - _share(calm), 4) if len(ordinary) else None,
        }
    return found


def _share(over: NDArray[np.bool_]) -> float:
    """Share of texts flagged for anything."""
    return round(float(over.any(axis=1).mean()), 4)
