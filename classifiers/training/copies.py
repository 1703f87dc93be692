"""Near-copies: texts that differ in a number, a name or a blank. They leak between training and held-back rows.

MinHash (Broder 1997) over hashed character 3- and 4-grams; two texts that agree on a whole band of minima are put in
one group, and groups are the connected components. With three minima to a band and four bands, texts whose n-grams
overlap by four fifths meet with probability .94, by one half with .41.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from classifiers.ngrams import grams
from classifiers.normalise.fold import fold

BANDS, ROWS = 4, 3
BATCH = 4096
_HASH_BITS = 31


def near_copies(texts: Sequence[str], *, seed: int = 1) -> NDArray[np.int64]:
    """Return a group number per text; near-copies share theirs."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    if not texts:
        return np.zeros(0, dtype=np.int64)
    minima = np.concatenate([_minima(texts[i : i + BATCH], seed) for i in range(0, len(texts), BATCH)])
    left, right = [], []
    for band in range(BANDS):
        keys = minima[:, band * ROWS : (band + 1) * ROWS]
        _, inverse = np.unique(keys, axis=0, return_inverse=True)
        order = np.argsort(inverse.ravel(), kind="stable")
        same = inverse.ravel()[order][1:] == inverse.ravel()[order][:-1]
        left.append(order[:-1][same])
        right.append(order[1:][same])
    pairs = np.concatenate(left), np.concatenate(right)
    graph = coo_matrix((np.ones(len(pairs[0]), dtype=np.int8), pairs), shape=(len(texts), len(texts)))
    _, groups = connected_components(graph, directed=False)
    result: NDArray[np.int64] = groups.astype(np.int64)
    return result


def _minima(texts: Sequence[str], seed: int) -> NDArray[np.uint64]:
    found = grams(fold([_skeleton(text) for text in texts]), _HASH_BITS)
    long_enough = found.sizes >= 3
    owner = np.repeat(np.arange(len(texts)), np.diff(found.offsets))[long_enough]
    buckets = found.buckets[long_enough].astype(np.uint64)
    random = np.random.default_rng(seed)
    minima = np.empty((len(texts), BANDS * ROWS), dtype=np.uint64)
    offsets = np.searchsorted(owner, np.arange(len(texts)))
    filled = np.flatnonzero(np.bincount(owner, minlength=len(texts)))
    for k in range(BANDS * ROWS):
        multiplier, shift = random.integers(1, 2**62, size=2, dtype=np.uint64)
        mixed = ((buckets ^ shift) * (multiplier | np.uint64(1))) >> np.uint64(20)
        minima[:, k] = np.uint64(2**63) + np.arange(len(texts), dtype=np.uint64)  # a text without n-grams is alone
        minima[filled, k] = np.minimum.reduceat(mixed, offsets[filled])
    return minima


def _skeleton(text: str) -> str:
    """Letters only, every number the same."""
    return "".join("0" if c.isdigit() else c for c in text if c.isalnum())
