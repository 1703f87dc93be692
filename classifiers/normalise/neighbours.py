"""How likely one character follows another: a bigram model counted over plain text, in one table of 8 MB.

P(b | a) is the share of a's neighbours that are b, with absolute discounting (Ney, Essen and Kneser 1994): what is
taken from pairs that were seen is given to those that were not, in proportion to how frequent b is. Kept is the gain
log P(b | a) − log P(b) in steps of `STEP`, in a hash table of buckets of four; an entry carries eight bits of its key,
so that about one in two hundred of the pairs that were never seen passes for one that was.

`neighbours.npz` holds the model, `neighbours.json` its SHA-256 and what it was counted over.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from classifiers.errors import ModelError
from classifiers.normalise.tables import CODE_POINTS

FILE = Path(__file__).parent / "neighbours.npz"
BITS, WAYS = 20, 4  # buckets, and entries in each
SYMBOLS = 8191  # characters that are told apart; two of them make a key of 26 bits
STEP, LEAST = 0.08, -4.0
_MIX = np.uint64(0x9E3779B97F4A7C15)

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The model. `symbol` gives a code point's number, 0 for all that are rare; `single` its log probability, `unseen`
    the gain of a pair with it in front that was never seen; `table` as the module says."""

    symbol: NDArray[np.uint16]
    single: Floats
    unseen: Floats
    table: NDArray[np.uint16]

    def gain(self, before: Ints, after: Ints) -> Floats:
        """log P(after | before) − log P(after), of symbols."""
        steps = self._steps(before, after).view(np.uint16).reshape(-1, WAYS)
        step = np.maximum(np.maximum(steps[:, 0], steps[:, 1]), np.maximum(steps[:, 2], steps[:, 3]))
        return np.where(step > 0, _GAINS.take(step), self.unseen.take(before))

    def strange(self, before: Ints, after: Ints) -> NDArray[np.bool_]:
        """Which pairs of symbols were never seen together."""
        return np.asarray(self._steps(before, after) == 0)

    def _steps(self, before: Ints, after: Ints) -> NDArray[np.uint64]:
        """The steps of gain that stand in each pair's bucket, four of 16 bits each: 0 where an entry is not the pair's.

        The four are compared at once; no bit runs over from one into the next.
        """
        buckets, marks = buckets_of(before, after)
        kept = self.table.view(np.uint64)[:, 0].take(buckets, mode="clip")
        others = ((kept >> _BYTE) & _LOW) ^ (marks * _ONES)
        same = (_HIGH - others) & _HIGH  # bit 8, where nothing is other
        return np.asarray(kept & (same - (same >> _BYTE)))


_BYTE = np.uint64(8)
_ONES = np.uint64(0x0001_0001_0001_0001)
_LOW, _HIGH = _ONES * np.uint64(0xFF), _ONES * np.uint64(0x100)
_GAINS = LEAST + (np.arange(256) - 1) * STEP  # of each step; there is no step 0


def buckets_of(before: Ints, after: Ints) -> tuple[Ints, NDArray[np.uint64]]:
    """Bucket and mark of each pair of symbols."""
    mixed = (before << 13 | after).view(np.uint64) * _MIX
    mixed >>= np.uint64(64 - BITS - 8)
    return (mixed >> _BYTE).view(np.int64), mixed & np.uint64(255)


@lru_cache(maxsize=1)
def load_neighbours(path: Path = FILE) -> Neighbours:
    """Load the model that ships; its file is hashed and compared first, nothing is unpickled.

    Raises:
        ModelError: a file is missing or not what the other says.
    """
    manifest = path.with_suffix(".json")
    try:
        wanted = json.loads(manifest.read_text("utf-8"))["sha256"]
        content = path.read_bytes()
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(manifest, str(error), f"{path.name}, and its SHA-256 beside it") from error
    if (found := hashlib.sha256(content).hexdigest()) != wanted:
        raise ModelError(path, f"SHA-256 {found}", f"{wanted}, as {manifest.name} says")
    try:
        with np.load(path, allow_pickle=False) as stored:
            symbols, single, unseen, steps, values = (
                stored[name] for name in ("symbols", "single", "unseen", "steps", "values")
            )
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        raise ModelError(path, f"a file NumPy cannot read ({error})", "the arrays of `save_neighbours`") from error
    symbol = np.zeros(CODE_POINTS, dtype=np.uint16)
    symbol[symbols] = np.arange(1, len(symbols) + 1)
    keys = np.cumsum(steps, dtype=np.int64)
    buckets, marks = buckets_of(keys >> 13, keys & 8191)
    table = _filled(buckets, marks.astype(np.uint16) << np.uint16(8) | values)
    return Neighbours(symbol, single.astype(np.float64), unseen.astype(np.float64), table)


def _filled(buckets: Ints, entries: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """The table. Way by way, of several entries for one place the last is written and the others wait for the next way:
    five times as fast as sorting them."""
    table = np.zeros((1 << BITS, WAYS), dtype=np.uint16)
    left = np.arange(len(buckets), dtype=np.int32)
    written = np.zeros(1 << BITS, dtype=np.int32)
    for way in range(WAYS):
        places = buckets[left]
        written[places] = left
        won = written[places] == left
        table[places[won], way] = entries[left[won]]
        left = left[~won]
    return table


def _ways(buckets: Ints) -> tuple[Ints, Ints]:
    """An order of the pairs by bucket, and the place of each, so ordered, in its bucket."""
    order = np.argsort(buckets, kind="stable")
    heads = np.flatnonzero(np.diff(buckets[order], prepend=-1))
    place = np.arange(len(order)) - np.repeat(heads, np.diff(np.append(heads, len(order))))
    return order, place


def save_neighbours(
    path: Path, symbols: NDArray[np.uint32], single: Floats, unseen: Floats, keys: Ints, gains: Floats, times: Floats
) -> str:
    """Write a model; returns the file's SHA-256.

    `keys` are pairs of symbols, `before << 13 | after`, with their `gains` and how often each was seen; where more
    than four share a bucket the most frequent are kept.
    """
    often = np.argsort(-times, kind="stable")
    buckets, _ = buckets_of(keys[often] >> 13, keys[often] & 8191)
    order, way = _ways(buckets)
    kept = np.sort(keys[often[order[way < WAYS]]])
    values = np.clip(np.rint((gains[np.searchsorted(keys, kept)] - LEAST) / STEP) + 1, 1, 255).astype(np.uint8)
    np.savez_compressed(
        path,
        symbols=symbols,
        single=single.astype(np.float32),
        unseen=unseen.astype(np.float32),
        steps=np.diff(kept, prepend=0).astype(np.uint32),
        values=values,
    )
    return hashlib.sha256(path.read_bytes()).hexdigest()
