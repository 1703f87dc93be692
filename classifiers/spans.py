"""Which characters drove the linear model: stretches whose n-grams pushed a category up, in the folded text."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MOST = 3  # spans per category
SHARE = 0.25  # a span carries at least this share of the strongest one's weight


def strongest(contributions: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Return up to three stretches of positive contribution, in order of place.

    Contributions are smoothed over three characters, so that one neutral character does not cut a phrase in two.
    """
    if len(contributions) < 3:
        return [(0, len(contributions))] if contributions.sum() > 0 else []
    # Written out: NumPy's convolve, pad and diff take longer to be called than a short text takes to be read.
    wide = np.concatenate((contributions[:1], contributions, contributions[-1:]))
    smooth = wide[:-2] * 0.25 + wide[1:-1] * 0.5 + wide[2:] * 0.25
    # Above the text's own mean: in a short text nearly every character leans the same way.
    high = smooth > max(0.0, float(smooth.mean()))
    turns = ((high[1:] != high[:-1]).nonzero()[0] + 1).tolist()
    marks = [*([0] if high[0] else []), *turns, *([len(high)] if high[-1] else [])]
    sums = np.concatenate(([0.0], smooth.cumsum())).tolist()
    weights = {(start, end): sums[end] - sums[start] for start, end in zip(marks[::2], marks[1::2], strict=True)}
    if not weights:
        return []
    top = max(weights.values())
    best = sorted(weights, key=lambda stretch: -weights[stretch])[:MOST]
    return sorted(stretch for stretch in best if weights[stretch] >= SHARE * top)
