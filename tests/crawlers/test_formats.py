"""JSON, feeds, every kind of paging, and pages that are not what they should be."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.crawlers.conftest import Crawls
from tests.crawlers.forum import HTML_RECIPE
from tests.crawlers.site import Reply, Site

JSON_THREAD: dict[str, Any] = {
    "format": "json",
    "items": [{"jmespath": "data"}],
    "children": "children",
    "key": [{"jmespath": "id"}],
    "text": [{"jmespath": "text", "as": "html-text"}],
    "published_at": [{"jmespath": "created", "as": "unix-time"}],
}


def answer(value: object, **headers: str) -> Reply:
    return Reply(json.dumps(value), headers={"Content-Type": "application/json"} | headers)


def comment(key: int, *children: dict[str, Any]) -> dict[str, Any]:
    return {"id": key, "text": f"<p>第 {key} 条</p>", "created": 1790000000.5, "children": list(children)}


def read(crawls: Crawls, thread: dict[str, Any], **section: Any) -> list[str]:
    sections = [{"slug": "all", "title": "全部", "start": ["/api"]} | section]
    return [one.text for one in crawls.run(crawls.policy({"thread": thread}, sections=sections))]


def test_nested_json_is_read_depth_first(site: Site, crawls: Crawls) -> None:
    site.pages["/api"] = answer({"data": [comment(1, comment(2, comment(3))), comment(4)]})

    assert read(crawls, JSON_THREAD) == [f"第 {n} 条" for n in (1, 2, 3, 4)]


def test_a_range_of_numbers_names_the_pages(site: Site, crawls: Crawls) -> None:
    site.pages["/api"] = lambda query: answer({"data": [comment(int(query["post"]))]})

    assert read(crawls, JSON_THREAD, start=["/api?post={n}"], range=(3, 5)) == [f"第 {n} 条" for n in (3, 4, 5)]


def test_json_pages_by_number_with_a_total(site: Site, crawls: Crawls) -> None:
    site.pages["/api"] = lambda query: answer({"data": [comment(int(query.get("page", "1")))], "pages": 3})
    paging = {"kind": "page_number", "total": [{"jmespath": "pages"}]}

    assert read(crawls, JSON_THREAD | {"paging": paging}) == [f"第 {n} 条" for n in (1, 2, 3)]
    assert len(site.asked()) == 3


def test_json_pages_by_offset(site: Site, crawls: Crawls) -> None:
    def page(query: dict[str, str]) -> Reply:
        start = int(query.get("start", "0"))
        return answer({"data": [comment(n) for n in range(start, min(start + 2, 5))]})

    site.pages["/api"] = page
    paging = {"kind": "offset", "param": "start", "first": 0, "size": 2}

    assert read(crawls, JSON_THREAD | {"paging": paging}) == [f"第 {n} 条" for n in range(5)]
    assert site.asked() == ["/api", "/api?start=2", "/api?start=4", "/api?start=6"]


def test_json_pages_by_cursor(site: Site, crawls: Crawls) -> None:
    after = {"": "b", "b": "c", "c": None}
    site.pages["/api"] = lambda query: answer(
        {"data": [comment(ord(query.get("max_id", "a")))], "next": after[query.get("max_id", "")]}
    )
    paging = {"kind": "cursor", "param": "max_id", "cursor": [{"jmespath": "next"}]}

    assert len(read(crawls, JSON_THREAD | {"paging": paging})) == 3
    assert site.asked() == ["/api", "/api?max_id=b", "/api?max_id=c"]


def test_json_pages_by_link_header(site: Site, crawls: Crawls) -> None:
    site.pages["/api"] = answer({"data": [comment(1)]}, Link='</old>; rel="prev", </api?p=2>; rel="next"')
    site.pages["/api?p=2"] = answer({"data": [comment(2)]}, Link='</api>; rel="prev"')

    assert read(crawls, JSON_THREAD | {"paging": {"kind": "link_header"}}) == ["第 1 条", "第 2 条"]


def test_where_the_newest_stand_first_reading_ends_at_the_first_known_page(site: Site, crawls: Crawls) -> None:
    def newest(count: int) -> None:
        def page(query: dict[str, str]) -> Reply:
            first = count - 2 * (int(query.get("page", "1")) - 1)
            return answer({"data": [comment(n) for n in range(first, max(first - 2, 0), -1)]})

        site.pages["/api"] = page

    policy = crawls.policy(
        {"thread": JSON_THREAD | {"paging": {"kind": "page_number", "last_known": False}}},
        sections=[{"slug": "all", "title": "全部", "start": ["/api"]}],
    )
    newest(8)
    assert len(crawls.run(policy)) == 8
    site.log.clear()
    newest(11)
    captures = crawls.run(policy, recheck=False)
    assert captures == []  # looked at a moment ago
    assert site.log == []

    long_ago(crawls)
    captures = crawls.run(policy)
    assert [(one.text, one.position) for one in captures] == [(f"第 {n} 条", None) for n in (11, 10, 9)]
    assert len(site.asked()) == 3


def long_ago(crawls: Crawls) -> None:
    """Let every thread have been looked at a month ago."""
    import sqlite3

    with sqlite3.connect(crawls.folder / "test.sqlite3") as memory:
        memory.execute("UPDATE thread SET checked_at = checked_at - 2592000, changed_at = changed_at - 2592000")


def test_an_unchanged_answer_is_not_sent_again(site: Site, crawls: Crawls) -> None:
    site.pages["/api"] = answer({"data": [comment(1)]}, ETag='"v1"')
    assert read(crawls, JSON_THREAD) == ["第 1 条"]
    long_ago(crawls)
    site.pages["/api"] = Reply("", 304)

    assert read(crawls, JSON_THREAD) == []
    assert site.log[-1].headers["If-None-Match"] == '"v1"'
    assert crawls.report.pages_unchanged == 1


RSS = """<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel>
<item><title>甲</title><guid>1</guid><description>&lt;p&gt;第一条&lt;/p&gt;</description>
<pubDate>Fri, 20 Nov 2026 08:00:00 +0800</pubDate></item>
<item><title>只有题目</title><link>http://forum.example/2</link></item></channel></rss>"""
ATOM = """<?xml version="1.0" encoding="UTF-8"?><feed xmlns="http://www.w3.org/2005/Atom">
<entry><id>tag:1</id><content type="html">&lt;b&gt;第一条&lt;/b&gt;</content>
<updated>2026-11-20T00:00:00Z</updated></entry></feed>"""


