"""What is counted before anything is trained: static vectors for every embedding table, and who follows whom.

A row (a character, a hashed pair, a syllable …) is described by how much more often than chance each frequent
character stands near it (positive pointwise mutual information, Levy and Goldberg 2014, contexts smoothed by the
power .75). The singular vectors of the characters' matrix give the axes; rows of the other tables are laid on the
same axes, so a pair and the characters it is made of live in one space.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.alphabet import SPECIALS, Alphabet
from classifiers.training.pretrain_recipe import Shape, Vectors
from classifiers.training.tokens import Ids

Floats = NDArray[np.float32]
SCALE = 0.2  # root mean square of an element of a table
FOLLOWERS = 32
SOUNDS = 512
_CHUNK = 4_000_000
_FEW = 20.0  # a row seen this often keeps half its length

MULTIPLIERS = (40503, 10007, 30011)
_PRIME = 1_000_003


def pair_rows(first: Any, second: Any, buckets: int) -> Any:
    """Table rows of pairs of ids: arrays here, tensors inside the model's graph."""
    return (first * MULTIPLIERS[0] + second * MULTIPLIERS[1] + 7) % _PRIME % buckets


def triple_rows(first: Any, second: Any, third: Any, buckets: int) -> Any:
    """Table rows of triples of ids: arrays here, tensors inside the model's graph."""
    mixed = first * MULTIPLIERS[0] + second * MULTIPLIERS[1] + third * MULTIPLIERS[2]
    return (mixed + 13) % _PRIME % buckets


@dataclass(frozen=True, slots=True)
class Counted:
    """`tables` by name (character, pair, triple, sound, sound_pair; empty where none were asked for), the number of
    each id, and the most frequent followers of each id with their cumulative shares."""

    tables: dict[str, Floats]
    counts: NDArray[np.int64]
    followers: Ids
    shares: Floats


def sounds_of(alphabet: Alphabet) -> NDArray[np.int64]:
    """A number per id: the toneless syllable of a Chinese character, a number of its own for a Latin letter, else 0."""
    from pypinyin import Style, lazy_pinyin

    found = np.zeros(len(alphabet), dtype=np.int64)
    numbers: dict[str, int] = {}
    for number, character in enumerate(alphabet.characters, len(SPECIALS)):
        if "a" <= character <= "z":
            sound = character
        else:
            read = lazy_pinyin(character, style=Style.NORMAL, errors="ignore")
            if not read:
                continue
            sound = f"{read[0]}."
        found[number] = min(numbers.setdefault(sound, len(numbers) + 1), SOUNDS - 1)
    return found


def count(
    streams: Sequence[Ids],
    sounds: NDArray[np.int64],
    shape: Shape,
    vectors: Vectors | None,
    seed: int,
    tick: Callable[[str], None] = lambda _: None,
) -> Counted:
    """Count a sample of the streams and make the tables."""
    size = len(sounds)
    sample = _sample(streams, vectors.tokens if vectors else 20_000_000, seed)
    counts = np.bincount(sample, minlength=size)
    followers, shares = _followers(sample, size)
    tick("followers")
    tables: dict[str, Floats] = {}
    if vectors:
        contexts = min(vectors.contexts, size - len(SPECIALS))
        matrix = _mutual(_near(sample, sample, size, contexts, 1, vectors.window))
        axes, sizes = _axes(matrix, shape.character)
        tables["character"] = _lay(matrix, axes, sizes, shape.character, counts)
        tick("characters")
        ids = sample.astype(np.int64)
        heard = sounds[ids]
        rows = {
            "pair": (pair_rows(ids[:-1], ids[1:], shape.pair_buckets), shape.pair_buckets, 2),
            "triple": (triple_rows(ids[:-2], ids[1:-1], ids[2:], shape.triple_buckets), shape.triple_buckets, 3),
            "sound": (heard, SOUNDS, 1),
            "sound_pair": (pair_rows(heard[:-1], heard[1:], shape.sound_pair_buckets), shape.sound_pair_buckets, 2),
        }
        for name, (places, buckets, wide) in rows.items():
            matrix = _mutual(_near(places, sample, buckets, contexts, wide, vectors.window))
            seen = np.bincount(places, minlength=buckets)
            tables[name] = _lay(matrix, axes, sizes, getattr(shape, name), seen)
            tick(name)
    return Counted(tables, counts, followers, shares)


