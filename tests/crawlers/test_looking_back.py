"""Edits and removals, which move no list, on a forum that the test serves and changes."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from typing import Any

import pytest

from crawlers.recheck import DAY, HOUR, REQUESTS_OF_MOVED
from tests.crawlers.conftest import HTML_RECIPE, Crawls
from tests.crawlers.site import Reply, Site

Forum = Callable[..., None]
PAGED = {"thread": HTML_RECIPE["thread"]}
SECTION = {"slug": "all", "title": "全部", "start": ["/t/t1"]}


def texts(captures: list[Any]) -> list[str]:
    return [one.text for one in captures if one.kind != "title"]


def age(crawls: Crawls, seconds: float) -> None:
    """Let time pass: everything that the crawler remembers happened so much earlier."""
    with sqlite3.connect(crawls.folder / "test.sqlite3") as db:
        db.execute("UPDATE thread SET checked_at=checked_at-?, changed_at=changed_at-?", (seconds, seconds))
        db.execute("UPDATE whole SET looked_at=looked_at-?, changed_at=changed_at-?", (seconds, seconds))
    db.close()


def test_thirty_replies_in_five_threads_and_three_edits_are_exactly_what_a_second_run_brings(
    site: Site, forum: Forum, crawls: Crawls
) -> None:
    threads = {f"t{n}": [f"主题 {n} 第 {m} 层" for m in range(5 + n % 7)] for n in range(40)}
    forum(threads, per_page=10, threads_per_page=20)
    crawls.run()
    site.log.clear()
    moved = [f"t{n}" for n in range(5)]
    threads = {name: [*threads[name]] for name in [*moved, *(name for name in threads if name not in moved)]}
    for name in moved:
        threads[name] += [f"{name} 新 {n}" for n in range(6)]
    for name in moved[:3]:
        threads[name][1] += "（改过）"
    forum(threads, per_page=10, threads_per_page=20)

    captures = crawls.run()

    assert len(captures) == len({one.id for one in captures}) == 33
    edited = [one for one in captures if "edited" in one.flags]
    assert sorted(one.text for one in edited) == sorted(threads[name][1] for name in moved[:3])
    assert crawls.report.edited == 3
    pages = [path for path in site.asked() if not path.startswith("/list")]
    assert all(sum(path.startswith(f"/t/{name}") for path in pages) <= 3 for name in moved)
    assert {path.split("?")[0].removeprefix("/t/") for path in pages} == set(moved)


def test_an_edited_text_says_which_capture_it_replaces(forum: Forum, crawls: Crawls) -> None:
    forum({"t1": ["零", "一"]})
    before = {one.unit: one for one in crawls.run()}
    forum({"t1": ["零", "一（改过）"]})

    (edited,) = crawls.run(recheck=True)

    assert (edited.unit, edited.flags) == ("t1-1", ("edited",))
    assert edited.replaces == before["t1-1"].id
    assert all(one.replaces is None and one.flags == () for one in before.values())


def test_a_moved_thread_is_read_back_over_other_pages_each_time(site: Site, forum: Forum, crawls: Crawls) -> None:
    posts = [str(number) for number in range(18)]
    forum({"t1": posts}, per_page=3)
    crawls.run()
    seen = []
    for run in range(2):
        posts = [*posts, f"新{run}"]
        forum({"t1": posts}, per_page=3)
        site.log.clear()
        crawls.run()
        seen.append([path for path in site.asked() if path.startswith("/t/")])
    assert seen[0] == ["/t/t1?page=6", "/t/t1?page=7", "/t/t1"]
    assert seen[1] == ["/t/t1?page=7", "/t/t1?page=2", "/t/t1?page=3"]


def listing(site: Site, comments: list[tuple[int, str]]) -> None:
    """Comments of many threads (number, text) in one list of pages, the newest first."""
    rows = [{"id": n, "of": thread, "text": text} for n, (thread, text) in enumerate(comments)][::-1]
    for number in range(1, -(-len(rows) // 5) + 1):
        link = {} if number * 5 >= len(rows) else {"Link": f'</all?page={number + 1}>; rel="next"'}
        page = json.dumps(rows[number * 5 - 5 : number * 5])
        reply = Reply(page, headers={"Content-Type": "application/json", **link})
        site.pages["/all" if number == 1 else f"/all?page={number}"] = reply


LISTING = {
    "thread": {
        "format": "json", "items": {"jmespath": "@"}, "key": {"jmespath": "id"}, "text": {"jmespath": "text"},
        "thread": {"jmespath": "of"}, "paging": {"kind": "link_header", "last_known": False},
    }
}  # fmt: skip


def test_a_list_of_many_threads_is_read_back_over_three_pages_for_each_that_moved(site: Site, crawls: Crawls) -> None:
    policy = crawls.policy(LISTING, sections=[{"slug": "all", "title": "全部", "start": ["/all"]}])
    comments = [(n % 9, f"第 {n} 条") for n in range(45)]
    listing(site, comments)
    assert len(crawls.run(policy)) == 45
    age(crawls, HOUR)
    site.log.clear()
    comments = [(n, f"{text}（改过）" if i in {2, 20} else text) for i, (n, text) in enumerate(comments)]
    listing(site, [*comments, *((n, "新的") for n in range(3))])

    captures = crawls.run(policy)

    assert sorted(texts(captures)) == ["新的", "新的", "新的", "第 2 条（改过）", "第 20 条（改过）"]
    # Page 10 is new: what stood last was pushed there.
    assert site.asked() == ["/all", "/all?page=2", *(f"/all?page={n}" for n in (9, 8, 7, 6, 5, 4, 3, 10))]

    age(crawls, HOUR)
    site.log.clear()
    assert crawls.run(policy) == []
    assert len(site.asked()) == REQUESTS_OF_MOVED


def test_where_the_newest_stand_first_a_page_mostly_known_leads_back_to_the_oldest(site: Site, crawls: Crawls) -> None:
    policy = crawls.policy(LISTING, sections=[{"slug": "all", "title": "全部", "start": ["/all"]}])
    comments = [(0, f"第 {n} 条") for n in range(20)]
    listing(site, comments)
    crawls.run(policy)
    age(crawls, HOUR)
    site.log.clear()
    comments = [(n, f"{text}（改过）" if i in {3, 9} else text) for i, (n, text) in enumerate(comments)]
    listing(site, [*comments, (0, "新的"), (0, "更新的")])

    assert sorted(texts(crawls.run(policy))) == ["新的", "更新的", "第 3 条（改过）", "第 9 条（改过）"]
    # What is new ended on the first page; what stood last was pushed to a fifth.
    assert site.asked() == ["/all", "/all?page=4", "/all?page=3", "/all?page=5"]


BLOG = {
    "list": {name: value for name, value in HTML_RECIPE["list"].items() if name != "replies"},
    "thread": HTML_RECIPE["thread"] | {"paging": HTML_RECIPE["thread"]["paging"] | {"last_known": False}},
}


def test_a_thread_that_no_list_announces_costs_one_request_as_long_as_nothing_is_new(
    site: Site, forum: Forum, crawls: Crawls
) -> None:
    policy = crawls.policy(BLOG)
    forum({"t1": ["零", "一", "二", "三", "四", "五", "六"], "t2": ["别的"]})
    crawls.run(policy)
    age(crawls, HOUR)
    site.log.clear()
    assert crawls.run(policy) == []
    assert [path for path in site.asked() if path.startswith("/t/")] == ["/t/t1", "/t/t2"]


def test_a_thread_at_rest_is_read_whole_where_the_newest_stand_first_too(
    site: Site, forum: Forum, crawls: Crawls
) -> None:
    policy = crawls.policy(BLOG | {"list": HTML_RECIPE["list"]})
    forum({"t1": ["零", "一", "二", "三", "四", "五", "六"]})
    crawls.run(policy)
    age(crawls, 1.1 * DAY)
    forum({"t1": ["零", "一", "二", "三", "四", "五", "六（改过）"]})
    assert texts(crawls.run(policy)) == ["六（改过）"]


def test_what_is_no_longer_in_its_thread_is_told_once_and_found_again_when_it_comes_back(
    forum: Forum, crawls: Crawls
) -> None:
    posts = ["零", "一", "二", "三", "四", "五", "六"]
    forum({"t1": posts})
    before = {one.text: one.id for one in crawls.run()}

    forum({"t1": posts[:-1]})
    assert crawls.run(recheck=True) == []
    assert crawls.report.gone == [before["六"]]
    assert crawls.report.disappeared == 1

    crawls.run(recheck=True)
    assert crawls.report.gone == []

    forum({"t1": posts})
    crawls.run(recheck=True)
    forum({"t1": posts[:-1]})
    crawls.run(recheck=True)
    assert crawls.report.gone == [before["六"]]


def test_a_thread_at_rest_is_read_whole_after_a_day_and_then_ever_more_rarely(
    site: Site, forum: Forum, crawls: Crawls
) -> None:
    forum({"t1": ["零", "一", "二", "三"], "t2": ["别的"]})
    before = {one.text: one.id for one in crawls.run()}
    forum({"t1": ["零", "一（改过）", "二", "三"], "t2": ["别的"]})
    pages: list[int] = []
    for days in (0.9, 0.2, 0.9, 1.5):
        age(crawls, days * DAY)
        site.log.clear()
        captures = crawls.run()
        pages.append(len([path for path in site.asked() if path.startswith("/t/t2")]))
        if days == 0.2:
            assert texts(captures) == ["一（改过）"]
            assert captures[0].replaces == before["一"]
        else:
            assert captures == []
    assert pages == [0, 1, 0, 1]


def test_a_run_reads_at_most_a_tenth_of_the_days_pages_for_threads_at_rest(forum: Forum, crawls: Crawls) -> None:
    forum({f"t{n}": ["文"] for n in range(10)})
    policy = crawls.policy(pages_per_day=40)
    crawls.run(policy)
    age(crawls, 2 * DAY)
    crawls.run(policy)
    assert crawls.report.threads_opened == 4


def test_where_more_than_half_is_missing_the_page_is_taken_to_have_changed(forum: Forum, crawls: Crawls) -> None:
    forum({"t1": ["零", "一", "二", "三", "四", "五"]}, per_page=9)
    crawls.run()
    forum({"t1": ["零", "一"]}, per_page=9)
    crawls.run(recheck=True)
    assert (crawls.report.gone, crawls.report.changed_pages) == ([], 1)


def test_a_thread_that_is_gone_takes_its_units_with_it(site: Site, forum: Forum, crawls: Crawls) -> None:
    forum({"t1": ["零", "一"], "t2": ["别的"]})
    before = [one.id for one in crawls.run() if one.thread == "t1"]
    del site.pages["/t/t1"]
    crawls.run(recheck=True)
    assert sorted(crawls.report.gone) == sorted(before)
    assert crawls.report.gone_threads == 1


def test_the_sites_own_note_that_something_was_removed_is_no_text(forum: Forum, crawls: Crawls) -> None:
    policy = crawls.policy(removed_marker="该内容已删除")
    forum({"t1": ["零", "一", "该内容已删除。"]})
    before = {one.text: one.id for one in crawls.run(policy)}
    assert before.keys() == {"题目 t1", "零", "一"}
    forum({"t1": ["零", "该内容已删除。", "该内容已删除。"]})
    assert crawls.run(policy, recheck=True) == []
    assert crawls.report.gone == [before["一"]]


@pytest.mark.parametrize("changes", [{"at_most": 1}, {"last_known": False}])
def test_what_leaves_a_timeline_by_itself_is_not_gone(
    site: Site, forum: Forum, crawls: Crawls, changes: dict[str, Any]
) -> None:
    thread = HTML_RECIPE["thread"] | {"paging": HTML_RECIPE["thread"]["paging"] | changes}
    policy = crawls.policy({"thread": thread}, sections=[SECTION])
    forum({"t1": ["零", "一", "二"]})
    crawls.run(policy)
    forum({"t1": ["一", "二"]})
    crawls.run(policy, recheck=True)
    assert crawls.report.gone == []


def test_nothing_is_taken_for_gone_where_a_page_could_not_be_read(site: Site, forum: Forum, crawls: Crawls) -> None:
    forum({"t1": ["零", "一", "二", "三", "四"]})
    crawls.run()
    site.pages["/t/t1?page=2"] = Reply("", 500)
    crawls.run(recheck=True)
    assert crawls.report.gone == []


def test_a_memory_of_an_earlier_version_is_taken_up(forum: Forum, crawls: Crawls) -> None:
    forum({"t1": ["零"]})
    crawls.run()
    with sqlite3.connect(crawls.folder / "test.sqlite3") as db:
        db.execute("ALTER TABLE thread DROP COLUMN gap")
        for table in ("page", "whole", "gone"):
            db.execute(f"DROP TABLE {table}")
    db.close()
    forum({"t1": ["零", "一"]})
    assert texts(crawls.run()) == ["一"]
