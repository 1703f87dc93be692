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
    places: Ints  # where they begin
    owner: Ints
    starts: Ints  # the first node of each choices
    costs: Floats  # of supposing an evasion, for each node
    changed: NDArray[np.bool_]  # nodes that are one
    begins: Ints  # the first node of each place
    before: Ints  # with `after` all pairs of nodes of which one ends where the other begins, sorted by `after`
    after: Ints
    pairs: Ints  # the first pair of each node that is `after`
    ends: Ints  # the node after each lattice

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
    came_from = _followed(grid, neighbours)
    found: list[Changed] = [[] for _ in lattices]
    way, nodes = np.array(order), came_from[grid.ends]  # all paths are walked back together
    while len(going := np.flatnonzero(nodes >= len(lattices))):
        way, nodes = way[going], nodes[going]
        otherwise = np.flatnonzero(grid.changed[nodes])
        owners = grid.owner[nodes[otherwise]]
        chosen, places = nodes[otherwise] - grid.starts[owners], grid.places[owners]
        listed = (way[otherwise].tolist(), owners.tolist(), chosen.tolist(), places.tolist())
        for number, owner, k, place in zip(*listed, strict=True):
            choices = grid.choices[owner]
            found[number].append((place, choices.length, Word(choices.read_as[k], choices.kinds[k])))
        nodes = came_from[nodes]
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
    count = len(lattices)
    lengths = np.array([len(lattice.begins) for lattice in lattices])
    reaching = np.searchsorted(-lengths, -np.arange(lengths[0] + 1), side="right")  # how many have each place
    slots = np.concatenate(([0], np.cumsum(reaching)))  # the first slot of each place
    # What begins at each place, lattice by lattice, and what stands after each; then place by place.
    begins = [here for lattice in lattices for here in (*lattice.begins, [_edge(lattice.after)])]
    whole = lengths + 1
    numbers = np.repeat(np.arange(count), whole)
    places = np.arange(len(begins)) - np.repeat(np.cumsum(whole) - whole, whole)
    widths = np.array([len(here) for here in begins])
    numbers, places = np.repeat(numbers, widths), np.repeat(places, widths)
    order = np.argsort(places, kind="stable")
    numbers, places = numbers[order], places[order]
    listed = [one for here in begins for one in here]
    choices = [_edge(lattice.before) for lattice in lattices] + [listed[k] for k in order.tolist()]
    last = places == lengths[numbers]  # what stands after a lattice leads nowhere
    reached = places + np.array([one.length for one in choices[count:]])
    to = np.where(last, slots[-1], slots[np.where(last, 0, reached)] + numbers)
    sizes = np.array([len(one.read_as) for one in choices])
    starts = np.cumsum(sizes) - sizes
    owner = np.repeat(np.arange(len(choices)), sizes)
    changed = np.concatenate([one.changed for one in choices])
    costs = np.concatenate((np.zeros(count), np.array([lattice.cost for lattice in lattices])[numbers]))
    arriving, before = _pairs(
        (slots[places] + numbers)[owner[count:] - count], np.concatenate((np.arange(count), to)), starts, sizes
    )
    nodes = np.arange(count, len(owner))
    pairs = np.zeros(len(owner) + 1, dtype=np.int64)
    np.cumsum(arriving, out=pairs[count + 1 :])
    heads = count + np.searchsorted(places, np.arange(lengths[0] + 1))
    ends = np.empty(count, dtype=np.int64)
    ends[numbers[last]] = starts[count:][last]
    return _Grid(
        choices=choices,
        places=np.concatenate((np.full(count, -1), places)),
        owner=owner,
        starts=starts,
        costs=costs[owner] * changed,
        changed=changed,
        begins=np.concatenate((starts[heads], [len(owner)])),
        before=before,
        after=np.repeat(nodes, arriving),
        pairs=pairs,
        ends=ends,
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
