"""A site file is proposed from one page, and tried on three; nothing is kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from parsel import Selector
from scrapy.http import TextResponse

from config.policy import load_site, site_from_text
from crawlers.hints import repeated
from crawlers.proposal import Proposal, Wishes, probe_policy, propose
from crawlers.tryout import PageReading, try_site
from crawlers.visit import Visitor
from tests.crawlers.conftest import KEY, Crawls
from tests.crawlers.site import Reply, Site
from tests.crawlers.test_presets import as_json, discuz_x3, nodebb, waline

Forum = Callable[..., None]
WISHES = Wishes(basis="owner", document="本测试自己提供的页面", private_hosts_allowed=True, delay_seconds=0)


def proposed(crawls: Crawls, path: str, wishes: Wishes = WISHES) -> Proposal:
    url = crawls.site.url + path

    async def look(visitor: Visitor) -> Proposal:
        return propose(await visitor.fetch(url), wishes, KEY)

    found: Proposal = crawls.visit(look, probe_policy(url, wishes))
    return found


def tried(crawls: Crawls, policy: Any) -> list[PageReading]:
    found: list[PageReading] = crawls.visit(lambda visitor: try_site(policy, visitor, KEY), policy)
    return found


def test_a_board_is_proposed_as_it_stands_with_what_it_would_bring(site: Site, crawls: Crawls) -> None:
    site.pages |= discuz_x3()

    found = proposed(crawls, "forum-2-1.html")

    assert site.asked() == ["/forum-2-1.html"]
    assert (found.preset, found.known, len(found.text.splitlines()) <= 10) == ("discuz", True, True)
    assert found.reading is not None
    assert [row.text for row in found.reading.rows] == ["版规", "晚自习"]
    policy = site_from_text(found.text, "x")
    assert [section.start for section in policy.sections] == [("/forum-2-1.html",)]
    assert policy.basis.document == WISHES.document


def test_a_front_page_gives_its_boards_as_sections(site: Site, crawls: Crawls) -> None:
    boards = "".join(f'<h2><a href="forum-{n}-1.html">版块 {n}</a></h2>' for n in range(2, 9))
    site.pages["/"] = (
        f'<title>示例论坛 - Powered by Discuz!</title><meta name=generator content="Discuz! X3.4">{boards}'
    )

    found = proposed(crawls, "")

    policy = site_from_text(found.text, "x")
    assert len(found.text.splitlines()) <= 10
    assert [(one.title, one.start) for one in policy.sections] == [
        ("版块 2", ("/forum-2-1.html",)), ("版块 3", ("/forum-3-1.html",)),
    ]  # fmt: skip
    assert found.reading is None


def test_a_thread_gives_the_board_that_it_links_to_and_shows_its_posts(site: Site, crawls: Crawls) -> None:
    site.pages |= discuz_x3()
    site.pages["/thread-12-2-1.html"] = f'<a href="forum-2-1.html">校园版</a>{site.pages["/thread-12-2-1.html"]}'

    found = proposed(crawls, "thread-12-2-1.html")

    assert [(one.title, one.start) for one in site_from_text(found.text, "x").sections] == [
        ("校园版", ("/forum-2-1.html",))
    ]
    assert found.reading is not None
    assert (found.reading.role, [row.text for row in found.reading.rows]) == ("thread", ["四"])


def test_a_page_for_people_leads_to_the_interface_that_the_preset_reads(site: Site, crawls: Crawls) -> None:
    site.pages |= nodebb()
    site.pages["/category/5/evening"] = Reply(
        '<a href="/category/5/evening">晚上</a><li component="category/topic"></li>', headers={"X-Powered-By": "NodeBB"}
    )
    policy = site_from_text(proposed(crawls, "category/5/evening").text, "x")

    assert [one.start for one in policy.sections] == [("/api/category/5",)]
    readings = tried(crawls, policy)
    assert [(one.role, len(one.rows)) for one in readings] == [("list", 1), ("thread", 2), ("thread", 1)]


def test_a_comment_server_on_another_host_is_the_site_that_is_proposed(site: Site, crawls: Crawls) -> None:
    site.pages |= waline()
    site.pages["/post/1/"] = (
        f"<script>Waline.init({{el: '#w', serverURL: 'http://localhost:{site.server_port}'}})</script>"
    )
    found = proposed(crawls, "post/1/")
    policy = site_from_text(found.text, "x")
    assert str(policy.base_url) == f"http://localhost:{site.server_port}/"
    assert policy.sections[0].start[0].startswith("/api/comment?path=/")


def test_unknown_software_gets_the_generic_preset(site: Site, crawls: Crawls) -> None:
    site.pages["/"] = "<p>没有见过的版式</p>"
    found = proposed(crawls, "")
    assert (found.known, found.preset, found.recognised) == (False, "forum", [])
    assert site_from_text(found.text, "x").crawl is not None


def test_without_a_document_the_file_is_not_complete(site: Site, crawls: Crawls, tmp_path: Path) -> None:
    site.pages |= discuz_x3()
    url = f"{site.url}forum-2-1.html"
    response = TextResponse(url, body=str(site.pages["/forum-2-1.html"]).encode(), encoding="utf-8")
    found = propose(response, Wishes(), KEY)
    path = tmp_path / "forum.yaml"
    path.write_text(found.text, "utf-8")
    with pytest.raises(Exception, match=r"basis\.document"):
        load_site(path)
    path.write_text(found.text.replace('document: ""', "document: 公开页面"), "utf-8")
    assert load_site(path).basis.kind == "robots"


def test_a_page_that_asks_not_to_be_kept_is_not_shown(site: Site, crawls: Crawls) -> None:
    site.pages |= discuz_x3()
    page = site.pages["/forum-2-1.html"]
    site.pages["/forum-2-1.html"] = Reply(str(page), headers={"X-Robots-Tag": "noarchive"})
    found = proposed(crawls, "forum-2-1.html")
    assert found.reading is not None
    assert (found.reading.rows, found.reading.withheld) == ([], True)


def test_a_try_reads_three_pages_and_keeps_nothing(crawls: Crawls, forum: Forum) -> None:
    forum({"t1": ["一", "电话 13800138000"], "t2": ["三"]}, per_page=1)

    readings = tried(crawls, crawls.policy())

    assert crawls.site.asked() == ["/list", "/t/t1", "/t/t1?page=2"]
    assert [one.rows[0].text for one in readings] == ["题目 t1", "一", readings[2].rows[0].text]
    assert "13800138000" not in str(readings)
    assert {one.name: (one.found, one.of) for one in readings[0].fields}["replies"] == (2, 2)
    assert len(crawls.run()) == 5


def test_what_is_not_found_is_told_with_how_often(site: Site, crawls: Crawls) -> None:
    site.pages["/list"] = "<li class=thread data-id=t1><a href=/t1>题目</a></li><li class=thread><b>广告</b></li>"
    post = "<div class=post data-id=1><p class=text>{}</p></div>"
    site.pages["/t1"] = post.format("一") + "<div class=post></div>" + post.format("二")

    listed, thread, *_ = tried(crawls, crawls.policy())

    assert {one.name: (one.found, one.of) for one in listed.fields} == {
        "url": (1, 2), "key": (1, 2), "title": (1, 2), "replies": (0, 2),
    }  # fmt: skip
    assert {one.name: one.found for one in thread.fields} == {"key": 2, "text": 2, "published_at": 0}
    assert thread.notes == [
        "1 items without key or text are passed over: does `items` fit too much?",
        "1 keys stand twice: a key must be unique in its thread",
    ]


@pytest.mark.parametrize(
    ("reply", "problem"),
    [
        (Reply("<p>别的版式</p>"), "`items` fits nothing on this page"),
        (Reply("", 500), "answered 500"),
        (Reply("<title>请完成验证</title>"), "challenge or login wall"),
        (Reply("x", headers={"X-Robots-Tag": "noarchive"}), "asks not to be kept"),
    ],
)
def test_a_page_that_cannot_be_read_says_why(site: Site, crawls: Crawls, reply: Reply, problem: str) -> None:
    site.pages["/list"] = reply
    readings = tried(crawls, crawls.policy())
    assert problem in readings[0].problem
    assert len(readings) == 1


def test_a_forbidden_page_names_the_line_of_robots(site: Site, crawls: Crawls) -> None:
    site.pages["/robots.txt"] = Reply("User-agent: *\nDisallow: /list", headers={"Content-Type": "text/plain"})
    assert tried(crawls, crawls.policy())[0].problem == "robots.txt disallows it: line 2, Disallow: /list"


def test_pages_named_by_number_get_a_range_to_widen(site: Site, crawls: Crawls) -> None:
    reply = {"id": 1, "text": "<p>一</p>", "created": 1790000000.5, "replies": []}
    site.pages["/"] = lambda query: as_json({"id": None, "total_replies": 1, "hidden_replies": 0, "replies": [reply]})
    found = proposed(crawls, "?uri=/post/7/")
    section = site_from_text(found.text, "x").sections[0]
    assert (found.preset, section.start, section.range) == ("isso", ("/?uri=/post/{n}/",), (7, 7))


def test_a_number_in_a_path_of_the_query_gets_a_range_too(site: Site, crawls: Crawls) -> None:
    site.pages |= waline()
    found = proposed(crawls, "api/comment?path=/post/7/&pageSize=50&sortBy=insertedAt_asc")
    section = site_from_text(found.text, "x").sections[0]
    assert section.start == ("/api/comment?path=/post/{n}/&pageSize=50&sortBy=insertedAt_asc",)
    assert section.range == (7, 7)


def test_a_preset_that_is_asked_for_is_proposed_whatever_the_page_looks_like(site: Site, crawls: Crawls) -> None:
    site.pages["/post/7/"] = f"<script>Waline.init({{el: '#w', serverURL: '{site.url}'}})</script>"
    response = crawls.visit(lambda visitor: visitor.fetch(f"{site.url}post/7/"))
    found = propose(response, replace(WISHES, preset="waline-page"), KEY)
    policy = site_from_text(found.text, "x")
    assert (found.known, found.preset, policy.platform_class.slug) == (True, "waline-page", "social")
    assert (policy.sections[0].start, policy.sections[0].range) == (("/post/{n}/",), (7, 7))
    assert "hosts:" in found.hints[0]


def test_unknown_markup_gets_hints_of_what_stands_on_it_again_and_again(site: Site, crawls: Crawls) -> None:
    rows = "".join(
        f'<dl class="beitrag zeile" data-postid={n}><dt><a href=/x/{n}>题目</a></dt><dd>第 {n} 个题目的正文</dd></dl>'
        for n in range(3)
    )
    site.pages["/"] = f"<ul><li id=home class=menu>首页</li><li id=about class=menu>关于</li></ul>{rows}"

    found = proposed(crawls, "")

    assert found.hints[1:] == [
        'stands on the page 3 × `items: "dl.beitrag[data-postid]"`, `key: "::attr(data-postid)"`, a link inside'
    ]


@given(st.text(alphabet="<>/=\"' abdilpst-:#\n", max_size=300))
def test_hints_are_found_in_whatever_a_page_is(markup: str) -> None:
    assert isinstance(repeated(Selector(markup or " ", type="html")), list)
