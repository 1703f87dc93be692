"""Fold a whole batch of texts at once, with a map from every folded character back into its text as given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classifiers.assessment import Undone
from classifiers.normalise.tables import (
    CODE_POINTS,
    COMBINING,
    DIGIT,
    DROPPED,
    EXPANDS,
    HAN,
    INVISIBLE,
    KINDS,
    LATIN,
    SPACE,
    tables,
)

LONGEST_RUN = 3  # a character repeated more often says no more than three times the same
SPACED_SHARE, SPACED_LEAST = 0.5, 3
"""A text is letter-spaced when at least this share of its neighbouring Chinese characters, and this many, have a blank
between them: Chinese is written without."""
MOST_UNDONE = 64  # entries per text; a text wholly in traditional characters needs one, not thousands


@dataclass(frozen=True, slots=True)
class Folded:
    """Folded texts, one after another.

    `points` are code points; `points[i]` was read from `source[i]:ends[i]` of its own text as given, in code points;
    text number k is `points[bounds[k]:bounds[k + 1]]`. `given` holds the unfolded code points with `given_bounds`.
    """

    points: NDArray[np.uint32]
    source: NDArray[np.int32]
    ends: NDArray[np.int32]
    bounds: NDArray[np.int64]
    given: NDArray[np.uint32]
    given_bounds: NDArray[np.int64]
    spaced: frozenset[int] = frozenset()  # numbers of texts whose letter-spacing was taken out

    def __len__(self) -> int:
        return len(self.bounds) - 1

    def text(self, number: int) -> str:
        """Return a folded text."""
        return to_text(self.points[self.bounds[number] : self.bounds[number + 1]])


def to_points(text: str) -> NDArray[np.uint32]:
    """Code points of a text; a lone surrogate is a code point like any other."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)


def to_text(points: NDArray[np.uint32]) -> str:
    """Text of code points."""
    return points.astype("<u4").tobytes().decode("utf-32-le", "surrogatepass")


def fold(texts: Sequence[str]) -> Folded:
    """Fold texts. Folding twice gives what folding once gives."""
    table = tables()
    given = to_points("".join(texts))
    lengths = np.fromiter((len(text) for text in texts), dtype=np.int64, count=len(texts))
    given_bounds = np.concatenate(([0], np.cumsum(lengths)))
    owner = np.repeat(np.arange(len(texts), dtype=np.int32), lengths)
    points = table.fold[given]
    source = (np.arange(len(given), dtype=np.int64) - given_bounds[owner]).astype(np.int32)
    keep = points != DROPPED
    points, source, owner = points[keep], source[keep], owner[keep]
    if len(points) and (points >= CODE_POINTS).any():
        points, source, owner = _expand(points, source, owner, table.expansions)
    points, source, owner = _squeeze(points, source, owner, table.shape)
    keep, spaced = _letter_spacing(points, owner, table.shape, len(texts))
    points, source, owner = points[keep], source[keep], owner[keep]
    bounds = np.concatenate(([0], np.cumsum(np.bincount(owner, minlength=len(texts))))).astype(np.int64)
    return Folded(points, source, source + np.int32(1), bounds, given, given_bounds.astype(np.int64), spaced)


def as_given(texts: Sequence[str]) -> Folded:
    """Texts in the shape of folded ones, with nothing folded: to see what folding brings."""
    given = to_points("".join(texts))
    bounds = np.concatenate(([0], np.cumsum([len(text) for text in texts]))).astype(np.int64)
    source = (np.arange(len(given)) - np.repeat(bounds[:-1], np.diff(bounds))).astype(np.int32)
    return Folded(given, source, source + np.int32(1), bounds, given, bounds)


def _letter_spacing(
    points: NDArray[np.uint32], owner: NDArray[np.int32], shape: NDArray[np.uint8], count: int
) -> tuple[NDArray[np.bool_], frozenset[int]]:
    """Which characters stay, and the numbers of the texts that were letter-spaced."""
    keep = np.ones(len(points), dtype=bool)
    if len(points) < 3:
        return keep, frozenset()
    han = shape[points] == HAN
    close = han[:-1] & han[1:] & (owner[:-1] == owner[1:])
    apart = han[:-2] & (points[1:-1] == 32) & han[2:] & (owner[:-2] == owner[2:])
    if not apart.any():
        return keep, frozenset()
    together = np.bincount(owner[:-1][close], minlength=count)
    separate = np.bincount(owner[:-2][apart], minlength=count)
    spaced = (separate >= SPACED_LEAST) & (separate >= SPACED_SHARE * (separate + together))
    keep[1:-1] = ~(apart & spaced[owner[:-2]])
    return keep, frozenset(np.flatnonzero(spaced).tolist())


