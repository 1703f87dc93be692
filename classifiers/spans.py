"""Which characters drove a score, in two ways.

`strongest`: stretches whose n-grams pushed the linear model up, in the folded text. They serve for what both models
say together, too: what the encoder raises is nearly always what the linear model leans to.
`occlusions`: parts to leave out one at a time where no stretch is found, to see without which the score falls most.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SHORT, LONG, PER = 3, 8, 15  # spans per category: at most three of a short text, one for fifteen characters, eight
SHARE = 0.15  # a span carries at least this share of the strongest one's weight
ABOVE = 1.5  # a span's characters lean so many times more than the text's mean
NEAR_TOP = 0.75  # or nearly as much as the strongest one, where all lean alike
PARTS = 7  # occlusions of one text


def strongest(contributions: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Return a few stretches of positive contribution, in order of place; none only where the whole leans the other
    way.

    Contributions are smoothed over three characters, so that one neutral character does not cut a phrase in two.
    """
    length = len(contributions)
    if length < 3:
        return [(0, length)] if contributions.sum() > 0 else []
    # Written out: NumPy's convolve, pad and diff take longer to be called than a short text takes to be read.
    wide = np.concatenate((contributions[:1], contributions, contributions[-1:]))
    smooth = wide[:-2] * 0.25 + wide[1:-1] * 0.5 + wide[2:] * 0.25
    top = float(smooth.max())
    if top <= 0:
        return []
    # Above the text's own mean: in a short text nearly every character leans the same way.
    high = smooth > min(max(0.0, ABOVE * float(smooth.mean())), NEAR_TOP * top)
    turns = ((high[1:] != high[:-1]).nonzero()[0] + 1).tolist()
    marks = [*([0] if high[0] else []), *turns, *([length] if high[-1] else [])]
    sums = np.concatenate(([0.0], smooth.cumsum())).tolist()
    weights = {(start, end): sums[end] - sums[start] for start, end in zip(marks[::2], marks[1::2], strict=True)}
    best = sorted(weights, key=lambda stretch: -weights[stretch])[: min(LONG, max(SHORT, length // PER))]
    least = SHARE * weights[best[0]]
    return sorted(stretch for stretch in best if weights[stretch] >= least)


def occlusions(length: int) -> list[tuple[int, int]]:
    """Stretches of a quarter of a text, an eighth apart; the whole of a text of hardly any characters."""
    if length < PARTS + 1:
        return [(0, length)]
    return [(k * length // (PARTS + 1), (k + 2) * length // (PARTS + 1)) for k in range(PARTS)]
