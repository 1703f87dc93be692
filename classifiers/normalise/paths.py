"""The path that is worth most through each of many lattices of readings, found for all at once (Viterbi 1967).

All lattices are read together, place by place: what arrives at a place is weighed with what begins there. Worths are
added up in the same order whatever stands beside a lattice, so it has the same path alone.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.normalise.candidates import Choices
from classifiers.normalise.edits import Word
from classifiers.normalise.neighbours import Neighbours

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Changed = list[tuple[int, int, Word]]
"""What is read otherwise: place, length and what was meant."""


@dataclass(frozen=True, slots=True)
class Lattice:
    """What may be read: `begins[p]` are the choices that begin at place p, at least one of length 1. `before` and
    `after` are the symbols on either side; `cost` is that of supposing any evasion, beside its own."""

    begins: list[list[Choices]]
    before: int
    after: int
    cost: float


@dataclass(frozen=True, slots=True)
class _Grid:
    """Lattices by descending length, their choices one after another: first, of one node each, what stands before each
    lattice; then what begins at each place, by place and lattice, and among it, of one node, what stands after it.

    A slot is a place of one lattice. `owner[n]` is the number of the choices that node n is of.
    """

    choices: list[Choices]
    places: list[int]  # where they begin
    owner: Ints
    starts: Ints  # the first node of each choices
    costs: Floats  # of supposing an evasion, for each node
    begins: Ints  # the first node of each place
    before: Ints  # with `after` all pairs of nodes of which one ends where the other begins, sorted by `after`
    after: Ints
    pairs: Ints  # the first pair of each node that is `after`
    ends: list[int]  # the node after each lattice

    def of_nodes(self, name: str) -> NDArray[Any]:
        """A field of all choices."""
        return np.concatenate([getattr(one, name) for one in self.choices])


def best_paths(lattices: Sequence[Lattice], neighbours: Neighbours) -> list[Changed]:
    """Return for each lattice what is read otherwise on its best path, the last place first.

    Of paths that are worth the same it is the one whose choices come first in the lists.
    """
    if not lattices:
        return []
    order = sorted(range(len(lattices)), key=lambda k: -len(lattices[k].begins))
    grid = _grid([lattices[k] for k in order])
    came_from = _followed(grid, neighbours).tolist()
    owner, starts = grid.owner.tolist(), grid.starts.tolist()
    found: list[Changed] = [[] for _ in lattices]
    for number, node in zip(order, grid.ends, strict=True):
        while (node := came_from[node]) >= len(lattices):
            choices = grid.choices[owner[node]]
            chosen = node - starts[owner[node]]
            if choices.kinds[chosen]:
                word = Word(choices.read_as[chosen], choices.kinds[chosen])
                found[number].append((grid.places[owner[node]], choices.length, word))
    return found


def _followed(grid: _Grid, neighbours: Neighbours) -> Ints:
    """For each node, the one before it on the best path to it."""
    own, size = grid.of_nodes("worth"), len(grid.owner)
    worth = neighbours.gain(grid.of_nodes("last")[grid.before], grid.of_nodes("first")[grid.after])
    best, scores = np.zeros(size), np.zeros(size)
    pairs = grid.pairs.tolist()
    for begin, end in itertools.pairwise(grid.begins.tolist()):
        part = slice(pairs[begin], pairs[end])
        arriving = worth[part]
        arriving += scores.take(grid.before[part])
        top = np.maximum.reduceat(arriving, grid.pairs[begin:end] - part.start)
        best[begin:end] = top
        scores[begin:end] = top + own[begin:end] - grid.costs[begin:end]
    won = np.flatnonzero(worth == best.take(grid.after))
    came_from = np.zeros(size, dtype=np.int64)
    came_from[grid.after[won[::-1]]] = grid.before[won[::-1]]  # of several that are worth the same, the first
    return came_from


def _grid(lattices: list[Lattice]) -> _Grid:
    lengths = np.array([len(lattice.begins) for lattice in lattices])
    reaching = np.searchsorted(-lengths, -np.arange(lengths[0] + 1), side="right").tolist()  # how many have each place
    slots = np.concatenate(([0], np.cumsum(reaching))).tolist()  # the first slot of each place
    choices = [_edge(lattice.before) for lattice in lattices]
    costs = [0.0] * len(lattices)
    places, froms, tos = [-1] * len(lattices), [-1] * len(lattices), list(range(len(lattices)))
    heads, ends = [], [0] * len(lattices)
    for place, count in enumerate(reaching):
        heads.append(len(choices))
        for number, lattice in enumerate(lattices[:count]):
            if place < len(lattice.begins):
                here = lattice.begins[place]
                tos += [slots[place + one.length] + number for one in here]
            else:
                ends[number] = len(choices)
                here = [_edge(lattice.after)]
                tos.append(slots[-1])  # nowhere
            choices += here
            costs += [lattice.cost] * len(here)
            places += [place] * len(here)
            froms += [slots[place] + number] * len(here)
    sizes = np.array([len(one.read_as) for one in choices])
    starts = np.cumsum(sizes) - sizes
    owner = np.repeat(np.arange(len(choices)), sizes)
    changed = np.concatenate([one.changed for one in choices])
    count, before = _pairs(np.array(froms)[owner[len(lattices) :]], np.array(tos), starts, sizes)
    nodes = np.arange(len(lattices), len(owner))
    pairs = np.zeros(len(owner) + 1, dtype=np.int64)
    np.cumsum(count, out=pairs[len(lattices) + 1 :])
    return _Grid(
        choices=choices,
        places=places,
        owner=owner,
        starts=starts,
        costs=np.array(costs)[owner] * changed,
        begins=np.concatenate((starts[heads], [len(owner)])),
        before=before,
        after=np.repeat(nodes, count),
        pairs=pairs,
        ends=starts[ends].tolist(),
    )


def _pairs(begin: Ints, end: Ints, starts: Ints, sizes: Ints) -> tuple[Ints, Ints]:
    """How many nodes end in the slot where each of some nodes begins, and which.

    `begin` are the slots of those that begin; choices, with so many nodes from `starts` on, end in the slots `end`.
    """
    order = np.argsort(end, kind="stable")
    arriving = _ranges(starts[order], sizes[order])  # nodes by where they end
    arrive = np.bincount(end, sizes).astype(np.int64)
    heads = np.cumsum(arrive) - arrive
    count = arrive[begin]
    return count, arriving[_ranges(heads[begin], count)]


def _ranges(starts: Ints, sizes: Ints) -> Ints:
    """So many whole numbers from each start on, one after another."""
    ends = np.cumsum(sizes)
    return np.arange(int(ends[-1])) + np.repeat(starts - ends + sizes, sizes)


@lru_cache(maxsize=1024)
def _edge(symbol: int) -> Choices:
    """What stands before or after a lattice, as it stands."""
    symbols = np.array([symbol], dtype=np.int64)
    return Choices(1, ("",), ("",), symbols, symbols, np.zeros(1), np.zeros(1, dtype=bool))
