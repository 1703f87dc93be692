"""Readings in which neighbouring Chinese characters that changed places are put back (这女就生 → 这女生就).

Two characters are taken for swapped where some pair among them and their neighbours was never seen, and the four are
much likelier the other way round. That may be wrong, so it never replaces the text: both are scored.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from classifiers.normalise.edits import Edit, Reading, Word, applied
from classifiers.normalise.fold import Folded, look_up, to_text
from classifiers.normalise.neighbours import Neighbours, load_neighbours
from classifiers.normalise.tables import HAN

LIKELIER = 6.0
"""How much likelier, as log probability. From 7 on fewer of the swapped are found, below 5 many that nobody swapped."""

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Swaps:
    """Finds swapped characters."""

    neighbours: Neighbours

    def read(self, folded: Folded) -> dict[int, Reading]:
        """Return a reading for each text number in which characters changed places."""
        if len(folded.points) < 2:
            return {}
        places, gains = self._likelier(folded)
        edits: dict[int, list[Edit]] = {}
        for place in places[np.argsort(-gains, kind="stable")].tolist():
            number = int(folded.owner[place])
            start = place - int(folded.bounds[number])
            made = edits.setdefault(number, [])
            if all(abs(edit.start - start) > 1 for edit in made):  # the likelier of two that share a character
                meant = to_text(folded.points[place : place + 2][::-1])
                made.append(Edit(start, start + 2, Word(meant, "swapped")))
        return {
            number: reading for number, made in edits.items() if (reading := applied(folded, number, made)) is not None
        }

    def _likelier(self, folded: Folded) -> tuple[Ints, Floats]:
        """Where two characters begin that are likelier the other way round, and by how much."""
        symbols = look_up(self.neighbours.symbol, folded.points).astype(np.int64)
        han = folded.shape == HAN
        pair = han[1:] & han[:-1] & (folded.owner[1:] == folded.owner[:-1])
        strange = np.zeros(len(pair) + 2, dtype=bool)  # the pair that begins one before
        strange[1:-1] = self.neighbours.strange(symbols[:-1], symbols[1:]) & pair
        known = (symbols > 0) & han
        able = pair & known[1:] & known[:-1] & (strange[:-2] | strange[1:-1] | strange[2:])
        places = np.flatnonzero(able)

        def gain(before: int, after: int) -> Floats:
            """Of the characters so far from each place; 0 where either is no Chinese character of the same text."""
            first, last = (np.clip(places + step, 0, len(symbols) - 1) for step in (before, after))
            found = self.neighbours.gain(symbols[first], symbols[last])
            inside = (places + before >= 0) & (places + after < len(symbols))
            inside &= han[first] & han[last] & (folded.owner[first] == folded.owner[last])
            return np.where(inside, found, 0.0)

        read = gain(-1, 1) + gain(1, 0) + gain(0, 2) - gain(-1, 0) - gain(0, 1) - gain(1, 2)
        likelier = read >= LIKELIER
        return places[likelier], read[likelier]


@lru_cache(maxsize=1)
def load_swaps() -> Swaps:
    """The finder over the neighbour model that ships.

    Raises:
        ModelError: the model is missing or damaged.
    """
    return Swaps(load_neighbours())
