"""How pages and threads are drawn: with the probability that is claimed, and the same for the same seed."""

from __future__ import annotations

import random
from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.policy import Section
from crawlers.sampling import (
    Chance,
    Listed,
    adaptive_probabilities,
    allocate,
    draw,
    draw_pages,
    draw_unequal,
    least_of_stratum,
    start_pages,
    strata,
    usual_spreads,
)

BASE = "https://forum.example/"
NAMES = st.sampled_from("abcdefgh")


def section(**values: object) -> Section:
    return Section.model_validate({"slug": "all", "title": "全部", **values})


def test_without_a_start_the_sites_root_is_the_start() -> None:
    assert [one.url for one in start_pages(section(), BASE)] == [BASE]


def test_a_range_takes_every_number_and_no_probability_is_claimed() -> None:
    pages = list(start_pages(section(start=["/t/{n}"], range=(3, 5)), BASE))
    assert [one.url for one in pages] == [f"{BASE}t/{n}" for n in (3, 4, 5)]
    assert {one.chance for one in pages} == {Chance()}


def test_a_draw_takes_each_key_alike() -> None:
    keys = [str(number) for number in range(10)]
    drawn = Counter(key for seed in range(2000) for key in draw(keys, 3, seed, 0.0)[0])
    assert sum(drawn.values()) == 6000
    # five standard deviations of a binomial
    assert all(abs(drawn[key] - 600) < 5 * (2000 * 0.3 * 0.7) ** 0.5 for key in keys)


