"""The likeliest reading of a text whose characters do not fit together.

Sound-alikes, look-alikes, characters taken apart, pinyin, digits and emoji put in place of characters leave neighbours
that are never seen side by side. Around such places every character that may have been meant is weighed: what the
bigram model (`neighbours`) says of it between its neighbours, less what it costs to suppose an evasion. The best path
through all of them (Viterbi 1967; the noisy channel of Kernighan, Church and Gale 1990) is the reading. It may be
wrong, so it never replaces the text: both are scored.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from classifiers.normalise.candidates import Candidates
from classifiers.normalise.edits import Edit, Reading, applied
from classifiers.normalise.fold import Folded, look_up, to_text
from classifiers.normalise.neighbours import Neighbours, load_neighbours
from classifiers.normalise.paths import Lattice, best_paths
from classifiers.normalise.tables import DIGIT, HAN, LATIN

STRANGE_LEAST, STRANGE_SHARE = 2, 0.2
"""Chinese characters are doubted in a text with at least this many strange pairs of them, and this share: a name or a
rare word makes one, an evader many."""
MOST_PLACES = 300  # characters doubted in one text
LONGEST_RUN = 60  # neighbouring doubted characters weighed together
TOGETHER = 1000  # doubted characters whose readings are in memory together: some hundred pairs of neighbours each
FEW_COST, MANY = 4.0, 0.35
"""What an evasion costs more where hardly any pair is strange; nothing from a share of `MANY` on."""
EVERY = 0.25
"""From this share on every Chinese character is doubted, since what hides may fit its neighbours by chance; below it
only what is next to a strange pair is."""

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Run:
    """Doubted characters of one text, `start` to `end` of its folded points, between characters that are not."""

    text: int
    start: int
    end: int
    cost: float  # of supposing any evasion, beside its own


class Guesser:
    """Finds likelier readings."""

    def __init__(self, neighbours: Neighbours, candidates: Candidates) -> None:
        self._neighbours, self._candidates = neighbours, candidates

    def read(self, folded: Folded) -> dict[int, Reading]:
        """Return a likelier reading for each text number that has one."""
        if len(folded.points) < 2:
            return {}
        symbols = look_up(self._neighbours.symbol, folded.points).astype(np.int64)
        whole = to_text(folded.points)
        runs = _runs(*self._doubted(folded, whole, symbols), folded.owner)
        edits: dict[int, list[Edit]] = {}
        for some in _portions(runs):
            lattices = [self._lattice(folded, whole, symbols, run) for run in some]
            for run, path in zip(some, best_paths(lattices, self._neighbours), strict=True):
                base = run.start - int(folded.bounds[run.text])
                found = [Edit(base + place, base + place + length, word) for place, length, word in path]
                edits.setdefault(run.text, []).extend(found)
        return {
            number: reading
            for number, listed in edits.items()
            if (reading := applied(folded, number, listed)) is not None
        }

    def _doubted(self, folded: Folded, whole: str, symbols: Ints) -> tuple[Bools, Floats]:
        """Which characters may stand for others, and what it costs, in each text, to suppose so."""
        owner, shape = folded.owner, folded.shape
        same = owner[1:] == owner[:-1]
        han = shape == HAN
        strange = self._neighbours.strange(symbols[:-1], symbols[1:]) & same
        shares = _strange_shares(strange, han[1:] & han[:-1] & same, owner, len(folded))
        doubted = han & ((shares >= EVERY)[owner] | _around(strange, same) & (shares > 0)[owner])
        beside = np.zeros(len(symbols), dtype=bool)  # a Chinese character stands before or after
        beside[1:] = han[:-1] & same
        beside[:-1] |= han[1:] & same
        misfit = beside & (shape == DIGIT)
        misfit[1:] &= strange | ~same
        misfit[:-1] &= strange | ~same
        doubted |= misfit
        for start, end in _touched(look_up(self._candidates.signs, folded.points), beside, owner):
            doubted[start:end] = True
        for start, end in _touched(shape == LATIN, beside, owner):
            if self._candidates.spelled(whole[start:end]):
                doubted[start:end] = True
        return doubted, np.where(shares > 0, FEW_COST * np.maximum(0, 1 - shares / MANY), 0.0)

    def _lattice(self, folded: Folded, whole: str, symbols: Ints, run: _Run) -> Lattice:
        begin, stop = int(folded.bounds[run.text]), int(folded.bounds[run.text + 1])
        before = int(symbols[run.start - 1]) if run.start > begin else 0
        after = int(symbols[run.end]) if run.end < stop else 0
        text = whole[run.start : run.end]
        return Lattice([self._candidates.at(text, place) for place in range(len(text))], before, after, run.cost)


def _portions(runs: list[_Run]) -> Iterator[list[_Run]]:
    """Parts of a list of runs of at most `TOGETHER` characters."""
    begin = size = 0
    for number, run in enumerate(runs):
        if size + run.end - run.start > TOGETHER:
            yield runs[begin:number]
            begin, size = number, 0
        size += run.end - run.start
    if runs:
        yield runs[begin:]


def _strange_shares(strange: Bools, both: Bools, owner: Ints, count: int) -> Floats:
    """Share of a text's pairs of Chinese characters (`both`) that are strange; 0 where they are too few to tell."""
    odds = np.bincount(owner[np.flatnonzero(strange & both)], minlength=count)
    shares = odds / np.maximum(1, np.bincount(owner[np.flatnonzero(both)], minlength=count))
    return np.where((odds >= STRANGE_LEAST) & (shares >= STRANGE_SHARE), shares, 0.0)


def _around(strange: Bools, same: Bools) -> Bools:
    """What is part of a strange pair, or next to one in the same text."""
    part = np.zeros(len(same) + 1, dtype=bool)
    part[1:] = strange
    part[:-1] |= strange
    found = part.copy()
    found[1:] |= part[:-1] & same
    found[:-1] |= part[1:] & same
    return found


def _touched(kind: Bools, beside: Bools, owner: Ints) -> Iterator[tuple[int, int]]:
    """Stretches of what is no Chinese character, of which either end stands beside one."""
    starts, ends = _stretches(kind, owner)
    touched = beside[starts] | beside[ends - 1]
    return zip(starts[touched].tolist(), ends[touched].tolist(), strict=True)


def _stretches(mask: Bools, owner: Ints) -> tuple[Ints, Ints]:
    """Begin and end of what is marked without a gap, in one text."""
    marked = np.flatnonzero(mask)
    new = (marked[1:] - marked[:-1] > 1) | (owner[marked[1:]] != owner[marked[:-1]])
    edges = np.ones(len(marked) + 1, dtype=bool)
    edges[1:-1] = new
    return marked[edges[:-1]], marked[edges[1:]] + 1


def _runs(doubted: Bools, costs: Floats, owner: Ints) -> list[_Run]:
    found: list[_Run] = []
    places: Counter[int] = Counter()
    for start, end in zip(*(edges.tolist() for edges in _stretches(doubted, owner)), strict=True):
        text = int(owner[start])
        for begin in range(start, end, LONGEST_RUN):
            stop = min(end, begin + LONGEST_RUN)
            if places[text] < MOST_PLACES:
                found.append(_Run(text, begin, stop, float(costs[text])))
                places[text] += stop - begin
    return found


@lru_cache(maxsize=1)
def load_guesser() -> Guesser:
    """The guesser over the model that ships.

    Raises:
        ModelError: the model is missing or damaged.
    """
    neighbours = load_neighbours()
    return Guesser(neighbours, Candidates(neighbours))
