"""Edits of a folded text, and the reading that they make: what was read in place of what, and from where."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classifiers.assessment import Undone
from classifiers.normalise.fold import Folded, to_text

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
    """A text with the edits made, the longest of what begins first; None where none of them changes anything."""
    part = slice(int(folded.bounds[number]), int(folded.bounds[number + 1]))
    plain = to_text(folded.points[part])
    starts, ends = folded.source[part].tolist(), folded.ends[part].tolist()
    given = to_text(folded.given[int(folded.given_bounds[number]) : int(folded.given_bounds[number + 1])])
    text: list[str] = []
    from_: list[int] = []
    to: list[int] = []
    undone: list[Undone] = []
    at = 0
    # Where two are alike, the plain insertion is the surer one.
    for edit in sorted(edits, key=lambda e: (e.start, -e.end, e.word.kind != "inserted"))[:MOST_EDITS]:
        if edit.start < at:
            continue
        kept = edit.start if edit.word.kind else edit.end
        text.append(plain[at:kept])
        from_ += starts[at:kept]
        to += ends[at:kept]
        at = edit.end
        if edit.word.kind:
            begin, end, read_as = starts[edit.start], ends[edit.end - 1], edit.word.read_as
            text.append(read_as)
            from_ += [begin] * len(read_as)
            to += [end] * len(read_as)
            kind = edit.word.kind
            undone.append(Undone(start=begin, end=end, seen=given[begin:end], read_as=read_as, kind=kind))
    if not undone:
        return None
    text.append(plain[at:])
    from_ += starts[at:]
    to += ends[at:]
    return Reading("".join(text), np.array(from_, dtype=np.int32), np.array(to, dtype=np.int32), tuple(undone))
