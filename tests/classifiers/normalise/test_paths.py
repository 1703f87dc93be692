from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifiers.normalise.candidates import Choices
from classifiers.normalise.guess import load_guesser
from classifiers.normalise.paths import Changed, Lattice, best_paths

GUESSER = load_guesser()
NEIGHBOURS, CANDIDATES = GUESSER._neighbours, GUESSER._candidates
SYMBOLS = st.integers(0, 900)
TEXTS = st.text(alphabet="废侮豆哺沂起贝者亻尔木目💭3weixing", min_size=1, max_size=9)


def lattice(text: str, before: int, after: int, cost: float) -> Lattice:
    return Lattice([CANDIDATES.at(text, place) for place in range(len(text))], before, after, cost)


LATTICES = st.builds(lattice, TEXTS, SYMBOLS, SYMBOLS, st.sampled_from([0.0, 1.5, 4.0]))


def one_by_one(given: Lattice) -> Changed:
    """What `best_paths` says it does, node by node: (worth so far, path, last symbol) of each way of arriving."""
    arrived: list[list[tuple[float, Changed, int]]] = [[] for _ in range(len(given.begins) + 1)]
    arrived[0].append((0.0, [], given.before))
    for place, listed in enumerate(given.begins):
        for choices in listed:
            for k, first in enumerate(choices.first.tolist()):
                worth, path = best_arrival(arrived[place], first)
                worth = worth + choices.worth[k] - given.cost * choices.changed[k]
                word = (place, choices.length, (choices.read_as[k], choices.kinds[k]))
                arrived[place + choices.length].append(
                    (worth, [word, *path] if choices.kinds[k] else path, int(choices.last[k]))  # type: ignore[list-item]
                )
    return best_arrival(arrived[-1], given.after)[1]


def best_arrival(arrived: list[tuple[float, Changed, int]], first: int) -> tuple[float, Changed]:
    gains = NEIGHBOURS.gain(np.array([last for _, _, last in arrived]), np.full(len(arrived), first))
    worths = [worth + gain for (worth, _, _), gain in zip(arrived, gains.tolist(), strict=True)]
    best = worths.index(max(worths))
    return worths[best], arrived[best][1]


@settings(max_examples=60, deadline=None)
@given(st.lists(LATTICES, max_size=6))
def test_each_of_many_lattices_has_the_path_that_is_found_node_by_node(lattices: list[Lattice]) -> None:
    found = [
        [(place, length, (word.read_as, word.kind)) for place, length, word in path]
        for path in best_paths(lattices, NEIGHBOURS)
    ]
    assert found == [one_by_one(one) for one in lattices]


def test_of_what_is_worth_the_same_the_first_is_read() -> None:
    symbol = np.array([5, 5])
    alike = Choices(1, ("甲", "乙"), ("sound", "sound"), symbol, symbol, np.zeros(2), np.ones(2, dtype=bool))
    [[(_, _, word)]] = best_paths([Lattice([[alike]], 0, 0, 0.0)], NEIGHBOURS)
    assert word.read_as == "甲"


@pytest.mark.parametrize(("cost", "changed"), [(0.0, True), (100.0, False)])
def test_what_it_costs_to_suppose_an_evasion_keeps_a_text_as_it_stands(cost: float, changed: bool) -> None:
    [path] = best_paths([lattice("废侮豆哺", 0, 0, cost)], NEIGHBOURS)
    assert bool(path) == changed
