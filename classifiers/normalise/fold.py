"""Fold a whole batch of texts at once, with a map from every folded character back into its text as given."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

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
SPACED_SHARE, SPACED_LEAST, SPACED_WHOLLY = 0.5, 3, 2
"""A text is letter-spaced when at least this share of its neighbouring Chinese characters, and this many, have a blank
between them, or fewer of a short text where no two have none: Chinese is written without."""
MOST_UNDONE = 64  # entries per text; a text wholly in traditional characters needs one, not thousands


@dataclass(frozen=True, slots=True)
class Folded:
    """Folded texts, one after another.

    `points` are code points; `points[i]` was read from `source[i]:ends[i]` of its own text as given, in code points,
    both never falling within a text; text number k is `points[bounds[k]:bounds[k + 1]]`, `owner` is the number of each
    point's text, and `shape` what it is (HAN, LATIN, …). `given` holds the unfolded code points with `given_bounds`.
    """

    points: NDArray[np.uint32]
    source: NDArray[np.int32]
    ends: NDArray[np.int32]
    bounds: NDArray[np.int64]
    owner: NDArray[np.int64]
    shape: NDArray[np.uint8]
    given: NDArray[np.uint32]
    given_bounds: NDArray[np.int64]
    spaced: frozenset[int] = frozenset()  # numbers of texts whose letter-spacing was taken out

    def __len__(self) -> int:
        return len(self.bounds) - 1

    def text(self, number: int) -> str:
        """Return a folded text."""
        return to_text(self.points[self.bounds[number] : self.bounds[number + 1]])

    def texts(self) -> list[str]:
        """Return every folded text."""
        whole, bounds = to_text(self.points), self.bounds.tolist()
        return [whole[begin:end] for begin, end in itertools.pairwise(bounds)]


def to_points(text: str) -> NDArray[np.uint32]:
    """Code points of a text; a lone surrogate is a code point like any other."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)


def to_text(points: NDArray[np.uint32]) -> str:
    """Text of code points."""
    return points.astype("<u4").tobytes().decode("utf-32-le", "surrogatepass")


def look_up(table: NDArray[Any], points: NDArray[np.uint32]) -> NDArray[Any]:
    """What a table of all code points says of some: four times as fast as indexing, which checks each."""
    return table.take(points.astype(np.intp), mode="clip")


def fold(texts: Sequence[str]) -> Folded:
    """Fold texts. Folding twice gives what folding once gives."""
    table = tables()
    given = to_points("".join(texts))
    given_bounds, owner = _laid_out(texts)
    points, at = look_up(table.fold, given), np.arange(len(given))
    special = points >= CODE_POINTS
    if special.any():
        kept = np.flatnonzero(points != DROPPED)
        points, at, owner = points[kept], at[kept], owner[kept]
        if (points >= CODE_POINTS).any():
            points, at, owner = _expand(points, at, owner, table.expansions)
    shape = look_up(table.shape, points)
    points = np.where(shape == SPACE, np.uint32(32), points)
    kept = np.flatnonzero(~_too_often(points, owner, shape))
    points, at, owner, shape = points[kept], at[kept], owner[kept], shape[kept]
    spacing, spaced = _letter_spacing(points, owner, shape, len(texts))
    if spaced:
        kept = np.flatnonzero(~spacing)
        points, at, owner, shape = points[kept], at[kept], owner[kept], shape[kept]
        kept = np.flatnonzero(~_too_often(points, owner, shape))  # blanks stood between what is alike
        points, at, owner, shape = points[kept], at[kept], owner[kept], shape[kept]
    bounds = np.searchsorted(owner, np.arange(len(texts) + 1))
    source = (at - given_bounds[owner]).astype(np.int32)
    return Folded(points, source, source + np.int32(1), bounds, owner, shape, given, given_bounds, spaced)


def as_given(texts: Sequence[str]) -> Folded:
    """Texts in the shape of folded ones, with nothing folded: to see what folding brings."""
    given = to_points("".join(texts))
    bounds, owner = _laid_out(texts)
    source = (np.arange(len(given)) - bounds[owner]).astype(np.int32)
    shape = look_up(tables().shape, given)
    return Folded(given, source, source + np.int32(1), bounds, owner, shape, given, bounds)


