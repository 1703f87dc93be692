"""A recipe that no longer fits is noticed by the site's own history, and quiet days are not taken for that."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.evidence import EvidenceStore, metadata
from crawlers.yields import Tally, far_fewer
from tests.crawlers.conftest import HTML_RECIPE, Crawls
from tests.crawlers.site import Site

Forum = Callable[..., None]
THREADS = {f"t{n}": [f"{n} 楼 {k}" for k in range(4)] for n in range(5)}


def healthy(crawls: Crawls, forum: Forum, runs: int = 3) -> dict[str, list[str]]:
    """Crawl a forum that grows by a thread and an answer each time."""
    threads = {name: list(texts) for name, texts in THREADS.items()}
    for run in range(runs):
        threads[f"n{run}"] = [f"新 {run} {k}" for k in range(4)]
        threads["t0"].append(f"又一条 {run}")
        forum(threads)
        crawls.run()
        assert crawls.report.amber == []
    return threads


def renamed(site: Site, path: str, old: str, new: str) -> None:
    for target, page in site.pages.items():
        if target.startswith(path) and isinstance(page, str):
            site.pages[target] = page.replace(old, new)


def kinds(crawls: Crawls) -> set[str]:
    return {one.kind for one in crawls.report.amber}


def test_a_list_on_which_nothing_is_found_any_more_is_amber(site: Site, crawls: Crawls, forum: Forum) -> None:
    healthy(crawls, forum)
    renamed(site, "/list", "class=thread", "class=row")
    crawls.run()
    assert kinds(crawls) == {"lists"}
    assert crawls.report.amber[0].what == "0.0 threads on a list page, usually 7.0"


def test_posts_under_another_name_are_amber_with_an_example_and_are_read_once_the_recipe_fits_again(
    site: Site, crawls: Crawls, forum: Forum
) -> None:
    threads = healthy(crawls, forum)
    threads |= {f"x{n}": [f"后来 {n} {k}" for k in range(4)] for n in range(3)}
    forum(threads)
    renamed(site, "/t/", "class=post", "class=item")

    assert {one.kind for one in crawls.run()} == {"title"}
    assert "threads" in kinds(crawls)
    assert crawls.report.as_dict()["empty"] == [f"{site.url}t/x{n}" for n in range(3)]

    mended = {**HTML_RECIPE, "thread": HTML_RECIPE["thread"] | {"items": [{"css": ".item"}]}}
    found = crawls.run(crawls.policy(mended))
    assert len([one for one in found if one.text.startswith("后来")]) == 12
    assert crawls.report.amber == []


def test_pages_on_which_nothing_is_found_any_more_are_kept_as_evidence(
    site: Site, crawls: Crawls, forum: Forum, tmp_path: Path
) -> None:
    store = EvidenceStore(tmp_path / "responses", None, "https://unit.example/crawler", b"mask")
    threads = healthy(crawls, forum)
    threads["t0"].append("还有")
    forum(threads)
    renamed(site, "/t/t0", "class=post", "class=item")
    renamed(site, "/list", "class=thread", "class=row")
    crawls.run(evidence=store)
    (reference,) = crawls.report.as_dict()["evidence"]
    assert metadata(tmp_path / "responses", reference)["url"] == f"{site.url}list"

    forum(threads)
    crawls.run(evidence=store)
    assert crawls.report.as_dict()["evidence"] == []


def test_a_recipe_that_finds_one_post_of_ten_is_amber(site: Site, crawls: Crawls, forum: Forum) -> None:
    threads = healthy(crawls, forum)
    threads |= {f"x{n}": [f"后来 {n} {k}" for k in range(12)] for n in range(2)}
    forum(threads, per_page=12)
    for name in ("x0", "x1"):
        first, _, rest = str(site.pages[f"/t/{name}"]).partition("</div>")
        site.pages[f"/t/{name}"] = first + "</div>" + rest.replace("class=post", "class=item")
    crawls.run()
    assert kinds(crawls) == {"units"}


def test_amber_stays_until_a_run_looks_again_and_finds_what_is_usual(site: Site, crawls: Crawls, forum: Forum) -> None:
    threads = healthy(crawls, forum)
    renamed(site, "/list", "class=thread", "class=row")
    crawls.run()
    since = crawls.report.amber[0].since
    crawls.run()
    assert [one.since for one in crawls.report.amber] == [since]
    forum(threads)
    crawls.run()
    assert crawls.report.amber == []


def test_quiet_runs_and_short_new_threads_are_not_amber(crawls: Crawls, forum: Forum) -> None:
    threads = healthy(crawls, forum)
    for run in range(4):
        if run % 2:
            threads |= {f"s{run}{n}": ["只有一楼"] for n in range(12)}
            forum(threads, threads_per_page=100)
        crawls.run()
        assert crawls.report.amber == []


@pytest.mark.parametrize(
    ("past", "now", "told"),
    [
        ([], Tally(10, 0), False),
        ([Tally(1, 20)], Tally(1, 0), False),
        ([Tally(1, 20), Tally(1, 20)], Tally(1, 0), True),
        ([Tally(1, 20), Tally(1, 20)], Tally(1, 5), True),
        ([Tally(1, 20), Tally(1, 20)], Tally(1, 6), False),
        ([Tally(1, 2), Tally(1, 2)], Tally(1, 0), False),
        ([Tally(1, 2), Tally(1, 2)], Tally(2, 0), True),
        ([Tally(1, 9), Tally(1, 9)], Tally(1, 1), False),
    ],
)
def test_far_fewer_needs_a_history_and_enough_to_go_by(past: list[Tally], now: Tally, told: bool) -> None:
    assert (far_fewer("lists", past, now) is not None) == told


@given(st.lists(st.integers(0, 500), min_size=2, max_size=20), st.integers(1, 50), st.data())
def test_a_run_that_brings_what_is_usual_is_never_amber(rates: list[int], pages: int, data: Any) -> None:
    past = [Tally(10, rate) for rate in rates]
    usual = sorted(rates)[len(rates) // 2] / 10
    found = data.draw(st.integers(int(usual * pages) + 1, 10_000))
    assert far_fewer("lists", past, Tally(pages, found)) is None
