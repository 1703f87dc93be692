"""Which characters drove the linear model: stretches whose n-grams pushed a category up, in the folded text."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MOST = 3  # spans per category
SHARE = 0.25  # a span carries at least this share of the strongest one's weight
_SMOOTH = np.array([0.25, 0.5, 0.25])


def strongest(contributions: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Return up to three stretches of positive contribution, in order of place.

    Contributions are smoothed over three characters, so that one neutral character does not cut a phrase in two.
    """
    if len(contributions) < 3:
        return [(0, len(contributions))] if contributions.sum() > 0 else []
    smooth = np.convolve(np.pad(contributions, 1, mode="edge"), _SMOOTH, mode="valid")
    # Above the text's own mean: in a short text nearly every character leans the same way.
    high = smooth > max(0.0, float(smooth.mean()))
    edges = np.diff(high.astype(np.int8), prepend=0, append=0)
    stretches = list(zip(np.flatnonzero(edges == 1).tolist(), np.flatnonzero(edges == -1).tolist(), strict=True))
    weights = {stretch: float(smooth[slice(*stretch)].sum()) for stretch in stretches}
    if not weights:
        return []
    top = max(weights.values())
    best = sorted(weights, key=lambda stretch: -weights[stretch])[:MOST]
    return sorted(stretch for stretch in best if weights[stretch] >= SHARE * top)