@given(st.sets(st.integers(0, 500), min_size=1), st.integers(1, 50), st.integers())
def test_the_draws_of_a_site_take_every_key_once_before_any_comes_again(
    numbers: set[int], size: int, seed: int
) -> None:
    keys = [str(number) for number in numbers]
    cursor, seen = 0.0, list[str]()
    for _ in range(len(keys) // size):
        chosen, cursor = draw(keys, size, seed, cursor)
        assert len(chosen) == len(set(chosen)) == size
        seen += chosen
    assert len(seen) == len(set(seen))


@given(st.lists(st.text(), unique=True), st.integers(0, 20), st.integers(), st.floats(0, 1, exclude_max=True))
def test_a_draw_depends_on_its_seed_and_cursor_alone(keys: list[str], size: int, seed: int, cursor: float) -> None:
    chosen, after = draw(keys, size, seed, cursor)
    assert set(draw(keys[::-1], size, seed, cursor)[0]) == set(chosen)
    assert len(chosen) == min(size, len(keys))
    assert 0 <= after < 1


def test_threads_fall_into_strata_by_age_and_size() -> None:
    day = 86400.0
    threads = [
        Listed("a", "", "", 3, 9.5 * day), Listed("b", "", "", 21, 5 * day), Listed("c", "", "", 999, 0.0),
        Listed("d", "", "", None, None), Listed("e", "", "", 20, 9 * day),
    ]  # fmt: skip
    found = strata(section(method="stratified", sample=5, ages=["1d", "7d"]), threads, 10 * day)
    assert {name: [one.key for one in some] for name, some in found.items()} == {
        "1d-to20": ["a", "e"], "7d-to200": ["b"], "older-longer": ["c"], "undated-uncounted": ["d"],
    }  # fmt: skip


def test_a_bound_of_hours_names_its_stratum_in_hours() -> None:
    one = section(method="stratified", sample=5, ages=["36h"], sizes=[5])
    assert one.ages == (timedelta(hours=36),)
    assert list(strata(one, [Listed("a", "", "", 1, 0.0)], 10.0)) == ["36h-to5"]


def test_the_allocation_follows_size_times_spread() -> None:
    assert allocate({"a": 1000, "b": 1000}, {"a": 3.0, "b": 1.0}, 100, 2) == {"a": 75, "b": 25}
    assert allocate({"a": 3000, "b": 1000}, {}, 100, 2) == {"a": 75, "b": 25}
    assert allocate({"a": 1000, "b": 1000, "new": 1000}, {"a": 3.0, "b": 1.0}, 60, 2) == {"a": 30, "b": 10, "new": 20}


def test_no_stratum_falls_below_the_floor_even_where_nothing_was_ever_found() -> None:
    assert allocate({"a": 1000, "b": 1000, "c": 3}, {"a": 1.0, "b": 0.0, "c": 0.0}, 50, 8) == {"a": 39, "b": 8, "c": 3}


def test_what_a_small_stratum_cannot_use_goes_to_the_others() -> None:
    assert allocate({"a": 10, "b": 1000}, {"a": 99.0, "b": 1.0}, 100, 2) == {"a": 10, "b": 90}
    assert allocate({"a": 4, "b": 4}, {"a": 1.0, "b": 2.0}, 8, 3) == {"a": 4, "b": 4}


def test_floors_take_half_of_a_draw_at_most_and_are_never_below_two() -> None:
    assert [least_of_stratum(size, 12) for size in (600, 100, 10)] == [5, 4, 2]


def test_before_anything_was_read_longer_threads_are_taken_to_differ_more() -> None:
    short, long = [Listed("a", "", replies=3)], [Listed("b", "", replies=24), Listed("c", "", replies=None)]
    assert usual_spreads({"short": short, "long": long}) == {"short": 2.0, "long": 13**0.5}


@given(
    st.dictionaries(NAMES, st.integers(0, 300), min_size=1),
    st.dictionaries(NAMES, st.floats(0, 100)),
    st.integers(1, 400),
    st.integers(1, 9),
)
def test_an_allocation_spends_what_there_is_and_keeps_the_floor(
    sizes: dict[str, int], spreads: dict[str, float], total: int, floor: int
) -> None:
    counts = allocate(sizes, spreads, total, floor)
    assert all(min(floor, size) <= counts[name] <= size for name, size in sizes.items())
    floors = sum(min(floor, size) for size in sizes.values())
    assert sum(counts.values()) <= max(total, floors)
    if all(spreads.get(name, 1) > 1e-3 for name in sizes):
        assert sum(counts.values()) == max(min(total, sum(sizes.values())), floors)


@given(st.dictionaries(st.text(), st.floats(0, 1e6), min_size=1), st.integers(1, 30), st.floats(0.2, 1))
def test_an_adaptive_draw_keeps_its_uniform_floor(weights: dict[str, float], size: int, uniform: float) -> None:
    found = adaptive_probabilities(weights, size, uniform)
    assert found.keys() == weights.keys()
    assert sum(found.values()) == pytest.approx(min(size, len(weights)))
    assert all(uniform * min(size / len(weights), 1) - 1e-9 <= one <= 1 for one in found.values())


def test_what_weighs_more_is_drawn_more_often_by_exactly_the_probability_that_is_claimed() -> None:
    chances = adaptive_probabilities({"a": 90.0, "b": 5.0, "c": 5.0, "d": 0.0, "e": 0.0}, 2, 0.2)
    rounds = 4000
    drawn = Counter(key for seed in range(rounds) for key in draw_unequal(chances, random.Random(seed)))
    assert chances["a"] == 1.0
    assert sum(drawn.values()) == 2 * rounds
    for key, chance in chances.items():
        assert abs(drawn[key] - rounds * chance) <= 5 * (rounds * chance * (1 - chance)) ** 0.5


def test_the_pages_of_a_long_thread_are_drawn_alike_and_stay_the_same() -> None:
    drawn = Counter(number for seed in range(2000) for number in draw_pages(9, 3, seed, "t1")[0])
    assert sorted(drawn) == list(range(2, 10))
    assert all(abs(count - 500) < 5 * (2000 * 0.25 * 0.75) ** 0.5 for count in drawn.values())
    assert draw_pages(9, 3, 1, "t1") == draw_pages(9, 3, 1, "t1")
    assert draw_pages(9, 3, 1, "t1")[1] == 0.25
