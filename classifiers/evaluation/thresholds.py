"""From which score on should a human look? Chosen from held-back texts, so that ordinary talk is rarely flagged.

Each category's threshold is the one at which `wanted` · recall − price · false alarms is largest; the price, the same
for all categories, is the lowest at which the share of ordinary talk flagged for anything stays within the aim. So the
false alarms that an aim allows are spent where they find most.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classifiers.evaluation.metrics import precision_recall_f1

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

STEP, LOWEST = 0.05, 0.2
MARGIN = 0.85
"""Thresholds are chosen for this share of the aim: on texts that they were not chosen on, more is flagged."""
LEAST_POSITIVES = 20
"""A category with fewer held-back positives has no threshold of its own: recall would be a guess."""
_PRICES = np.logspace(-3, 4, 141)


@dataclass(frozen=True, slots=True)
class HeldBack:
    """Texts never trained on: `scores` and `says` (1, 0, or below 0 for unknown) have a column per category of
    `slugs`; `registers` are the rows of each set of ordinary talk; `half` splits the rows in two, near-copies together.
    """

    slugs: tuple[str, ...]
    scores: Floats
    says: NDArray[np.int8]
    registers: Mapping[str, Mask]
    half: Mask


@dataclass(frozen=True, slots=True)
class Figures:
    """A threshold, and what is found and how much of what is flagged is right at it."""

    threshold: float
    recall: float
    precision: float


@dataclass(frozen=True, slots=True)
class Proposal:
    """Thresholds by category, and the share of ordinary talk that they flag for anything (mean over the sets)."""

    categories: Mapping[str, Figures]
    ordinary: float


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked of thresholds.

    `ordinary` names sets of ordinary talk, each counting alike, of which at most the share `at_most` may be flagged for
    anything. `wanted` says how much a category's recall counts, 1 where it is not named; `highest` above which score a
    category's threshold may not lie.
    """

    ordinary: Sequence[str]
    at_most: float
    wanted: Mapping[str, float]
    highest: Mapping[str, float]


def propose(held: HeldBack, wish: Wish) -> Proposal:
    """Choose thresholds on all rows.

    The figures are cross-validated: chosen on one half, measured on the other, both ways.

    Raises:
        KeyError: there is no such set of ordinary talk.
    """
    chosen = choose(held, np.ones(len(held.half), dtype=bool), wish)
    one, other = (_measured(held, ~half, wish.ordinary, choose(held, half, wish)) for half in (held.half, ~held.half))
    recall, precision = (one[0] + other[0]) / 2, (one[1] + other[1]) / 2
    categories = {
        slug: Figures(float(chosen[k]), round(float(recall[k]), 3), round(float(precision[k]), 3))
        for k, slug in enumerate(held.slugs)
        if _enough(held, k)
    }
    return Proposal(categories, round((one[2] + other[2]) / 2, 4))


def choose(held: HeldBack, part: Mask, wish: Wish) -> Floats:
    """Return one threshold per category, from the rows of `part`; the highest where a category cannot be measured."""
    top = np.array([wish.highest[slug] for slug in held.slugs])
    grid = np.round(np.arange(LOWEST, top.max() + STEP / 2, STEP), 4)
    registers = [held.scores[part & held.registers[name]] for name in wish.ordinary]
    recall, alarms = np.zeros((2, len(held.slugs), len(grid)))
    for k, slug in enumerate(held.slugs):
        positive = held.scores[part & (held.says[:, k] == 1), k]
        if _enough(held, k) and len(positive):
            recall[k] = wish.wanted.get(slug, 1.0) * (positive[:, None] >= grid).mean(axis=0)
        alarms[k] = np.mean([(calm[:, k, None] >= grid).mean(axis=0) for calm in registers], axis=0)
    recall[grid > top[:, None] + STEP / 2] = -np.inf
    limits = top
    # From dear to cheap: what is found grows, and so does what is flagged among ordinary talk.
    for price in _PRICES[::-1]:
        worth = recall - price * alarms + 1e-9 * grid  # of two alike, the higher threshold
        cheaper = grid[np.argmax(worth, axis=1)]
        if _flagged(registers, cheaper) > MARGIN * wish.at_most:
            break
        limits = cheaper
    return limits


def _flagged(registers: Sequence[Floats], limits: Floats) -> float:
    return float(np.mean([(calm >= limits).any(axis=1).mean() for calm in registers]))


def _measured(held: HeldBack, part: Mask, ordinary: Sequence[str], limits: Floats) -> tuple[Floats, Floats, float]:
    """Recall and precision by category, and the share of ordinary talk that is flagged."""
    recall, precision = np.zeros((2, len(held.slugs)))
    for k in range(len(held.slugs)):
        known = part & (held.says[:, k] >= 0)
        precision[k], recall[k], _ = precision_recall_f1(held.scores[known, k] >= limits[k], held.says[known, k])
    return recall, precision, _flagged([held.scores[part & held.registers[name]] for name in ordinary], limits)


def _enough(held: HeldBack, k: int) -> bool:
    return int((held.says[:, k] == 1).sum()) >= LEAST_POSITIVES
