"""What evasion costs: the same texts, treated as evaders treat them, through the same model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.training.evasions import EVASIONS, FORM, evade

Score = Callable[[Sequence[str]], NDArray[np.float64]]
"""Texts in, scores out: one row per text, one column per category."""
GOALS: Mapping[str, float] = {"form": 0.95, "sound and shape": 0.85}
"""Share of categories that treated texts shall keep, by level."""
MOST_ADDED = 0.005
"""By how much the share of ordinary texts that are flagged may grow."""
TEXTS = 500  # that each evasion shall change


def under_evasion(
    score: Score,
    flagged: Sequence[str],
    ordinary: Sequence[str],
    thresholds: NDArray[np.float64],
    *,
    seed: int = 1,
    wanted: int = TEXTS,
) -> dict[str, Any]:
    """Measure each evasion by itself, on the first `wanted` of the `flagged` texts that it changes.

    `texts`: how many those are; `kept`: of the categories that they reached untouched, the share that they still reach
    when treated. `ordinary_added`: how much larger a share of `ordinary` texts is flagged for anything when treated,
    in points of 1.
    """
    treated = {kind: _changed(flagged, kind, wanted, seed) for kind in EVASIONS}
    used = sorted({number for changed in treated.values() for number in changed})
    untouched = score([flagged[number] for number in used]) >= thresholds
    calm = score(ordinary) >= thresholds
    found: dict[str, Any] = {}
    for kind, changed in treated.items():
        before = untouched[np.searchsorted(used, list(changed))]
        after = score(list(changed.values())) >= thresholds
        random = _random(seed, f"{kind}:ordinary")
        stirred = score([evade(text, kind, random) for text in ordinary]) >= thresholds
        found[kind] = {
            "level": "form" if kind in FORM else "sound and shape",
            "texts": len(changed),
            "kept": round(float((before & after).sum() / max(1, before.sum())), 4),
            "ordinary_added": round(_share(stirred) - _share(calm), 4) if len(ordinary) else None,
        }
    return found


def short_of(figures: Mapping[str, Any]) -> tuple[str, ...]:
    """In what an evasion's figures fall short of what is wanted."""
    added = figures["ordinary_added"]
    short = {
        "kept": figures["kept"] < GOALS[figures["level"]],
        "ordinary": added is not None and added > MOST_ADDED,
        "texts": figures["texts"] < TEXTS,
    }
    return tuple(name for name, is_short in short.items() if is_short)


def _changed(texts: Sequence[str], kind: str, wanted: int, seed: int) -> dict[int, str]:
    """Numbers of the first texts that an evasion changes, and what it makes of them."""
    random = _random(seed, kind)
    changed: dict[int, str] = {}
    for number, text in enumerate(texts):
        if len(changed) == wanted:
            break
        if (treated := evade(text, kind, random)) != text:
            changed[number] = treated
    return changed


def _random(seed: int, name: str) -> Random:
    return Random(f"{seed}:{name}")  # noqa: S311 - repeatable, not secret


def _share(over: NDArray[np.bool_]) -> float:
    """Share of texts flagged for anything."""
    return round(float(over.any(axis=1).mean()), 4)
