"""What a crawl draws, read over real HTTP: each capture tells how likely it was, and a cut run is taken up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from crawlers.addresses import masked
from crawlers.state import State
from tests.crawlers.conftest import KEY, Crawls
from tests.crawlers.forum import HTML_RECIPE
from tests.crawlers.site import Reply, Site

Forum = Callable[..., None]
RANGE = {"slug": "all", "title": "全部", "start": ["/t/{n}"], "range": (1, 20), "method": "random", "sample": 5}
PAGES = {"thread": HTML_RECIPE["thread"]}


def drawn(**values: Any) -> list[dict[str, Any]]:
    return [{"slug": "all", "title": "全部", "start": ["/list"], **values}]


def threads(captures: list[Any]) -> set[str]:
    return {one.thread for one in captures if one.kind != "title"}


@pytest.fixture
def range_of_threads(site: Site, forum: Forum) -> None:
    forum({str(number): [f"第 {number} 帖", "回帖"] for number in range(1, 21)})


@pytest.mark.usefixtures("range_of_threads")
def test_a_random_section_says_sample_over_range(crawls: Crawls) -> None:
    captures = crawls.run(crawls.policy(PAGES, sections=[RANGE]))
    assert len(threads(captures)) == 5
    assert {(one.method, one.inclusion_probability, one.frame) for one in captures} == {("random", 0.25, 20)}


@pytest.mark.usefixtures("range_of_threads")
def test_runs_draw_on_until_the_range_is_through_and_then_begin_again(crawls: Crawls) -> None:
    policy = crawls.policy(PAGES, sections=[RANGE])
    read = [threads(crawls.run(policy)) for _ in range(4)]
    assert [len(one) for one in read] == [5] * 4
    assert len(set.union(*read)) == 20
    assert crawls.run(policy) == []


@pytest.mark.usefixtures("range_of_threads")
def test_the_same_seed_draws_the_same_and_another_draws_other_pages(crawls: Crawls) -> None:
    policy = crawls.policy(PAGES, sections=[RANGE])
    with_seed = [
        threads(crawls.run(policy, seed=seed, state_dir=crawls.folder / str(number)))
        for number, seed in enumerate((7, 7, 8))
    ]
    assert with_seed[0] == with_seed[1] != with_seed[2]


@pytest.mark.usefixtures("range_of_threads")
def test_a_run_that_was_cut_short_is_taken_up_and_nothing_new_is_drawn(crawls: Crawls) -> None:
    policy = crawls.policy(PAGES, sections=[RANGE])
    first = threads(crawls.run(policy, limit=4))
    second = crawls.run(policy)
    assert len(first | threads(second)) == 5
    assert {one.inclusion_probability for one in second} == {0.25}
    assert not threads(crawls.run(policy)) & (first | threads(second))


def test_a_drawn_page_that_cannot_be_read_is_given_up_after_three_runs(site: Site, crawls: Crawls) -> None:
    site.pages |= {f"/t/{number}": Reply("", 500) for number in range(1, 21)}
    policy = crawls.policy(PAGES, sections=[RANGE])
    asked = []
    for _ in range(4):
        site.log.clear()
        crawls.run(policy)
        asked.append(set(site.asked()))
    assert asked[0] == asked[1] == asked[2] != asked[3]


def test_a_reservoir_draws_threads_alike_and_titles_are_outside_the_sample(forum: Forum, crawls: Crawls) -> None:
    forum({f"t{number}": ["一", "二"] for number in range(30)}, threads_per_page=7)
    policy = crawls.policy(sections=drawn(method="reservoir", sample=6))

    captures = crawls.run(policy)

    assert len(threads(captures)) == crawls.report.threads_drawn == 6
    rows = {(one.method, one.inclusion_probability, one.frame) for one in captures if one.kind != "title"}
    assert rows == {("reservoir", 0.2, 30)}
    titles = [one for one in captures if one.kind == "title"]
    assert len(titles) == 30
    assert {one.inclusion_probability for one in titles} == {None}


def test_a_later_run_draws_among_all_threads_though_it_reads_the_first_list_page_only(
    site: Site, forum: Forum, crawls: Crawls
) -> None:
    forum({f"t{number}": ["一"] for number in range(30)}, threads_per_page=7)
    policy = crawls.policy(sections=drawn(method="reservoir", sample=6))
    first = threads(crawls.run(policy))
    site.log.clear()

    second = threads(crawls.run(policy))

    assert len(second) == 6
    assert not first & second
    assert [path for path in site.asked() if path.startswith("/list")] == ["/list"]


def test_strata_of_age_and_size_are_each_drawn_from(site: Site, crawls: Crawls) -> None:
    now = datetime.now(UTC)
    ages, sizes = {"n": timedelta(hours=2), "o": timedelta(days=90)}, {"s": 1, "l": 50}
    names = [f"{age}{size}{number}" for age in ages for size in sizes for number in range(10 if size == "s" else 4)]
    site.pages["/list"] = "".join(
        f'<li class=thread data-id={name}><a href="/t/{name}">题</a><span class=replies>{sizes[name[1]]}</span>'
        f"<time>{(now - ages[name[0]]).isoformat()}</time></li>"
        for name in names
    )
    site.pages |= {f"/t/{name}": f"<div class=post data-id={name}><p class=text>文</p></div>" for name in names}
    recipe = HTML_RECIPE | {"list": HTML_RECIPE["list"] | {"moved_at": [{"css": "time"}]}}

    captures = crawls.run(crawls.policy(recipe, sections=drawn(method="stratified", sample=20, sizes=[20])))

    rows = Counter((one.stratum, one.inclusion_probability, one.frame) for one in captures if one.kind != "title")
    assert rows == {
        # half of the draw goes by size times the root of the length, 2 of each stratum at least
        ("1d-to20", 0.6, 10): 6, ("1d-longer", 1.0, 4): 4, ("older-to20", 0.6, 10): 6, ("older-longer", 1.0, 4): 4,
    }  # fmt: skip
    assert all(one.thread[0] == ("n" if one.stratum.startswith("1d") else "o") for one in captures if one.stratum)


def test_what_the_past_tells_decides_between_strata_and_sections(site: Site, forum: Forum, crawls: Crawls) -> None:
    forum({str(number): ["文"] for number in range(1, 41)})
    sections = [
        {"slug": "a", "title": "甲", "start": ["/t/{n}"], "range": (1, 20), "method": "random", "sample": 5},
        {"slug": "b", "title": "乙", "start": ["/t/{n}"], "range": (21, 40), "method": "random", "sample": 5},
    ]
    policy = crawls.policy(PAGES, sections=sections, allocation={"threads": 12, "floor": 3})
    spreads = {("a", ""): 3.0, ("b", ""): 1.0}

    told = Counter(one.section for one in crawls.run(policy, spreads=spreads))
    untold = Counter(one.section for one in crawls.run(policy, state_dir=crawls.folder / "other"))

    assert told == {"a": 9, "b": 3}
    assert untold == {"a": 5, "b": 5}


def test_an_adaptive_draw_goes_where_most_is_unread_and_something_was_found(forum: Forum, crawls: Crawls) -> None:
    forum({f"t{number}": ["文"] * (40 if number == 3 else 2) for number in range(20)}, per_page=50, threads_per_page=50)
    policy = crawls.policy(sections=drawn(method="adaptive", sample=4))

    captures = [one for one in crawls.run(policy, interest={"t7": 50.0}) if one.kind != "title"]

    chances = {one.thread: one.inclusion_probability for one in captures}
    assert {"t3", "t7"} <= chances.keys()
    assert chances["t3"] > chances["t7"] * 0.3
    assert all(chance >= 0.2 * 4 / 20 for chance in chances.values())
    assert len(chances) == 4


def test_an_adaptive_draw_knows_a_thread_whose_address_is_masked_in_captures(
    site: Site, forum: Forum, crawls: Crawls
) -> None:
    """What was found is told by captures, in which a telephone number in an address is a mark."""
    number = "13800001234"
    forum({name: ["文", "文二"] for name in (number, *map(str, range(9)))}, threads_per_page=50)
    by_address = {name: value for name, value in HTML_RECIPE["list"].items() if name != "key"}
    policy = crawls.policy(HTML_RECIPE | {"list": by_address}, sections=drawn(method="adaptive", sample=2))
    told = masked(f"{site.url}t/{number}", KEY)
    assert number not in told

    chances = {one.thread: one.inclusion_probability or 0 for one in crawls.run(policy, interest={told: 50.0})}

    assert chances[told] > 0.5


def test_the_title_of_a_thread_is_none_of_the_answers_that_an_adaptive_draw_has_read(
    forum: Forum, crawls: Crawls
) -> None:
    forum({f"t{number}": ["旧", "旧二"] for number in range(4)})
    crawls.run(crawls.policy(sections=drawn(method="adaptive", sample=4)))
    forum({f"t{number}": ["旧", "旧二", "新"] + ["新二"] * (number == 0) for number in range(4)})

    (chance,) = {
        (one.thread, round(one.inclusion_probability or 0, 6))
        for one in crawls.run(crawls.policy(sections=drawn(method="adaptive", sample=1)))
    }

    assert chance in {("t0", 0.37), ("t1", 0.21), ("t2", 0.21), ("t3", 0.21)}  # two unread answers against one


def test_what_an_adaptive_draw_passed_over_has_no_probability_afterwards_but_what_came_since_has(
    site: Site, forum: Forum, crawls: Crawls
) -> None:
    forum({f"t{number}": ["旧", "旧二"] for number in range(6)})
    policy = crawls.policy(sections=drawn(method="adaptive", sample=3))
    first = threads(crawls.run(policy))
    later = (datetime.now(UTC) + timedelta(seconds=2)).isoformat()
    for name in {f"t{number}" for number in range(6)} - first:
        page = str(site.pages[f"/t/{name}"])
        site.pages[f"/t/{name}"] = page + (
            f"<div class=post data-id={name}-9><p class=text>新</p><time>{later}</time></div>"
        )

    second = [one for one in crawls.run(policy) if one.kind != "title"]

    assert threads(second) == {f"t{number}" for number in range(6)} - first
    assert {(one.text, one.inclusion_probability) for one in second} == {("旧", None), ("旧二", None), ("新", 1.0)}


def test_of_a_long_thread_the_first_page_and_others_at_random_are_read(site: Site, crawls: Crawls) -> None:
    def page(query: dict[str, str]) -> str:
        number = int(query.get("page", "1"))
        posts = "".join(f"<div class=post data-id=p{number}-{i}><p class=text>第{number}页</p></div>" for i in range(3))
        return f"{posts}<b class=total>9</b>"

    site.pages["/t/1"] = page
    thread = HTML_RECIPE["thread"] | {"paging": {"kind": "page_number", "total": [{"css": ".total"}]}}
    section = RANGE | {"range": (1, 2), "sample": 1, "pages": 3}
    seed = next(seed for seed in range(9) if crawls_first(crawls, thread, section, seed))
    site.log.clear()

    captures = crawls.run(
        crawls.policy({"thread": thread}, sections=[section]), seed=seed, state_dir=crawls.folder / "x"
    )

    assert len(site.asked()) == 3
    assert site.asked()[0] == "/t/1"
    chances = {one.text: one.inclusion_probability for one in captures}
    assert chances.pop("第1页") == 0.5
    assert len(chances) == 2
    assert set(chances.values()) == {0.5 * 2 / 8}
    assert [one.position for one in captures] == [0, 1, 2, *[None] * 6]


def crawls_first(crawls: Crawls, thread: dict[str, Any], section: dict[str, Any], seed: int) -> bool:
    """Whether this seed draws the first of the two threads."""
    policy = crawls.policy({"thread": thread}, sections=[section])
    return bool(crawls.run(policy, seed=seed, state_dir=crawls.folder / f"try{seed}"))


def test_a_drawn_thread_that_is_gone_leaves_the_frame(site: Site, forum: Forum, crawls: Crawls) -> None:
    forum({f"t{number}": ["文"] for number in range(5)})
    del site.pages["/t/t2"]
    crawls.run(crawls.policy(sections=drawn(method="reservoir", sample=5)))
    state = State(crawls.folder, "test")
    assert {one.key for one in state.frame.listed("all")} == {"t0", "t1", "t3", "t4"}
    state.close()
