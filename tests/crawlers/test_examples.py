# ruff: noqa: E501 - markup reads best as its software writes it
"""The example files of the documentation read the software that they name, each in ten lines at most."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from config.policy import load_site
from tests.crawlers.conftest import Crawls
from tests.crawlers.site import Page, Reply, Site
from tests.crawlers.test_presets import as_json

EXAMPLES = Path(__file__).resolve().parents[2] / "docs" / "examples"
XML = {"Content-Type": "application/xml"}


def mybb() -> dict[str, Page]:
    post = '<div class="post classic" id="post_{n}"><div class=post_head><span class=post_date>11-20-2026, 08:00 PM <span class=post_edit></span></span></div><div class="post_body scaleimages" id=pid_{n}><blockquote class=mycode_quote>别人的话</blockquote>第 {n} 层</div></div>'
    return {
        "/forumdisplay.php?fid=2": '<tr class=inline_row><td></td><td></td><td><span class="subject_new" id="tid_7"><a href="showthread.php?tid=7">晚自习</a></span></td><td><a href="javascript:MyBB.whoPosted(7);">2</a></td></tr>',
        "/showthread.php?tid=7": post.format(n=1) + post.format(n=2) + '<div class=pagination><a href="showthread.php?tid=7&amp;page=2" class=pagination_next>»</a></div>',
        "/showthread.php?tid=7&page=2": post.format(n=3),
    }  # fmt: skip


def smf() -> dict[str, Page]:
    post = '<div class="windowbg" id="msg{n}"><div class=postinfo><a href="#msg{n}" class=smalltext>November 20, 2026, 08:00:00 PM</a></div><div class="inner" data-msgid="{n}"><blockquote class=bbc_standard_quote>别人的话</blockquote>第 {n} 层</div></div>'
    return {
        "/index.php?board=2.0": '<div id=topic_container><div class=windowbg><span class=preview><span id=msg_1><a href="index.php?topic=7.0">晚自习</a></span></span><div class="board_stats centertext"><p>回复: 2<br>阅读: 99</p></div></div></div>',
        "/index.php?topic=7.0": f'<div id=forumposts>{post.format(n=1)}{post.format(n=2)}</div><div class=pagelinks><a class=nav_page href="index.php?topic=7.2"><span class="main_icons next_page"></span></a></div>',
        "/index.php?topic=7.2": f"<div id=forumposts>{post.format(n=3)}</div>",
    }  # fmt: skip


def fluxbb() -> dict[str, Page]:
    post = '<div id=p{n} class="blockpost rowodd"><h2><span><span class=conr>#{n}</span> <a href="viewtopic.php?pid={n}#p{n}">2026-11-20 20:00:00</a></span></h2><div class=postmsg><div class=quotebox>别人的话</div><p>第 {n} 层</p></div></div>'
    return {
        "/viewforum.php?id=2": '<div id=vf><table><tbody><tr><td class=tcl><a href="viewtopic.php?id=7">晚自习</a></td><td class=tc2>2</td></tr></tbody></table></div>',
        "/viewtopic.php?id=7": post.format(n=1) + post.format(n=2) + '<p class=pagelink><a rel="next" href="viewtopic.php?id=7&amp;p=2">下一页</a></p>',
        "/viewtopic.php?id=7&p=2": post.format(n=3),
    }  # fmt: skip


def question2answer() -> dict[str, Page]:
    time = '<time itemprop=dateCreated datetime="2026-11-20T20:00:00+0800">昨天</time>'
    remark = f"<div class=qa-c-list-item id=c3><div class=qa-c-item-content><p>第 3 层</p></div>{time}</div>"
    return {
        "/questions": '<div class=qa-q-list-item id=q7><span class=qa-a-count-data>1</span><div class=qa-q-item-title><a href="./7/evening">晚自习</a></div></div>',
        "/7/evening": f'<div class="qa-q-view" id=q7><div class=qa-q-view-main><div class=qa-q-view-content><p>第 1 层</p></div>{time}</div></div>'
        f'<div class=qa-a-list-item id=a2><div class=qa-a-item-content><p>第 2 层</p></div>{time}<div class=qa-a-item-c-list>{remark}</div></div>',
    }  # fmt: skip


def link_board() -> dict[str, Page]:
    item = '<tr class="athing comtr" id={n}><td><span class=age title="2026-11-20T12:00:00 1795176000"><a>1 day ago</a></span><div class="commtext c00">第 {n} 层</div></td></tr>'
    return {
        "/newest": '<tr class=athing id=7><td><span class=titleline><a href="https://other.example/">晚自习</a></span></td></tr><tr><td class=subtext><a href="item?id=7">3&nbsp;comments</a></td></tr>',
        "/item?id=7": f"<table>{''.join(item.format(n=n) for n in (1, 2))}</table><a class=morelink href='item?id=7&amp;p=2'>More</a>",
        "/item?id=7&p=2": f"<table>{item.format(n=3)}</table>",
    }  # fmt: skip


def nested_comments() -> dict[str, Page]:
    def item(n: int, inner: str = "") -> str:
        return f'<li class=comments_subtree><div class=comment data-shortid=c{n}><time datetime="2026-11-20 20:00:00 +0800">昨天</time><div class=comment_text><p>第 {n} 层</p></div></div><ol class=comments>{inner}</ol></li>'

    return {
        "/newest": '<li class=story data-shortid=s7><a class=u-url href="https://other.example/">晚自习</a><span class=comments_label><a href="/s/s7/evening">3 comments</a></span></li>',
        "/s/s7/evening": f"<ol>{item(1, item(2))}{item(3)}</ol>",
    }  # fmt: skip


def lemmy() -> dict[str, Page]:
    def row(n: int, **more: object) -> dict[str, object]:
        return {
            "comment": {
                "id": n,
                "content": f"第 {n} 层",
                "published": "2026-11-20T12:00:00.123456Z",
                "ap_id": f"https://lemmy.example/comment/{n}",
                "deleted": False,
                "removed": False,
            }
            | more
        }

    posts = {"posts": [{"post": {"id": 7, "name": "晚自习", "body": "几点？"}, "counts": {"comments": 3}}]}
    rows = {1: [row(3), row(2), row(9, deleted=True)], 2: [row(1)]}
    return {
        "/api/v3/post/list": lambda query: as_json(posts if query.get("page", "1") == "1" else {"posts": []}),
        "/api/v3/comment/list": lambda query: as_json({"comments": rows.get(int(query.get("page", "1")), [])}),
    }  # fmt: skip


def mediawiki_talk() -> dict[str, Page]:
    def item(n: int, *replies: object) -> dict[str, object]:
        return {
            "type": "comment",
            "id": f"c-{n}",
            "html": f"<p>第 {n} 层</p>",
            "timestamp": "2026-11-20T12:00:00Z",
            "replies": list(replies),
        }

    heading = {"type": "heading", "id": "h-晚自习", "html": "晚自习", "replies": [item(1, item(2)), item(3)]}
    return {"/api.php": lambda query: as_json({"discussiontoolspageinfo": {"threaditemshtml": [heading]}})}


def artalk() -> dict[str, Page]:
    def comments(query: dict[str, str]) -> Reply:
        rows = [
            {"id": n, "content": "x", "content_marked": f"<p>第 {n} 层</p>", "date": "2026-11-20 20:00:00"}
            for n in (3, 2, 1)
        ]
        first = query["page_key"] == "/post/1/"
        return as_json(
            {"comments": rows if first and query.get("offset", "0") == "0" else [], "count": 3 if first else 0}
        )

    return {"/api/v2/comments": comments}


def remark42() -> dict[str, Page]:
    rows = [
        {"id": f"r{n}", "text": f"<p>第 {n} 层</p>", "time": "2026-11-20T20:00:00.123+08:00", "delete": n == 9}
        for n in (1, 2, 3, 9)
    ]
    return {
        "/sitemap.xml": Reply("<urlset><url><loc>https://blog.example/post/1/</loc></url></urlset>", headers=XML),
        "/api/v1/find": lambda query: as_json(
            {"comments": rows if query["url"] == "https://blog.example/post/1/" else []}
        ),
    }


def mailing_list() -> dict[str, Page]:
    mail = '<div class="odd"><div class="email"><div id="M{n}" class="email-header"><div class=time><span title="Sender\'s time: Nov. 20, 2026, 8 p.m.">8 p.m.</span></div></div><div class="email-body"><p>第 {n} 层</p><div class="quoted-switch"><a>...</a></div><blockquote class="blockquote quoted-text">别人的话</blockquote></div></div></div>'

    def replies(query: dict[str, str]) -> Reply:
        start = int(query.get("offset", "0"))
        html = "".join(mail.format(n=n) for n in (1, 2, 3)[start : start + 2]) if start < 3 else ""
        value = {"replies_html": html, "more_pending": start < 3, "next_offset": start + 2 if start < 3 else None}
        return Reply(json.dumps(value), headers={"Content-Type": "application/javascript"})

    row = '<div class="thread"><a name="ABC7" href="/archives/list/chat@lists.example/thread/ABC7/" class="thread-title">晚自习</a><div class="list-stats"><span class="badge">2</span><span class="badge">3</span></div></div>'
    return {
        "/archives/list/chat@lists.example/latest": row,
        "/archives/list/chat@lists.example/thread/ABC7/replies": replies,
    }  # fmt: skip


def static_comments() -> dict[str, Page]:
    item = "<div class=comment><b>小满</b><span class=when>2026-11-20 20:00</span><div class=text><p>第 {n} 层</p></div></div>"
    return {
        "/index.xml": Reply(
            "<rss><channel><item><title>晚自习</title><link>/post/1/</link></item></channel></rss>", headers=XML
        ),
        "/post/1/": f"<article>正文</article><div class=comments>{''.join(item.format(n=n) for n in (1, 2, 3))}</div>",
    }


def xenforo() -> dict[str, Page]:
    post = '<article class="message message--post" data-content="post-{n}" id="js-post-{n}"><time class="u-dt" datetime="2026-11-20T20:00:00+0800">Friday</time><div class=message-body><div class=bbWrapper><blockquote>别人的话</blockquote>第 {n} 层</div></div></article>'
    return {
        "/forums/chat.2/": '<div class="structItem structItem--thread js-threadListItem-7"><div class=structItem-title><a href="/threads/evening.7/" data-tp-primary=on>晚自习</a></div><div class="structItem-cell structItem-cell--meta"><dl><dt>回复</dt><dd>2</dd></dl></div><time class="structItem-latestDate u-dt" datetime="2026-11-20T20:00:00+0800"></time></div>',
        "/threads/evening.7/": post.format(n=1) + post.format(n=2) + '<a class="pageNav-jump pageNav-jump--next" href="/threads/evening.7/page-2">下一页</a>',
        "/threads/evening.7/page-2": post.format(n=3),
    }  # fmt: skip


def front_page() -> dict[str, Page]:
    post = '<div id="{n}" class="my-3 card post"><small class="text-muted">By: <a href="/member/1/">小满</a> on Nov. 20, 2026, 8 p.m.</small><div class="post-content"><p>第 {n} 层</p></div></div>'
    pager = '<ul class="m-0 pagination"><li class="page-item active"><a href="?page=1" class="page-link">1</a></li><li class="page-item {off}"><a href="{link}" class="page-link">»</a></li></ul>'
    row = '<div class="row m-0 border-bottom"><a href="/forum/chat-2/topic/evening-7/" class="topic-name-link">晚自习</a><div class="py-2 topic-count">2</div><div class="py-2 topic-count">99</div></div>'
    return {
        "/": '<div class="card forumlist"><div class="p-0 card-body"><div class="row border-bottom"><a href="/forum/chat-2/" class="forum-name-link">闲聊</a></div></div></div>',
        "/forum/chat-2/": f'<div class="card topiclist"><div class="p-0 card-body">{row}</div></div>',
        "/forum/chat-2/topic/evening-7/": post.format(n=1) + post.format(n=2) + pager.format(off="", link="?page=2"),
        "/forum/chat-2/topic/evening-7/?page=2": post.format(n=3) + pager.format(off="disabled", link=""),
    }  # fmt: skip


POSTED = ["title:晚自习", "post:第 1 层", "comment:第 2 层", "comment:第 3 层"]
COMMENTED = ["title:晚自习", "comment:第 1 层", "comment:第 2 层", "comment:第 3 层"]
CASES: list[Any] = [
    (mybb, POSTED), (smf, POSTED), (fluxbb, POSTED), (question2answer, POSTED), (xenforo, POSTED), (front_page, POSTED),
    (link_board, COMMENTED), (nested_comments, COMMENTED), (mailing_list, COMMENTED), (static_comments, COMMENTED),
    (lemmy, ["title:晚自习\n几点？", *COMMENTED[1:]]), (mediawiki_talk, ["comment:晚自习", *COMMENTED[1:]]),
    (artalk, COMMENTED[1:]), (remark42, COMMENTED[1:]),
]  # fmt: skip


@pytest.mark.parametrize(("pages", "expected"), CASES, ids=[one[0].__name__ for one in CASES])
def test_an_example_reads_every_unit_once_and_then_nothing(
    pages: Any, expected: list[str], site: Site, crawls: Crawls, tmp_path: Path
) -> None:
    site.pages |= pages()
    file = EXAMPLES / f"{pages.__name__.replace('_', '-')}.yaml"
    values = YAML(typ="safe").load(file.read_text("utf-8"))
    served = json.dumps(values, ensure_ascii=False).replace("https://remark.example/", site.url)
    values = json.loads(served) | {"base_url": site.url, "private_hosts_allowed": True, "delay_seconds": 0}
    values["basis"]["kind"] = "owner"
    path = tmp_path / "test.yaml"
    path.write_text(json.dumps(values, ensure_ascii=False), "utf-8")
    policy = load_site(path)

    captures = crawls.run(policy)

    assert sorted(f"{one.kind}:{one.text}" for one in captures) == sorted(expected)
    assert (crawls.report.failed, crawls.report.incomplete_units) == ({}, 0)
    assert all(
        one.published_at and one.published_at.isoformat().startswith("2026-11-20T")
        for one in captures
        if one.kind != "title" and one.text != "晚自习"
    )
    assert crawls.run(policy) == []


def test_every_example_is_right_and_has_ten_lines_at_most() -> None:
    files = sorted(EXAMPLES.glob("*.yaml"))
    assert {one[0].__name__.replace("_", "-") for one in CASES} <= {file.stem for file in files}
    for file in files:
        written = [line for line in file.read_text("utf-8").splitlines() if not line.startswith("#")]
        assert len(written) <= 10, file.name
        assert load_site(file).crawl is not None