def _expand(
    points: NDArray[np.uint32],
    source: NDArray[np.int32],
    owner: NDArray[np.int32],
    expansions: tuple[tuple[int, ...], ...],
) -> tuple[NDArray[np.uint32], NDArray[np.int32], NDArray[np.int32]]:
    """Put in the letters of characters that stand for several (㏒, ⑩)."""
    where = np.flatnonzero(points >= CODE_POINTS)
    read = [expansions[int(points[i] - EXPANDS)] for i in where]
    counts = np.ones(len(points), dtype=np.int64)
    counts[where] = [len(entry) for entry in read]
    starts = np.cumsum(counts) - counts
    points, source, owner = np.repeat(points, counts), np.repeat(source, counts), np.repeat(owner, counts)
    for begin, entry in zip(starts[where], read, strict=True):
        points[begin : begin + len(entry)] = entry
    return points, source, owner


def _squeeze(
    points: NDArray[np.uint32], source: NDArray[np.int32], owner: NDArray[np.int32], shape: NDArray[np.uint8]
) -> tuple[NDArray[np.uint32], NDArray[np.int32], NDArray[np.int32]]:
    """Shorten runs of one character to three, runs of blanks to one; digits stay, they may be a number."""
    if not len(points):
        return points, source, owner
    blank = shape[points] == SPACE
    points = np.where(blank, np.uint32(32), points)
    fresh = np.ones(len(points), dtype=bool)
    fresh[1:] = (points[1:] != points[:-1]) | (owner[1:] != owner[:-1])
    heads = np.flatnonzero(fresh)
    place = np.arange(len(points)) - np.repeat(heads, np.diff(np.append(heads, len(points))))
    keep = (place < np.where(blank, 1, LONGEST_RUN)) | (shape[points] == DIGIT)
    return points[keep], source[keep], owner[keep]


def undone(folded: Folded) -> dict[int, list[Undone]]:
    """Name the evasions that folding undid, per text number; texts without any are absent."""
    table = tables()
    kinds = table.kind[folded.given]
    places = np.flatnonzero(kinds)
    if not len(places):
        return {number: [_spaced(folded, number)] for number in folded.spaced}
    owners = np.searchsorted(folded.given_bounds, places, side="right") - 1
    breaks = np.flatnonzero((np.diff(places) != 1) | (np.diff(kinds[places]) != 0) | (np.diff(owners) != 0)) + 1
    starts = np.concatenate(([0], breaks))
    ends = np.concatenate((breaks, [len(places)]))
    found: dict[int, list[Undone]] = {number: [_spaced(folded, number)] for number in folded.spaced}
    for first, last in zip(places[starts], places[ends - 1], strict=True):
        number = int(np.searchsorted(folded.given_bounds, first, side="right") - 1)
        entry = _entry(folded, number, int(first), int(last) + 1, int(kinds[first]))
        if entry and len(found.setdefault(number, [])) < MOST_UNDONE:
            found[number].append(entry)
    return {number: entries for number, entries in found.items() if entries}


def _spaced(folded: Folded, number: int) -> Undone:
    """The whole stretch whose blanks were taken out."""
    part = slice(int(folded.bounds[number]), int(folded.bounds[number + 1]))
    start, end = int(folded.source[part].min()), int(folded.ends[part].max())
    base = int(folded.given_bounds[number])
    seen = to_text(folded.given[base + start : base + end])
    return Undone(start=start, end=end, seen=seen, read_as=folded.text(number), kind="spaced")


def _entry(folded: Folded, number: int, first: int, end: int, kind: int) -> Undone | None:
    table = tables()
    begin, stop = int(folded.given_bounds[number]), int(folded.given_bounds[number + 1])
    seen = folded.given[first:end]
    before = int(table.shape[folded.given[first - 1]]) if first > begin else 0
    after = int(table.shape[folded.given[end]]) if end < stop else 0
    lettered = (HAN, LATIN, DIGIT)
    if kind == INVISIBLE and not (before in lettered and after in lettered):
        return None  # a stray mark at an edge hides nothing
    if kind == COMBINING and before != HAN and end - first < 2:
        return None  # an accent on a foreign word
    read: list[int] = []
    for point in table.fold[seen].tolist():
        if point >= CODE_POINTS and point != DROPPED:
            read.extend(table.expansions[point - int(EXPANDS)])
        elif point != DROPPED:
            read.append(point)
    return Undone(
        start=first - begin,
        end=end - begin,
        seen=to_text(seen),
        read_as=to_text(np.array(read, dtype=np.uint32)),
        kind=KINDS[kind],
    )