def _laid_out(texts: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where each of some texts begins in all of them joined, and whose each character is."""
    bounds = np.zeros(len(texts) + 1, dtype=np.int64)
    np.cumsum([len(text) for text in texts], out=bounds[1:])
    return bounds, np.repeat(np.arange(len(texts)), np.diff(bounds))


def _letter_spacing(
    points: NDArray[np.uint32], owner: NDArray[np.int64], shape: NDArray[np.uint8], count: int
) -> tuple[NDArray[np.bool_], frozenset[int]]:
    """Which characters are blanks to be taken out, and the numbers of the texts that were letter-spaced."""
    spacing = np.zeros(len(points), dtype=bool)
    if len(points) < 3:
        return spacing, frozenset()
    han = shape == HAN
    apart = np.flatnonzero(han[:-2] & (points[1:-1] == 32) & han[2:] & (owner[:-2] == owner[2:]))
    separate = np.bincount(owner[apart], minlength=count)
    if not (separate >= SPACED_WHOLLY).any():
        return spacing, frozenset()
    close = np.flatnonzero(han[:-1] & han[1:] & (owner[:-1] == owner[1:]))
    together = np.bincount(owner[close], minlength=count)
    least = np.where(together > 0, SPACED_LEAST, SPACED_WHOLLY)
    spaced = (separate >= least) & (separate >= SPACED_SHARE * (separate + together))
    spacing[apart[spaced[owner[apart]]] + 1] = True
    return spacing, frozenset(np.flatnonzero(spaced).tolist())


def _expand(
    points: NDArray[np.uint32],
    at: NDArray[np.int64],
    owner: NDArray[np.int64],
    expansions: tuple[tuple[int, ...], ...],
) -> tuple[NDArray[np.uint32], NDArray[np.int64], NDArray[np.int64]]:
    """Put in the letters of characters that stand for several (㏒, ⑩)."""
    where = np.flatnonzero(points >= CODE_POINTS)
    read = [expansions[int(points[i] - EXPANDS)] for i in where]
    counts = np.ones(len(points), dtype=np.int64)
    counts[where] = [len(entry) for entry in read]
    starts = np.cumsum(counts) - counts
    points, at, owner = np.repeat(points, counts), np.repeat(at, counts), np.repeat(owner, counts)
    for begin, entry in zip(starts[where], read, strict=True):
        points[begin : begin + len(entry)] = entry
    return points, at, owner


def _too_often(points: NDArray[np.uint32], owner: NDArray[np.int64], shape: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """What goes beyond three of one character, or one blank, in a row; digits stay, they may be a number."""
    again = (points[1:] == points[:-1]) & (owner[1:] == owner[:-1])
    beyond = np.zeros(len(points), dtype=bool)
    beyond[1:] = again & (shape[1:] == SPACE)
    if len(points) > LONGEST_RUN:
        beyond[LONGEST_RUN:] |= again[2:] & again[1:-1] & again[:-2] & (shape[LONGEST_RUN:] != DIGIT)
    return beyond


def undone(folded: Folded) -> dict[int, list[Undone]]:
    """Name the evasions that folding undid, per text number; texts without any are absent."""
    whole = to_text(folded.given)
    found = {number: [_spaced(folded, whole, number)] for number in folded.spaced}
    kinds = look_up(tables().kind, folded.given)
    places = np.flatnonzero(kinds)
    if not len(places):
        return found
    owners = np.searchsorted(folded.given_bounds, places, side="right") - 1
    new = (np.diff(places) != 1) | (np.diff(kinds[places]) != 0) | (np.diff(owners) != 0)
    firsts = np.flatnonzero(np.concatenate(([True], new)))
    lasts = np.append(firsts[1:], len(places)) - 1
    for first, last, kind, number in zip(
        places[firsts].tolist(),
        places[lasts].tolist(),
        kinds[places[firsts]].tolist(),
        owners[firsts].tolist(),
        strict=True,
    ):
        entry = _entry(folded, whole, number, slice(first, last + 1), kind)
        if entry and len(found.setdefault(number, [])) < MOST_UNDONE:
            found[number].append(entry)
    return found


def _spaced(folded: Folded, whole: str, number: int) -> Undone:
    """The whole stretch whose blanks were taken out."""
    start, end = int(folded.source[folded.bounds[number]]), int(folded.ends[folded.bounds[number + 1] - 1])
    base = int(folded.given_bounds[number])
    seen, read_as = whole[base + start : base + end], folded.text(number)
    return Undone(start=start, end=end, seen=seen, read_as=read_as, kind="spaced")


def _entry(folded: Folded, whole: str, number: int, part: slice, kind: int) -> Undone | None:
    """What was read of a part of the texts as given, which are `whole`."""
    begin, stop = int(folded.given_bounds[number]), int(folded.given_bounds[number + 1])
    if kind in (INVISIBLE, COMBINING):
        shape = tables().shape
        before = int(shape[ord(whole[part.start - 1])]) if part.start > begin else 0
        after = int(shape[ord(whole[part.stop])]) if part.stop < stop else 0
        lettered = (HAN, LATIN, DIGIT)
        if kind == INVISIBLE and not (before in lettered and after in lettered):
            return None  # a stray mark at an edge hides nothing
        if kind == COMBINING and before != HAN and part.stop - part.start < 2:
            return None  # an accent on a foreign word
    seen = whole[part]
    return Undone(
        start=part.start - begin, end=part.stop - begin, seen=seen, read_as="".join(map(_read, seen)), kind=KINDS[kind]
    )


@lru_cache(maxsize=8192)
def _read(char: str) -> str:
    """What a character is folded to."""
    point = int(tables().fold[ord(char)])
    if point == DROPPED:
        return ""
    return "".join(map(chr, tables().expansions[point - int(EXPANDS)])) if point >= CODE_POINTS else chr(point)
