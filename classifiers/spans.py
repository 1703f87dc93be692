"""Which characters drove a score, in two ways.

`strongest`: stretches whose n-grams pushed the linear model up, in the folded text. They serve for what both models
say together, too: what the encoder raises is nearly always what the linear model leans to.
`occlusions`: parts to leave out one at a time where no stretch is found, to see without which the score falls most.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

SHORT, LONG, PER = 3, 8, 15  # spans per category: at most three of a short text, one for fifteen characters, eight
SHARE = 0.15  # a span carries at least this share of the strongest one's weight
ABOVE = 1.5  # a span's characters lean so many times more than the text's mean
NEAR_TOP = 0.75  # or nearly as much as the strongest one, where all lean alike
WHOLE = 3  # a text of fewer characters is marked as a whole
PARTS = 7  # occlusions of one text


def strongest(contributions: Floats, lengths: Ints) -> tuple[Ints, Ints, Ints]:
    """Return a few stretches of positive contribution of each text, in order of texts and of places; none only where
    the whole leans the other way.

    A row of `contributions` is a text's, of which the first so many as `lengths` says count, at least one. The answer
    has the number of the row, begin and end of each stretch. Contributions are smoothed over three characters, so that
    one neutral character does not cut a phrase in two.
    """
    inside = np.arange(contributions.shape[1]) < lengths[:, None]
    smooth = _smoothed(contributions, lengths)
    top = smooth.max(axis=1, where=inside, initial=-np.inf)
    # Row by row: a sum over filled-up rows is rounded in other places, and a text's spans would depend on the others.
    mean = np.array([row[:length].mean() for row, length in zip(smooth, lengths.tolist(), strict=True)])
    # Above the text's own mean: in a short text nearly every character leans the same way.
    least = np.where(top > 0, np.minimum(np.maximum(0.0, ABOVE * mean), NEAR_TOP * top), np.inf)
    whole = lengths < WHOLE
    least[whole] = [
        -np.inf if row[:length].sum() > 0 else np.inf
        for row, length in zip(contributions[whole], lengths[whole], strict=True)
    ]
    edges = np.diff(inside & (smooth > least[:, None]), axis=1, prepend=False, append=False)
    row, turns = np.nonzero(edges)
    row, starts, ends = row[::2], turns[::2], turns[1::2]
    sums = np.zeros((smooth.shape[0], smooth.shape[1] + 1))
    np.cumsum(smooth, axis=1, out=sums[:, 1:])
    return _heaviest(row, starts, ends, sums[row, ends] - sums[row, starts], lengths)


def _smoothed(contributions: Floats, lengths: Ints) -> Floats:
    """Each with its neighbours, itself counted twice; at an edge it is its own neighbour."""
    before, after = np.empty_like(contributions), np.empty_like(contributions)
    before[:, 1:], after[:, :-1] = contributions[:, :-1], contributions[:, 1:]
    before[:, 0] = contributions[:, 0]
    every = np.arange(len(lengths))
    after[every, lengths - 1] = contributions[every, lengths - 1]
    return np.asarray(before * 0.25 + contributions * 0.5 + after * 0.25)


def _heaviest(row: Ints, starts: Ints, ends: Ints, weights: Floats, lengths: Ints) -> tuple[Ints, Ints, Ints]:
    """Of each row's stretches those that weigh most: a few, and none that is light beside the heaviest."""
    order = np.lexsort((starts, -weights, row))
    row, starts, ends, weights = row[order], starts[order], ends[order], weights[order]
    first = np.searchsorted(row, row)  # place of the row's heaviest
    most = np.minimum(LONG, np.maximum(SHORT, lengths // PER))[row]
    kept = (np.arange(len(row)) - first < most) & (weights >= SHARE * weights[first])
    row, starts, ends = row[kept], starts[kept], ends[kept]
    order = np.lexsort((starts, row))
    return row[order], starts[order], ends[order]


def occlusions(length: int) -> list[tuple[int, int]]:
    """Stretches of a quarter of a text, an eighth apart; the whole of a text of hardly any characters."""
    if length < PARTS + 1:
        return [(0, length)]
    return [(k * length // (PARTS + 1), (k + 2) * length // (PARTS + 1)) for k in range(PARTS)]
