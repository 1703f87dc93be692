"""Edits of a folded text, and the reading that they make: what was read in place of what, and from where."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classifiers.assessment import Undone
from classifiers.normalise.fold import Folded, to_points, to_text

MOST_EDITS = 200  # per text


@dataclass(frozen=True, slots=True)
class Reading:
    """A second reading; `starts[i]:ends[i]` is what character i was read from, in the text as given."""

    text: str
    starts: NDArray[np.int32]
    ends: NDArray[np.int32]
    undone: tuple[Undone, ...]


@dataclass(frozen=True, slots=True)
class Word:
    read_as: str
    kind: str  # "" for the word itself
    unless: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Edit:
    start: int
    end: int
    word: Word  # kind "" where the word is said plainly


def applied(folded: Folded, number: int, edits: list[Edit]) -> Reading | None:
    base, stop = int(folded.bounds[number]), int(folded.bounds[number + 1])
    points = folded.points[base:stop]
    starts, ends = folded.source[base:stop], folded.ends[base:stop]
    given = folded.given[int(folded.given_bounds[number]) : int(folded.given_bounds[number + 1])]
    pieces: list[NDArray[np.uint32]] = []
    from_: list[NDArray[np.int32]] = []
    to: list[NDArray[np.int32]] = []
    undone: list[Undone] = []
    at = 0
    # The longest of what begins first; where two are alike, the plain insertion is the surer one.
    for edit in sorted(edits, key=lambda e: (e.start, -e.end, e.word.kind != "inserted"))[:MOST_EDITS]:
        if edit.start < at:
            continue
        if not edit.word.kind:
            plain = slice(at, edit.end)
            pieces.append(points[plain])
            from_.append(starts[plain])
            to.append(ends[plain])
            at = edit.end
            continue
        pieces += [points[at : edit.start], to_points(edit.word.read_as)]
        begin, end = int(starts[edit.start]), int(ends[edit.end - 1])
        length = len(edit.word.read_as)
        from_ += [starts[at : edit.start], np.full(length, begin, dtype=np.int32)]
        to += [ends[at : edit.start], np.full(length, end, dtype=np.int32)]
        seen = to_text(given[begin:end])
        undone.append(Undone(start=begin, end=end, seen=seen, read_as=edit.word.read_as, kind=edit.word.kind))
        at = edit.end
    if not undone:
        return None
    pieces.append(points[at:])
    text = to_text(np.concatenate(pieces))
    return Reading(text, np.concatenate([*from_, starts[at:]]), np.concatenate([*to, ends[at:]]), tuple(undone))
