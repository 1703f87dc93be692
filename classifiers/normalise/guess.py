"""The likeliest reading of a text whose characters do not fit together.

Sound-alikes, look-alikes, characters taken apart, pinyin, digits and emoji put in place of characters leave neighbours
that are never seen side by side. Around such places every character that may have been meant is weighed: what the
bigram model (`neighbours`) says of it between its neighbours, less what it costs to suppose an evasion. The best path
through all of them (Viterbi 1967; the noisy channel of Kernighan, Church and Gale 1990) is the reading. It may be
wrong, so it never replaces the text: both are scored.
"""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.normalise.candidates import Candidates, Choices
from classifiers.normalise.edits import Edit, Reading, Word, applied
from classifiers.normalise.fold import Folded
from classifiers.normalise.neighbours import Neighbours, load_neighbours
from classifiers.normalise.tables import DIGIT, HAN, LATIN, tables

STRANGE_LEAST, STRANGE_SHARE = 2, 0.2
"""Chinese characters are doubted in a text with at least this many strange pairs of them, and this share: a name or a
rare word makes one, an evader many."""
MOST_PLACES = 300  # characters doubted in one text
LONGEST_RUN = 60  # neighbouring doubted characters weighed together
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


@dataclass(slots=True)
class _Lattice:
    """What may be read in a run: the choices that begin at each place, for each place the (begin, choices) that end
    there, and all pairs of neighbours that this makes, as `before << 13 | after`."""

    begins: list[list[Choices]]
    arrives: list[list[tuple[int, int]]]
    pairs: list[Ints]


@dataclass(slots=True)
class _Chain:
    """A run where each choice is one character for one: nine in ten runs, for which the path needs no crossings. As a
    lattice, it has all `pairs` of neighbours, from the character before to the one after."""

    places: list[Choices]
    pairs: list[Ints]


class Guesser:
    """Finds likelier readings."""

    def __init__(self, neighbours: Neighbours, candidates: Candidates) -> None:
        self._neighbours, self._candidates = neighbours, candidates

    def read(self, folded: Folded) -> dict[int, Reading]:
        """Return a likelier reading for each text number that has one."""
        if len(folded.points) < 2:
            return {}
        symbols = self._neighbours.symbol[folded.points].astype(np.int64)
        owner = np.repeat(np.arange(len(folded)), np.diff(folded.bounds))
        doubted, costs = self._doubted(folded, symbols, owner)
        runs = _runs(doubted, owner, costs)
        if not runs:
            return {}
        lattices = [self._lattice(folded, symbols, run) for run in runs]
        pairs = np.concatenate([pair for lattice in lattices for pair in lattice.pairs])
        gains = self._neighbours.gain(pairs >> 13, pairs & 8191)
        edits: dict[int, list[Edit]] = {}
        at = 0
        for run, lattice in zip(runs, lattices, strict=True):
            size = sum(map(len, lattice.pairs))
            base = run.start - int(folded.bounds[run.text])
            for place, length, word in _likeliest(lattice, gains[at : at + size], run.cost):
                edits.setdefault(run.text, []).append(Edit(base + place, base + place + length, word))
            at += size
        return {
            number: reading
            for number, listed in edits.items()
            if (reading := applied(folded, number, listed)) is not None
        }

    def _doubted(self, folded: Folded, symbols: Ints, owner: Ints) -> tuple[Bools, Floats]:
        """Which characters may stand for others, and what it costs, in each text, to suppose so."""
        shape = tables().shape[folded.points]
        same = owner[1:] == owner[:-1]
        han = shape == HAN
        strange = self._neighbours.strange(symbols[:-1], symbols[1:]) & same
        shares = _strange_shares(strange, han, owner, len(folded))
        doubted = han & ((shares >= EVERY)[owner] | _around(strange, (shares > 0)[owner]))
        beside = np.zeros(len(symbols), dtype=bool)  # a Chinese character stands before or after
        beside[1:] = han[:-1] & same
        beside[:-1] |= han[1:] & same
        doubted |= _touched(self._candidates.emoji[folded.points], beside, owner)
        misfit = np.ones(len(symbols), dtype=bool)
        misfit[1:] &= strange | ~same
        misfit[:-1] &= strange | ~same
        doubted |= beside & misfit & (shape == DIGIT)
        letters = _touched(shape == LATIN, beside, owner)
        for start, end in zip(*_stretches(letters, owner), strict=True):
            if self._candidates.spelled("".join(map(chr, folded.points[start:end].tolist()))):
                doubted[start:end] = True
        return doubted, np.where(shares > 0, FEW_COST * np.maximum(0, 1 - shares / MANY), 0.0)

    def _lattice(self, folded: Folded, symbols: Ints, run: _Run) -> _Lattice | _Chain:
        length = run.end - run.start
        text = "".join(map(chr, folded.points[run.start : run.end].tolist()))
        begin, stop = int(folded.bounds[run.text]), int(folded.bounds[run.text + 1])
        before = int(symbols[run.start - 1]) if run.start > begin else 0
        after = int(symbols[run.end]) if run.end < stop else 0
        begins = [self._candidates.at(text, place) for place in range(length)]
        if all(len(listed) == 1 and listed[0].length == 1 for listed in begins):
            return _chain([listed[0] for listed in begins], before, after)
        arrives: list[list[tuple[int, int]]] = [[] for _ in range(length + 1)]
        for place, listed in enumerate(begins):
            for number, choices in enumerate(listed):
                arrives[place + choices.length].append((place, number))
        pairs = []
        for place in range(length + 1):
            last = _joined([begins[a][b].last for a, b in arrives[place]]) if place else _one(before)
            first = _joined([choices.first for choices in begins[place]]) if place < length else _one(after)
            pairs.append((last[:, None] << 13 | first).ravel())
        return _Lattice(begins, arrives, pairs)


