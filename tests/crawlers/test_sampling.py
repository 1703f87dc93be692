"""Which pages are asked for, and with what probability."""

from __future__ import annotations

import random
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from config.policy import Section
from crawlers.sampling import LONGEST_RECHECK, SHORTEST_RECHECK, due, start_pages
from crawlers.state import ThreadState

BASE = "https://forum.example/"


def section(**values: object) -> Section:
    return Section.model_validate({"slug": "all", "title": "全部", **values})


def test_without_a_start_the_sites_root_is_the_start() -> None:
    assert [one.url for one in start_pages(section(), BASE, random.Random())] == [BASE]


def test_a_range_takes_every_number_and_no_probability_is_claimed() -> None:
    pages = list(start_pages(section(start=["/t/{n}"], range=(3, 5)), BASE, random.Random()))
    assert [one.url for one in pages] == [f"{BASE}t/{n}" for n in (3, 4, 5)]
    assert {one.probability for one in pages} == {None}


def test_a_random_sample_draws_each_number_alike_and_says_how_likely() -> None:
    drawn: Counter[str] = Counter()
    rolls = 2000
    for seed in range(rolls):
        pages = list(
            start_pages(section(start=["/t/{n}"], range=(1, 10), method="random", sample=3), BASE, random.Random(seed))
        )
        assert len({one.url for one in pages}) == 3
        assert {one.probability for one in pages} == {0.3}
        drawn.update(one.url for one in pages)
    # five standard deviations of a binomial
    margin = 5 * (rolls * 0.3 * 0.7) ** 0.5
    assert all(abs(count - rolls * 0.3) < margin for count in drawn.values())
    assert len(drawn) == 10


@given(st.integers(0, 50), st.integers(0, 50), st.integers(1, 80), st.integers())
def test_a_sample_is_never_larger_than_its_range(first: int, size: int, sample: int, seed: int) -> None:
    one = section(start=["/t/{n}"], range=(first, first + size), method="random", sample=sample)
    pages = list(start_pages(one, BASE, random.Random(seed)))
    assert len(pages) == min(sample, size + 1)
    assert all(page.probability and 0 < page.probability <= 1 for page in pages)
    assert pages == list(start_pages(one, BASE, random.Random(seed)))


@given(st.floats(0, 1e9), st.floats(0, 1e9), st.floats(0, 1e9))
def test_a_thread_is_looked_at_again_between_ten_minutes_and_a_week(changed: float, quiet: float, wait: float) -> None:
    checked = changed + quiet
    thread = ThreadState("", "", checked, changed)
    if due(thread, checked + wait):
        assert wait >= SHORTEST_RECHECK * 0.99
    else:
        assert wait < LONGEST_RECHECK * 1.01


def test_the_longer_a_thread_is_quiet_the_rarer_it_is_looked_at() -> None:
    hour = 3600.0
    assert due(ThreadState("", "", 2 * hour, 0), 3.01 * hour)
    assert not due(ThreadState("", "", 10 * hour, 0), 14 * hour)
    assert due(ThreadState("", "", 10 * hour, 0), 15.01 * hour)