def save_counted(counted: Counted, path: Path) -> None:
    """Write what was counted, to be read by `read_counted`."""
    tables = {f"table.{name}": table for name, table in counted.tables.items()}
    np.savez(path, counts=counted.counts, followers=counted.followers, shares=counted.shares, **tables)  # type: ignore[arg-type]


def read_counted(path: Path) -> Counted:
    """Read what `save_counted` wrote."""
    with np.load(path, allow_pickle=False) as kept:
        tables = {name.removeprefix("table."): kept[name] for name in kept.files if name.startswith("table.")}
        return Counted(tables, kept["counts"], kept["followers"], kept["shares"])


def _sample(streams: Sequence[Ids], tokens: int, seed: int) -> Ids:
    """Chunks of the streams, together about `tokens` long, each stream by its length."""
    random = np.random.default_rng(seed)
    total = sum(map(len, streams))
    parts = []
    for ids in streams:
        wanted = min(len(ids), int(np.ceil(tokens * len(ids) / total)))
        begin = int(random.integers(0, len(ids) - wanted + 1))
        parts.append(np.asarray(ids[begin : begin + wanted]))
    return np.concatenate(parts)


def _near(places: NDArray[np.integer], sample: Ids, rows: int, contexts: int, wide: int, window: int) -> Floats:
    """How often each row stands within `window` of each context character, outside of the row's own `wide` ids."""
    flat = np.zeros(rows * contexts, dtype=np.float32)
    one = np.float32(1)
    for offset in (*range(-window, 0), *range(wide, wide + window)):
        for low in range(max(0, -offset), len(places), _CHUNK):
            high = min(low + _CHUNK, len(places), len(sample) - offset)
            if high <= low:
                continue
            near = sample[low + offset : high + offset].astype(np.int64) - len(SPECIALS)
            good = (near >= 0) & (near < contexts)
            np.add.at(flat, places[low:high][good].astype(np.int64) * contexts + near[good], one)
    return flat.reshape(rows, contexts)


def _mutual(near: Floats) -> Floats:
    """Positive pointwise mutual information, in place."""
    total = float(near.sum(dtype=np.float64))
    row = np.maximum(near.sum(axis=1, dtype=np.float64), 1.0)
    column = near.sum(axis=0, dtype=np.float64) ** 0.75
    column = np.maximum(column / max(column.sum(), 1.0), 1e-12)
    near /= row.astype(np.float32)[:, None] if total else np.float32(1)
    near /= column.astype(np.float32)
    np.maximum(near, np.float32(1), out=near)
    return np.log(near, out=near)


def _axes(matrix: Floats, wanted: int) -> tuple[Floats, Floats]:
    """The strongest right singular vectors and their singular values."""
    values, vectors = np.linalg.eigh((matrix.T @ matrix).astype(np.float64))
    order = np.argsort(-values)[:wanted]
    return vectors[:, order].astype(np.float32), np.sqrt(np.maximum(values[order], 1e-6)).astype(np.float32)


def _lay(matrix: Floats, axes: Floats, sizes: Floats, width: int, seen: NDArray[np.integer]) -> Floats:
    """Rows on the first `width` axes, all of one length but for rows seen seldom, which are shorter."""
    used = min(width, axes.shape[1])
    laid = np.zeros((len(matrix), width), dtype=np.float32)
    laid[:, :used] = matrix @ (axes[:, :used] / np.sqrt(sizes[:used]))
    lengths = np.linalg.norm(laid, axis=1, keepdims=True)
    known = (seen / (seen + _FEW)).astype(np.float32)[:, None]
    result: Floats = laid / np.maximum(lengths, 1e-6) * known * np.float32(SCALE * width**0.5)
    return result


def _followers(sample: Ids, size: int) -> tuple[Ids, Floats]:
    """Per id its most frequent followers and the cumulative shares of those."""
    flat = np.zeros(size * size, dtype=np.int32)
    np.add.at(flat, sample[:-1].astype(np.int64) * size + sample[1:], np.int32(1))
    table = flat.reshape(size, size)
    table[:, : len(SPECIALS)] = 0
    most = min(FOLLOWERS, size)
    best = np.argpartition(-table, most - 1, axis=1)[:, :most]
    found = np.take_along_axis(table, best, axis=1).astype(np.float64) + 1e-3
    shares = np.cumsum(found, axis=1) / found.sum(axis=1, keepdims=True)
    return best.astype(np.uint16), shares.astype(np.float32)