def _chain(places: list[Choices], before: int, after: int) -> _Chain:
    pairs = [before << 13 | places[0].first]
    pairs += [(a.last[:, None] << 13 | b.first).ravel() for a, b in itertools.pairwise(places)]
    return _Chain(places, [*pairs, places[-1].last << 13 | after])


def _likeliest(lattice: _Lattice | _Chain, gains: Floats, cost: float) -> list[tuple[int, int, Word]]:
    return _best_chain(lattice, gains, cost) if isinstance(lattice, _Chain) else _best(lattice, gains, cost)


def _best_chain(chain: _Chain, gains: Floats, cost: float) -> list[tuple[int, int, Word]]:
    """As `_best`, of a chain."""
    scores, at = np.zeros(1), 0
    origin: list[Ints] = []  # for each choice, which of the place before it came from
    for choices in chain.places:
        size = len(scores) * len(choices.first)
        table = gains[at : at + size].reshape(len(scores), -1) + scores[:, None]
        at += size
        origin.append(table.argmax(axis=0))
        scores = table.max(axis=0) + choices.worth
        if cost:
            scores = scores - cost * choices.changed
    chosen = int((gains[at:] + scores).argmax())
    found = []
    for place in range(len(chain.places) - 1, -1, -1):
        choices = chain.places[place]
        if choices.kinds[chosen]:
            found.append((place, 1, Word(choices.read_as[chosen], choices.kinds[chosen])))
        chosen = int(origin[place][chosen])
    return found


def _one(symbol: int) -> Ints:
    return np.array([symbol], dtype=np.int64)


def _joined(parts: list[Any]) -> Any:
    return parts[0] if len(parts) == 1 else np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)


def _best(lattice: _Lattice, gains: Floats, cost: float) -> list[tuple[int, int, Word]]:
    """What is read otherwise on the path that is worth most: place, length and what was meant."""
    length = len(lattice.begins)
    worth: list[list[Floats]] = []  # of the best path up to and with each choice
    origin: list[list[Ints]] = []  # which of those that arrive there it came from
    scores, at = np.zeros(1), 0
    for place in range(length + 1):
        size = len(lattice.pairs[place])
        table = gains[at : at + size].reshape(len(scores), -1) + scores[:, None]
        at += size
        best = table.argmax(axis=0)
        if place == length:
            break
        top = table[best, np.arange(len(best))]
        listed = lattice.begins[place]
        cuts = np.cumsum([len(choices.first) for choices in listed[:-1]]) if len(listed) > 1 else ()
        worth.append([part + c.worth - cost * c.changed for part, c in zip(_split(top, cuts), listed, strict=True)])
        origin.append(_split(best, cuts))
        scores = _joined([worth[a][b] for a, b in lattice.arrives[place + 1]])
    return _traced(lattice, origin, int(best[0]))


def _split(values: Any, cuts: Any) -> list[Any]:
    return np.split(values, cuts) if len(cuts) else [values]


def _traced(lattice: _Lattice, origin: list[list[Ints]], chosen: int) -> list[tuple[int, int, Word]]:
    found = []
    place = len(lattice.begins)
    while place > 0:
        for begin, number in lattice.arrives[place]:
            choices = lattice.begins[begin][number]
            if chosen < len(choices.first):
                break
            chosen -= len(choices.first)
        if choices.kinds[chosen]:
            found.append((begin, choices.length, Word(choices.read_as[chosen], choices.kinds[chosen])))
        place, chosen = begin, int(origin[begin][number][chosen])
    return found


def _strange_shares(strange: Bools, han: Bools, owner: Ints, count: int) -> Floats:
    """Share of a text's pairs of Chinese characters that are strange; 0 where they are too few to tell."""
    both = han[1:] & han[:-1] & (owner[1:] == owner[:-1])
    odds = np.bincount(owner[1:][strange & both], minlength=count)
    shares = odds / np.maximum(1, np.bincount(owner[1:][both], minlength=count))
    return np.where((odds >= STRANGE_LEAST) & (shares >= STRANGE_SHARE), shares, 0.0)


def _around(strange: Bools, use: Bools) -> Bools:
    """What is part of a strange pair, or next to one."""
    found = np.zeros(len(use), dtype=bool)
    found[1:] = strange
    found[:-1] |= strange
    found[1:-1] |= found[:-2] | found[2:]
    return found & use


def _touched(kind: Bools, beside: Bools, owner: Ints) -> Bools:
    """Stretches of one kind of which some part stands beside a Chinese character."""
    found = np.zeros(len(kind), dtype=bool)
    if not (kind & beside).any():
        return found
    starts, ends = _stretches(kind, owner)
    known = np.concatenate(([0], np.cumsum(beside)))
    for start, end in zip(starts[known[ends] > known[starts]], ends[known[ends] > known[starts]], strict=True):
        found[start:end] = True
    return found


def _stretches(mask: Bools, owner: Ints) -> tuple[Ints, Ints]:
    """Begin and end of what is marked without a gap, in one text."""
    new = np.append(True, owner[1:] != owner[:-1])
    before = np.append(False, mask[:-1])
    after = np.append(mask[1:], False)
    starts = np.flatnonzero(mask & (~before | new))
    ends = np.flatnonzero(mask & (~after | np.append(new[1:], True))) + 1
    return starts, ends


def _runs(doubted: Bools, owner: Ints, costs: Floats) -> list[_Run]:
    found: list[_Run] = []
    places: Counter[int] = Counter()
    for start, end in zip(*_stretches(doubted, owner), strict=True):
        for begin in range(int(start), int(end), LONGEST_RUN):
            text, stop = int(owner[begin]), min(int(end), begin + LONGEST_RUN)
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
