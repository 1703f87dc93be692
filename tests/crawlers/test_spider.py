"""The spider reads pages that the test serves over real HTTP; what it asked for stands in the server's log."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.crawlers.conftest import Crawls
from tests.crawlers.forum import HTML_RECIPE
from tests.crawlers.site import Reply, Site

Forum = Callable[..., None]


def texts(captures: list[Any]) -> list[str]:
    return [one.text for one in captures if one.kind != "title"]


def test_every_unit_of_every_thread_is_captured_once(site: Site, forum: Forum, crawls: Crawls) -> None:
    forum({f"t{n}": [f"第 {n} 帖第 {m} 层" for m in range(7)] for n in range(12)}, threads_per_page=5)

    captures = crawls.run()

    assert len(texts(captures)) == len(set(texts(captures))) == 12 * 7
    assert len({one.id for one in captures}) == 12 * 8
    assert sorted(one.text for one in captures if one.kind == "title") == sorted(f"题目 t{n}" for n in range(12))
    assert [one.kind for one in captures if one.thread == "t0"] == ["title", "post", *["comment"] * 6]
    assert [one.position for one in captures if one.thread == "t0"][1:] == list(range(7))
    assert len(site.asked()) == len(set(site.asked())) == 3 + 12 * 3


def test_a_capture_says_where_and_how_it_was_obtained(site: Site, forum: Forum, crawls: Crawls) -> None:
    forum({"t1": ["一", "二", "三", "四"]})

    last = crawls.run()[-1]

    assert last.url == f"{site.url}t/t1?page=2"
    assert last.canonical_url == f"{site.url}t/t1"
    assert (last.site, last.section, last.platform_class) == ("test", "all", "forum_qa")
    assert (last.thread, last.unit, last.position) == ("t1", "t1-3", 3)
    assert (last.method, last.basis, last.inclusion_probability) == ("latest", "owner", None)
    assert last.published_at is not None
    assert last.published_at.isoformat() == "2026-11-20T08:00:00+08:00"


def test_robots_comes_first_and_no_two_requests_are_under_way_at_once(site: Site, forum: Forum, crawls: Crawls) -> None:
    forum({f"t{n}": ["一", "二"] for n in range(8)})

    crawls.run()

    assert site.log[0].target == "/robots.txt"
    assert max(one.in_flight for one in site.log) == 1
    starts_and_ends = [moment for one in site.log for moment in (one.at, one.answered)]
    assert starts_and_ends == sorted(starts_and_ends)


def test_a_second_run_brings_nothing_and_asks_for_the_first_list_page_only(
    site: Site, forum: Forum, crawls: Crawls
) -> None:
    forum({f"t{n}": ["一", "二"] for n in range(25)})
    crawls.run()
    site.log.clear()

    assert crawls.run() == []
    assert site.asked(robots=True) == ["/list"]
    assert crawls.report.threads_unmoved == 10


def test_a_moved_thread_is_read_on_from_its_last_known_page(site: Site, forum: Forum, crawls: Crawls) -> None:
    old = ["零", "一", "二", "三", "四", "五", "六"]
    forum({"t1": old, "t2": ["别的"]})
    crawls.run()
    site.log.clear()
    forum({"t1": [*old, "七", "八", "九"], "t2": ["别的"]})

    captures = crawls.run()

    assert texts(captures) == ["七", "八", "九"]
    assert [one.position for one in captures] == [7, 8, 9]
    assert {one.kind for one in captures} == {"comment"}
    assert site.asked() == ["/list", "/t/t1?page=3", "/t/t1?page=4", "/t/t1"]  # and back over one earlier page


def test_an_edited_unit_is_captured_again_and_counted_as_edited(site: Site, forum: Forum, crawls: Crawls) -> None:
    forum({"t1": ["原样", "会变"]})
    crawls.run()
    forum({"t1": ["原样", "变了"]})

    assert crawls.run() == []  # an edit does not move the thread
    assert texts(crawls.run(recheck=True)) == ["变了"]
    assert crawls.report.edited == 1


def test_a_changed_title_is_captured_again(site: Site, forum: Forum, crawls: Crawls) -> None:
    forum({"t1": ["一"]})
    crawls.run()
    site.pages["/list"] = str(site.pages["/list"]).replace("题目 t1", "换了题目")

    assert [one.text for one in crawls.run()] == ["换了题目"]


def test_the_first_page_under_its_number_is_not_a_second_page(site: Site, forum: Forum, crawls: Crawls) -> None:
    forum({"t1": ["一", "二"]})
    site.pages["/t/t1"] = str(site.pages["/t/t1"]) + '<a class=next href="/t/t1?page=1">首页</a>'
    site.pages["/t/t1?page=1"] = site.pages["/t/t1"]

    captures = crawls.run()

    assert texts(captures) == ["一", "二"]
    assert len({one.canonical_url for one in captures}) == 1
    assert site.asked() == ["/list", "/t/t1", "/t/t1?page=1"]


def numbered(site: Site, count: int, size: int, past_the_end: Callable[[int], str | Reply]) -> dict[str, Any]:
    """Serve a thread paged by number without a total, and return its recipe."""

    def page(query: dict[str, str]) -> str | Reply:
        number = int(query.get("page", "1"))
        part = range((number - 1) * size, min(number * size, count))
        if not part:
            return past_the_end(number)
        return "".join(f"<div class=post data-id={n}><p class=text>第 {n} 层</p></div>" for n in part)

    site.pages["/list"] = f'<li class=thread data-id=a><a href="/t">题目</a><span class=replies>{count}</span></li>'
    site.pages["/t"] = page
    thread = HTML_RECIPE["thread"] | {"paging": {"kind": "page_number"}}
    return {"list": HTML_RECIPE["list"], "thread": thread}


@pytest.mark.parametrize("status", [200, 400, 404])
def test_a_page_past_the_end_ends_the_thread(site: Site, crawls: Crawls, status: int) -> None:
    recipe = numbered(site, 7, 3, lambda _: Reply("<p>没有更多</p>", status))

    assert len(texts(crawls.run(crawls.policy(recipe)))) == 7
    assert site.asked()[1:] == ["/t", "/t?page=2", "/t?page=3", "/t?page=4"]
    site.log.clear()
    numbered(site, 8, 3, lambda _: Reply("<p>没有更多</p>", status))
    assert texts(crawls.run(crawls.policy(recipe))) == ["第 7 层"]
    assert site.asked()[1:] == ["/t?page=3", "/t?page=4", "/t"]


def test_a_page_past_the_end_that_repeats_the_last_one_ends_the_thread(site: Site, crawls: Crawls) -> None:
    last = "".join(f"<div class=post data-id={n}><p class=text>第 {n} 层</p></div>" for n in (3, 4))
    recipe = numbered(site, 5, 3, lambda _: last)

    captures = crawls.run(crawls.policy(recipe))

    assert texts(captures) == [f"第 {n} 层" for n in range(5)]
    assert site.asked()[1:] == ["/t", "/t?page=2", "/t?page=3"]


def test_an_endless_next_link_ends(site: Site, crawls: Crawls) -> None:
    site.pages["/list"] = '<li class=thread data-id=a><a href="/t">题目</a></li>'
    site.pages["/t"] = lambda query: (
        f"<div class=post data-id=x><p class=text>总是这一条</p></div>"
        f"<a class=next href='/t?day={int(query.get('day', '0')) + 1}'>下一页</a>"
    )

    assert texts(crawls.run()) == ["总是这一条"]
    assert len(site.asked()) == 3


def test_a_thread_that_shrank_is_read_again_from_its_start(site: Site, forum: Forum, crawls: Crawls) -> None:
    forum({"t1": ["零", "一", "二", "三"]})
    crawls.run()
    del site.pages["/t/t1?page=2"]
    forum({"t1": ["零", "一", "新"]})
    site.log.clear()

    assert texts(crawls.run()) == ["新"]
    assert site.asked() == ["/list", "/t/t1?page=2", "/t/t1"]


def test_a_thread_that_is_gone_is_told_and_not_asked_for_again(site: Site, forum: Forum, crawls: Crawls) -> None:
    forum({"t1": ["一"], "t2": ["二"]})
    site.pages["/t/t1"] = Reply("没了", 410)

    assert texts(crawls.run()) == ["二"]
    assert crawls.report.gone_threads == 1
    site.log.clear()
    crawls.run()
    assert site.asked() == ["/list"]


def test_a_page_that_failed_is_asked_for_in_the_next_run(site: Site, forum: Forum, crawls: Crawls) -> None:
    forum({"t1": ["一"], "t2": ["二"]})
    whole = site.pages["/t/t1"]
    site.pages["/t/t1"] = Reply("坏了", 500)

    assert texts(crawls.run()) == ["二"]
    assert crawls.report.failed == {"answered 500": 1}
    site.pages["/t/t1"] = whole
    assert texts(crawls.run()) == ["一"]


def test_a_list_that_moves_while_it_is_read_gives_no_thread_twice(site: Site, forum: Forum, crawls: Crawls) -> None:
    forum({f"t{n}": [f"第 {n} 帖"] for n in range(6)}, threads_per_page=3)
    second = str(site.pages["/list?page=2"])
    sticky = '<li class=thread data-id=t0><a href="/t/t0">题目 t0</a><span class=replies>9</span></li>'
    site.pages["/list?page=2"] = sticky + second

    captures = crawls.run()

    assert sorted(texts(captures)) == sorted(f"第 {n} 帖" for n in range(6))
    assert site.asked().count("/t/t0") == 1


def test_the_newest_threads_are_read_before_the_next_list_page(site: Site, forum: Forum, crawls: Crawls) -> None:
    forum({f"t{n}": ["一", "二", "三", "四"] for n in range(4)}, threads_per_page=2)

    crawls.run(crawls.policy(pages_per_day=6))

    assert sorted(site.asked()) == ["/list", "/t/t0", "/t/t0?page=2", "/t/t1", "/t/t1?page=2"]
    assert crawls.report.refused == {"daily cap of 6 pages is used up": 1}


def test_a_limit_keeps_what_was_read_and_the_next_run_goes_on(site: Site, forum: Forum, crawls: Crawls) -> None:
    forum({f"t{n}": [f"{n}-{m}" for m in range(5)] for n in range(3)})
    committed: list[int] = []

    first = crawls.run(limit=8, before_commit=lambda report: committed.append(report.captures))
    rest = crawls.run()

    assert len(first) == committed[-1] == 8
    assert sorted(texts(first) + texts(rest)) == sorted(f"{n}-{m}" for n in range(3) for m in range(5))


def test_what_cannot_be_kept_is_not_remembered(site: Site, forum: Forum, crawls: Crawls) -> None:
    forum({"t1": ["一", "二"], "t2": ["三"]})

    def full(_: object) -> None:
        raise OSError(28, "no space")

    with pytest.raises(OSError, match="no space"):
        crawls.run(on_capture=full)
    assert sorted(texts(crawls.run())) == ["一", "三", "二"]


def test_two_crawls_of_one_site_do_not_run_at_once(site: Site, forum: Forum, crawls: Crawls) -> None:
    from crawlers.state import AlreadyRunning, State

    forum({"t1": ["一"]})
    held = State(crawls.folder, "test")
    with pytest.raises(AlreadyRunning, match="another crawl of test"):
        crawls.run()
    held.close()
    assert len(crawls.run()) == 2


def test_a_page_that_did_not_change_is_not_sent_again(site: Site, forum: Forum, crawls: Crawls) -> None:
    forum({"t1": ["一"]})
    for path in ("/list", "/t/t1"):
        site.pages[path] = Reply(str(site.pages[path]), headers={"ETag": f'"{path}"'})
    crawls.run()
    site.log.clear()
    site.pages["/list"] = Reply("", 304)

    assert crawls.run() == []
    assert [(one.target, one.headers.get("If-None-Match")) for one in site.log] == [("/list", '"/list"')]
    assert crawls.report.failed == {}


def test_a_rotten_selector_is_told(site: Site, crawls: Crawls) -> None:
    site.pages["/list"] = "<ul><li class=topic>换了版式</li></ul>"

    assert crawls.run() == []
    assert crawls.report.barren_pages == 1


def test_an_item_without_key_or_text_is_passed_over_and_counted(site: Site, forum: Forum, crawls: Crawls) -> None:
    forum({"t1": ["一"]})
    site.pages["/t/t1"] = (
        str(site.pages["/t/t1"]) + "<div class=post><p class=text>没有编号</p></div><div class=post data-id=9></div>"
    )

    assert texts(crawls.run()) == ["一"]
    assert crawls.report.incomplete_units == 2


@pytest.mark.parametrize("href", ["javascript:void(0)", "http://[bad"])
def test_a_thread_whose_link_leads_nowhere_is_counted_and_the_others_are_read(
    site: Site, forum: Forum, crawls: Crawls, href: str
) -> None:
    forum({"t1": ["一"], "t2": ["二"]})
    site.pages["/list"] = str(site.pages["/list"]).replace('href="/t/t1"', f'href="{href}"')

    captures = crawls.run()

    assert [one.text for one in captures] == ["题目 t2", "二"]
    assert (crawls.report.incomplete_units, crawls.report.failed) == (1, {})


@pytest.mark.parametrize("href", ["javascript:void(0)", "http://[bad"])
def test_a_button_for_more_that_leads_nowhere_ends_a_list(site: Site, forum: Forum, crawls: Crawls, href: str) -> None:
    forum({f"t{n}": ["一"] for n in range(4)}, threads_per_page=2)
    page = str(site.pages["/list"])
    site.pages["/list"] = page.replace('href="/list?page=2"', f'href="{href}"')
    assert site.pages["/list"] != page

    assert len(crawls.run()) == 4
    assert crawls.report.failed == {}


def test_a_scheduled_crawl_looks_only_at_sections_whose_period_has_passed(
    site: Site, forum: Forum, crawls: Crawls
) -> None:
    forum({"t1": ["一"]})
    site.pages["/slow"] = "<p>还没有主题</p>"
    sections = [
        {"slug": "all", "title": "全部", "start": ["/list"]},
        {"slug": "slow", "title": "慢版", "start": ["/slow"], "every": "1d"},
    ]
    policy = crawls.policy(sections=sections)

    crawls.run(policy, due_only=True)
    crawls.run(policy, due_only=True)
    assert site.asked().count("/slow") == 1
    crawls.run(policy)
    assert site.asked().count("/slow") == 2