@pytest.mark.parametrize(("feed", "texts"), [(RSS, ["第一条", "只有题目"]), (ATOM, ["第一条"])])
def test_a_feed_is_read_by_its_preset(site: Site, crawls: Crawls, feed: str, texts: list[str]) -> None:
    from config.layers import read_layer
    from config.policy import HERE

    recipe = read_layer(HERE / "presets" / "feed.yaml").values["crawl"]
    site.pages["/feed"] = Reply(feed, headers={"Content-Type": "application/rss+xml"})
    sections = [{"slug": "all", "title": "全部", "start": ["/feed"]}]

    captures = crawls.run(crawls.policy(recipe, sections=sections))

    assert [one.text for one in captures] == texts
    assert captures[0].published_at == datetime(2026, 11, 20, 0, 0, tzinfo=UTC)


def test_a_page_in_gbk_is_read_whatever_its_header_says(site: Site, crawls: Crawls) -> None:
    page = '<meta charset="gbk"><li class=thread data-id=a><a href="/t">标题</a></li>'
    post = '<meta charset="gbk"><div class=post data-id=1><p class=text>晚自习讨论</p></div>'
    site.pages["/list"] = Reply(page.encode("gbk"), headers={"Content-Type": "text/html"})
    site.pages["/t"] = Reply(post.encode("gbk"), headers={"Content-Type": "text/html"})

    assert [one.text for one in crawls.run()] == ["标题", "晚自习讨论"]


PADDED = b'{"data": []}' + b" " * 6_000_000
"""Right in all but its size."""


