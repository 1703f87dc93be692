"""Hashed character 1–4-grams of a whole batch, in NumPy.

Each folded text is read with a boundary mark at either end. An n-gram's bucket is a rolling polynomial of its code
points, mixed by one multiplication (Fibonacci hashing) and cut to `bits`. Digits of a run of four or more are read
as one digit, so that a phone number looks like any other phone number.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classifiers.normalise.fold import Folded
from classifiers.normalise.tables import DIGIT, tables

LONGEST = 4
BOUNDARY = np.uint64(2)
LONG_NUMBER = 4
_PRIME = np.uint64(0x100000001B3)
_MIX = np.uint64(0x9E3779B97F4A7C15)
_SALT = tuple(np.uint64(salt) for salt in (0, 0x51ED270B, 0xA24BAED5, 0x6C8E9CF5, 0x2545F491))


@dataclass(frozen=True, slots=True)
class Grams:
    """N-grams of a batch, sorted by text.

    `buckets[offsets[k]:offsets[k + 1]]` belong to text k. `starts` and `sizes` place each n-gram in the folded
    text (start −1 is the boundary mark before it).
    """

    buckets: NDArray[np.int32]
    offsets: NDArray[np.int64]
    starts: NDArray[np.int32]
    sizes: NDArray[np.int8]


def grams(folded: Folded, bits: int) -> Grams:
    """Return the hashed n-grams of each text."""
    count = len(folded)
    lengths = np.diff(folded.bounds)
    padded = lengths + 2
    begin = np.cumsum(padded) - padded
    points = np.full(int(padded.sum()), BOUNDARY, dtype=np.uint64)
    owner = np.repeat(np.arange(count, dtype=np.int64), padded)
    place = np.arange(len(points), dtype=np.int64) - begin[owner]
    inside = (place > 0) & (place <= lengths[owner])
    points[inside] = _plain_numbers(folded)
    left = padded[owner] - place  # how many code points from here to the end, this one counted
    # The boundary marks alone are no evidence: single characters are taken from inside only.
    valid = [inside, *(left >= size for size in range(2, LONGEST + 1))]
    columns, hashes = [], np.zeros(len(points), dtype=np.uint64)
    for size in range(1, LONGEST + 1):
        shifted = np.zeros_like(points)
        shifted[: max(0, len(points) - size + 1)] = points[size - 1 :]
        hashes = hashes * _PRIME + shifted + np.uint64(1)
        columns.append((((hashes ^ _SALT[size]) * _MIX) >> np.uint64(64 - bits)).astype(np.int32))
    mask = np.stack(valid, axis=1)
    buckets = np.stack(columns, axis=1)[mask]
    places = np.broadcast_to((place - 1)[:, None], mask.shape)[mask].astype(np.int32)
    sizes = np.broadcast_to(np.arange(1, LONGEST + 1, dtype=np.int8), mask.shape)[mask]
    per_text = np.bincount(owner, weights=mask.sum(axis=1), minlength=count).astype(np.int64)
    return Grams(buckets, np.concatenate(([0], np.cumsum(per_text))), places, sizes)


def _plain_numbers(folded: Folded) -> NDArray[np.uint32]:
    """Read every digit of a long number as 0."""
    points = folded.points
    digit = tables().shape[points] == DIGIT
    if not digit.any():
        return points
    edges = np.diff(digit.astype(np.int8), prepend=0, append=0)
    starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    # A number does not run from one text into the next.
    cuts = folded.bounds[1:-1]
    cuts = cuts[(cuts > 0) & (cuts < len(points))]
    cuts = cuts[digit[cuts] & digit[cuts - 1]]
    starts, ends = np.union1d(starts, cuts), np.union1d(ends, cuts)
    points = points.copy()
    for start, end in zip(starts[ends - starts >= LONG_NUMBER], ends[ends - starts >= LONG_NUMBER], strict=True):
        points[start:end] = ord("0")
    return points
