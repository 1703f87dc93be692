"""Edits of a folded text, and the reading that they make: what was read in place of what, and from where."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifiers.assessment import Undone
from classifiers.normalise.fold import Folded, to_text

MOST_EDITS = 200  # per text


class Word(NamedTuple):
    read_as: str
    kind: str  # "" for the word itself
    unless: tuple[str, ...] = ()


class Edit(NamedTuple):
    start: int
    end: int
    word: Word  # kind "" where the word is said plainly


class Reading:
    """A second reading of a text. Where each character came from is only found out when asked for: four readings in
    five raise no score."""

    def __init__(self, text: str, folded: Folded, number: int, edits: Sequence[Edit]) -> None:
        self.text = text
        self._folded, self._number, self._edits = folded, number, edits

    @property
    def starts(self) -> NDArray[np.int32]:
        """Of each character, where what it was read from begins in the text as given."""
        return self._places[0]

    @property
    def ends(self) -> NDArray[np.int32]:
        """Of each character, where what it was read from ends in the text as given."""
        return self._places[1]

    @cached_property
    def undone(self) -> tuple[Undone, ...]:
        """What was read in place of what."""
        part = slice(int(self._folded.bounds[self._number]), int(self._folded.bounds[self._number + 1]))
        starts, ends = self._folded.source[part].tolist(), self._folded.ends[part].tolist()
        given = self._folded.given_bounds
        whole = to_text(self._folded.given[int(given[self._number]) : int(given[self._number + 1])])
        found = []
        for edit in self._edits:
            start, end = starts[edit.start], ends[edit.end - 1]
            meant = edit.word
            found.append(Undone(start=start, end=end, seen=whole[start:end], read_as=meant.read_as, kind=meant.kind))
        return tuple(found)

    @cached_property
    def _places(self) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        part = slice(int(self._folded.bounds[self._number]), int(self._folded.bounds[self._number + 1]))
        starts, ends = self._folded.source[part].tolist(), self._folded.ends[part].tolist()
        from_: list[int] = []
        to: list[int] = []
        at = 0
        for edit in self._edits:
            length = len(edit.word.read_as)
            from_ += starts[at : edit.start] + [starts[edit.start]] * length
            to += ends[at : edit.start] + [ends[edit.end - 1]] * length
            at = edit.end
        return np.array(from_ + starts[at:], dtype=np.int32), np.array(to + ends[at:], dtype=np.int32)


def applied(folded: Folded, number: int, edits: list[Edit]) -> Reading | None:
    """A text with the edits made, the longest of what begins first; None where none of them changes anything."""
    plain = folded.text(number)
    pieces: list[str] = []
    made: list[Edit] = []
    at = read = 0  # up to where edits go, and up to where the text was read
    # Where two are alike, the plain insertion is the surer one.
    for edit in sorted(edits, key=lambda e: (e.start, -e.end, e.word.kind != "inserted"))[:MOST_EDITS]:
        if edit.start < at:
            continue
        at = edit.end
        if edit.word.kind:
            pieces += (plain[read : edit.start], edit.word.read_as)
            made.append(edit)
            read = edit.end
    return Reading("".join([*pieces, plain[read:]]), folded, number, made) if made else None