@pytest.mark.parametrize(
    "reply",
    [
        Reply("<html>不是 JSON", headers={"Content-Type": "application/json"}),
        Reply("[" * 100_000, headers={"Content-Type": "application/json"}),
        Reply("", headers={"Content-Type": "application/json"}),
        Reply(b"\x89PNG\r\n\x1a\n" + b"\0" * 500, headers={"Content-Type": "image/png"}),
        Reply(
            gzip.compress(PADDED + b" " * 30_000_000),
            headers={"Content-Encoding": "gzip", "Content-Type": "application/json"},
        ),
        Reply(PADDED, headers={"Content-Type": "application/json"}),
        Reply("{}", headers={"Content-Length": "100", "Connection": "close", "Content-Type": "application/json"}),
    ],
    ids=["html", "nested", "empty", "image", "bomb", "huge", "truncated"],
)
def test_an_answer_that_cannot_be_read_is_told_and_looked_at_again(site: Site, crawls: Crawls, reply: Reply) -> None:
    site.pages["/api"] = reply
    assert read(crawls, JSON_THREAD) == []
    assert sum(crawls.report.failed.values()) == 1

    site.pages["/api"] = answer({"data": [comment(1)]})
    assert read(crawls, JSON_THREAD) == ["第 1 条"]


def test_a_page_that_looks_like_json_is_a_page_all_the_same(site: Site, crawls: Crawls) -> None:
    site.pages["/list"] = '{"threads": []}'

    assert crawls.run() == []
    assert (crawls.report.barren_pages, dict(crawls.report.failed)) == (1, {})


def test_an_error_of_our_own_is_told_and_the_section_is_read_again(
    site: Site, crawls: Crawls, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.pages["/api"] = answer({"data": [comment(1)]})
    with monkeypatch.context() as patch:
        patch.setattr("crawlers.pages.parse", lambda *_: 1 / 0)
        assert read(crawls, JSON_THREAD) == []
    assert crawls.report.failed == {"unforeseen ZeroDivisionError": 1}

    assert read(crawls, JSON_THREAD) == ["第 1 条"]


def test_a_site_that_does_not_answer_is_told(site: Site, crawls: Crawls) -> None:
    site.shutdown()
    site.server_close()

    assert read(crawls, JSON_THREAD) == []
    assert crawls.report.refused == {"robots.txt did not answer": 1}


def test_a_page_that_says_that_it_hides_units_is_reported_as_truncated(site: Site, crawls: Crawls) -> None:
    site.pages["/api"] = answer({"data": [comment(1)], "hidden": 4})
    thread = JSON_THREAD | {"truncated": [{"jmespath": "hidden > `0` && 'yes' || null"}]}

    assert read(crawls, thread) == ["第 1 条"]
    assert crawls.report.truncated_threads == 1


def test_an_address_is_made_of_a_number_by_a_template(site: Site, crawls: Crawls) -> None:
    site.pages["/list"] = '<li class=thread><a href="/go.php?x=1&tid=77&extra=page%3D1">标题</a></li>'
    site.pages["/thread-77-1-1.html"] = "<div class=post data-id=1><p class=text>正文</p></div>"
    url = [{"css": "a::attr(href)", "regex": r"tid=(\d+)", "template": "/thread-{}-1-1.html", "as": "url"}]
    recipe = HTML_RECIPE | {"list": HTML_RECIPE["list"] | {"url": url, "key": url}}

    assert [one.text for one in crawls.run(crawls.policy(recipe))] == ["标题", "正文"]


def test_personal_data_is_gone_before_a_capture_is_handed_over(site: Site, crawls: Crawls) -> None:
    site.pages["/api"] = answer({"data": [comment(1) | {"text": "加我 13812345678 领资料"}]})

    captures = crawls.run(
        crawls.policy({"thread": JSON_THREAD}, sections=[{"slug": "all", "title": "全部", "start": ["/api"]}])
    )

    assert [one.text for one in captures] == ["加我 〔电话〕 领资料"]
    assert captures[0].redactions[0].kind == "phone"
    for path in (one for one in crawls.folder.rglob("*") if one.is_file()):
        assert b"13812345678" not in path.read_bytes()
