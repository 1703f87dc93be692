# ruff: noqa: E501 - markup reads best as its software writes it
"""Each preset reads pages built as its software builds them; the version is named beside each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from config.policy import list_presets, load_site
from tests.crawlers.conftest import Crawls
from tests.crawlers.site import Page, Reply, Site

LATER = {"discuz", "phpbb", "nodebb", "discourse", "flarum"}
"""Presets of forums, in whose second run only the list is asked for."""


def as_json(value: object, **headers: str) -> Reply:
    return Reply(json.dumps(value, ensure_ascii=False), headers={"Content-Type": "application/json"} | headers)


def discuz_x3() -> dict[str, Page]:
    """Discuz! X3.4, default template, rewritten addresses."""
    head = "<table id=threadlisttableid>"
    row = (
        '<tbody id="{id}thread_{n}"><tr><th class=common><a href="thread-{n}-1-2.html" class="s xst">{title}</a></th>'
        "<td class=by><cite>小满</cite></td><td class=num><a class=xi2>{replies}</a><em>99</em></td>"
        '<td class=by><cite>阿青</cite><em><a href="#"><span title="2026-11-20 08:00:{n}">昨天</span></a></em></td></tr></tbody>'
    )
    post = (
        '<div id="post_{n}"><table id="pid{n}"><tr><td class=pls>作者</td><td class=plc><em id="authorposton{n}">发表于 '
        '<span title="2026-11-20 08:00:00">4 天前</span></em><div class=pcb><table><tr><td class=t_f id="postmessage_{n}">'
        "<i class=pstatus> 本帖最后由 小满 于 2026-11-20 编辑 </i><div class=quote><blockquote>别人的话</blockquote></div>{text}"
        "</td></tr></table></div></td></tr></table></div>"
    )
    pages = '<div class=pg><strong>1</strong><a class=nxt href="{next}">下一页</a></div>'
    return {
        "/forum-2-1.html": head
        + row.format(id="stick", n=11, title="版规", replies=0)
        + row.format(id="normal", n=12, title="晚自习", replies=2)
        + "</table>",
        "/thread-11-1-1.html": "<div id=postlist>" + post.format(n=1, text="一") + "</div>",
        "/thread-12-1-1.html": f"<div id=postlist>{post.format(n=2, text='二')}{post.format(n=3, text='三')}</div>"
        + pages.format(next="thread-12-2-1.html"),
        "/thread-12-2-1.html": "<div id=postlist>" + post.format(n=4, text="四") + "</div>",
    }


def discuz_7() -> dict[str, Page]:
    """Discuz! 7.2 in GBK."""
    row = (
        '<tbody id="normalthread_12"><tr><th class="subject new"><span id="thread_12"><a href="viewthread.php?tid=12&amp;'
        'extra=page%3D1">晚自习</a></span></th><td class=author>小满</td><td class=nums><strong>1</strong>/<em>9</em></td>'
        '<td class=lastpost><cite>阿青</cite><em><a href="redirect.php?tid=12">2010-1-2 10:20</a></em></td></tr></tbody>'
    )
    post = (
        '<div id="post_{n}"><div class=authorinfo><em id="authorposton{n}">发表于 2010-1-2 10:20</em></div>'
        '<table><tr><td class=t_msgfont id="postmessage_{n}">{text}</td></tr></table></div>'
    )

    def gbk(body: str) -> Reply:
        return Reply(f'<meta http-equiv="Content-Type" content="text/html; charset=gbk">{body}'.encode("gbk"),
                     headers={"Content-Type": "text/html"})  # fmt: skip

    return {
        "/forumdisplay.php?fid=2": gbk(f"<table>{row}</table>"),
        "/viewthread.php?tid=12": gbk(
            f"<div id=postlist>{post.format(n=1, text='一')}{post.format(n=2, text='二')}</div>"
        ),
    }


def phpbb() -> dict[str, Page]:
    """phpBB 3.3, prosilver."""
    post = (
        '<div id="p{n}" class="post has-profile bg2"><div class=postbody><p class=author>由 小满 » '
        '<time datetime="2026-11-20T00:00:00+00:00">昨天</time></p><div class=content>'
        "<blockquote><div><cite>阿青 写：</cite>别人的话</div></blockquote>{text}</div></div></div>"
    )
    next_page = '<div class=pagination><ul><li class="arrow next"><a rel=next href="./viewtopic.php?t=7&amp;start=2">下一页</a></li></ul></div>'
    return {
        "/viewforum.php?f=2": '<ul class="topiclist topics"><li class="row bg1"><dl class="row-item"><dt>'
        '<a href="./viewtopic.php?f=2&amp;t=7&amp;sid=abc" class=topictitle>晚自习</a></dt><dd class=posts>2 <dfn>回复</dfn></dd>'
        '<dd class=lastpost><span><time datetime="2026-11-20T00:00:00+00:00">昨天</time></span></dd></dl></li></ul>',
        "/viewtopic.php?t=7": post.format(n=1, text="一") + post.format(n=2, text="二") + next_page,
        "/viewtopic.php?start=2&t=7": post.format(n=3, text="三"),
        "/viewtopic.php?t=7&start=2": post.format(n=3, text="三"),
    }


def nodebb() -> dict[str, Page]:
    """NodeBB 3.x read API."""

    def post(n: int, text: str) -> dict[str, object]:
        content = f"<blockquote>别人的话</blockquote><p>{text}</p>"
        return {"pid": n, "content": content, "timestampISO": "2026-11-20T00:00:00.000Z", "deleted": 0}

    def topic(query: dict[str, str]) -> Reply:
        page = int(query.get("page", "1"))
        posts = {1: [post(1, "一"), post(2, "二")], 2: [post(3, "三"), post(4, "删") | {"deleted": 1}]}[page]
        return as_json({"tid": 7, "posts": posts, "pagination": {"pageCount": 2, "currentPage": page}})

    listed = {"tid": 7, "slug": "7/evening", "title": "晚自习 &amp; 早读", "titleRaw": "晚自习 & 早读", "postcount": 3,
              "lastposttimeISO": "2026-11-20T00:00:00.000Z"}  # fmt: skip
    return {
        "/api/category/5": as_json({"topics": [listed], "pagination": {"pageCount": 1}}),
        "/api/topic/7/evening": topic,
    }


def discourse() -> dict[str, Page]:
    """Discourse 3.x."""

    def post(n: int) -> dict[str, object]:
        return {"id": n, "post_number": n, "post_type": 1, "topic_id": 7, "topic_slug": "evening",
                "cooked": f"<aside class='quote'>别人的话</aside><p>第 {n} 层</p>",
                "created_at": "2026-11-20T00:00:00.000Z"}  # fmt: skip

    def topic(query: dict[str, str]) -> Reply:
        page = int(query.get("page", "1"))
        posts = [post(n) for n in range(20 * page - 19, min(20 * page, 25) + 1)]
        notice = {"id": 900 + page, "post_type": 3, "cooked": "<p>已关闭</p>"}
        return as_json({"id": 7, "posts_count": 25, "post_stream": {"posts": [*posts, notice]}})

    def latest(query: dict[str, str]) -> Reply:
        topics = [{"id": 7, "title": "晚自习", "posts_count": 25, "last_posted_at": "2026-11-20T00:00:00.000Z"}]
        return as_json({"topic_list": {"topics": [] if query.get("page") else topics}})

    return {"/latest.json": latest, "/t/7.json": topic}


def flarum() -> dict[str, Page]:
    """Flarum 1.8."""

    def post(n: int, **attributes: object) -> dict[str, object]:
        said = {"number": n, "contentType": "comment", "contentHtml": f"<p>第 {n} 层</p>",
                "createdAt": "2026-11-20T00:00:00+00:00"} | attributes  # fmt: skip
        return {"type": "posts", "id": str(n), "attributes": said,
                "relationships": {"discussion": {"data": {"type": "discussions", "id": "7"}}}}  # fmt: skip

    more = "/api/posts?filter[discussion]=7&sort=createdAt&page[offset]=20"
    return {
        "/api/discussions?sort=-lastPostedAt": as_json(
            {"data": [{"id": "7", "attributes": {"title": "晚自习", "commentCount": 3, "lastPostedAt": "2026-11-20T00:00:00+00:00"}}],
             "links": {"first": "/api/discussions"}}
        ),
        "/api/posts?filter[discussion]=7&sort=createdAt": as_json(
            {"data": [post(1), post(2), post(3, contentType="discussionRenamed", contentHtml=None), post(4, isHidden=True)],
             "links": {"next": more}}
        ),
        more: as_json({"data": [post(5)], "links": {}}),
    }  # fmt: skip


def wordpress() -> dict[str, Page]:
    """WordPress 6.x REST."""

    def row(n: int, **more: object) -> dict[str, object]:
        return {"id": n, "date_gmt": "2026-11-20T00:00:00", "link": f"/7/comment-page-1/#comment-{n}",
                "content": {"rendered": f"<p>第 {n} 条</p>"}} | more  # fmt: skip

    return {
        "/wp-json/wp/v2/comments?per_page=100": as_json(
            [row(3, post=7), row(2, post=7)],
            Link='</wp-json/wp/v2/comments?per_page=100&page=2>; rel="next"', **{"X-Robots-Tag": "noindex"},
        ),
        "/wp-json/wp/v2/comments?per_page=100&page=2": as_json([row(1, post=7)]),
        "/wp-json/wp/v2/posts?per_page=100": as_json([row(7, link="/7/", content={"rendered": "正文"})]),
    }  # fmt: skip


def wordpress_html() -> dict[str, Page]:
    """WordPress 6.x, Twenty Twenty-One: the newest page of comments first."""
    comment = (
        '<li id="comment-{n}" class=comment><article class=comment-body><footer class=comment-meta><div class=comment-metadata>'
        '<a><time datetime="2026-11-20T00:00:00+00:00">昨天</time></a></div></footer><div class=comment-content><p>第 {n} 条</p>'
        "</div></article>{children}</li>"
    )
    article = '<article id="post-7" class="post-7 post type-post hentry"><time datetime="2026-11-20T00:00:00+00:00">昨天</time><div class=entry-content>正文</div></article>'
    older = '<nav class="navigation comments-pagination"><a class="prev page-numbers" href="/7/comment-page-1/#comments">较早</a></nav>'
    newer = '<nav class="navigation comments-pagination"><a class="next page-numbers" href="/7/comment-page-2/#comments">较新</a></nav>'
    second = article + f"<ol>{comment.format(n=3, children='')}</ol>" + older
    reply = "<ol class=children>" + comment.format(n=2, children="") + "</ol>"
    return {
        "/": '<article id="post-7" class="post-7 post type-post hentry"><h2 class=entry-title><a href="/7/">晚自习</a></h2></article>'
        "<article class=wp-block-latest-comments__comment>侧栏</article>",
        "/7/": second,
        "/7/comment-page-1/": article + f"<ol>{comment.format(n=1, children=reply)}</ol>" + newer,
        "/7/comment-page-2/": second,
    }


def waline() -> dict[str, Page]:
    """Waline 1.39."""

    def comments(query: dict[str, str]) -> Reply:
        child = {"objectId": 2, "comment": '<p><a class="at" href="#1">@x</a> , 第 2 条</p>', "time": 1790000000000}
        rows = {1: [{"objectId": 1, "comment": "<p>第 1 条</p>", "time": 1790000000000, "children": [child]}],
                2: [{"objectId": 3, "comment": "<p>第 3 条</p>", "time": 1790000000000, "children": []}]}  # fmt: skip
        page = int(query.get("page", "1"))
        return as_json({"errno": 0, "data": {"page": page, "totalPages": 2, "count": 3, "data": rows[page]}})

    return {"/api/comment": comments}


def mastodon() -> dict[str, Page]:
    """Mastodon 4.x."""

    def status(n: int, **more: object) -> dict[str, object]:
        return {"id": str(n), "content": f"<p>第 {n} 条</p>", "created_at": "2026-11-20T00:00:00.000Z", "spoiler_text": "",
                "visibility": "public", "reblog": None, "url": f"/@a/{n}", "in_reply_to_id": None} | more  # fmt: skip

    return {
        "/api/v1/timelines/public?local=true&limit=40": as_json(
            [
                status(9),
                status(8, spoiler_text="剧透"),
                status(7, visibility="unlisted"),
                status(6, reblog={"id": "1"}),
            ],
            Link='</api/v1/timelines/public?local=true&limit=40&max_id=6>; rel="next"',
        ),
        "/api/v1/timelines/public?local=true&limit=40&max_id=6": as_json([status(5)]),
    }


# preset, pages, start of its section, (kind, text) of every capture in the order of reading
CASES: list[Any] = [
    ("discuz", discuz_x3, "forum-2-1.html", "title:版规 title:晚自习 post:一 post:二 comment:三 comment:四"),
    ("discuz", discuz_7, "forumdisplay.php?fid=2", "title:晚自习 post:一 comment:二"),
    ("phpbb", phpbb, "viewforum.php?f=2", "title:晚自习 post:一 comment:二 comment:三"),
    ("nodebb", nodebb, "/api/category/5", "title:晚自习_&_早读 post:一 comment:二 comment:三"),
    ("discourse", discourse, "/latest.json", "title:晚自习 post:第_1_层 " + " ".join(f"comment:第_{n}_层" for n in range(2, 26))),
    ("flarum", flarum, None, "title:晚自习 post:第_1_层 comment:第_2_层 comment:第_5_层"),
    ("wordpress", wordpress, None, "comment:第_3_条 comment:第_2_条 comment:第_1_条 post:正文"),
    ("wordpress-html", wordpress_html, None, "title:晚自习 post:正文 comment:第_3_条 comment:第_1_条 comment:第_2_条"),
    ("waline", waline, "/api/comment?path=/post/1/&pageSize=50&sortBy=insertedAt_asc", "comment:第_1_条 comment:,_第_2_条 comment:第_3_条"),
    ("mastodon", mastodon, None, "post:第_9_条 post:剧透/第_8_条 post:第_5_条"),
]  # fmt: skip


def policy_of(preset: str, start: str | None, site: Site, folder: Path) -> Any:
    path = folder / "test.yaml"
    values = {
        "title": "测试站", "class": "forum_qa", "extends": preset, "base_url": site.url, "private_hosts_allowed": True,
        "basis": {"kind": "owner", "document": "本测试自己提供的页面"}, "delay_seconds": 0,
    }  # fmt: skip
    sections = {"sections": [{"slug": "all", "title": "全部", "start": [start]}]} if start else {}
    path.write_text(json.dumps(values | sections, ensure_ascii=False), "utf-8")
    return load_site(path)


@pytest.mark.parametrize(
    ("preset", "pages", "start", "expected"), CASES, ids=[f"{one[0]}-{one[1].__name__}" for one in CASES]
)
def test_a_preset_reads_every_unit_once_and_then_nothing(
    preset: str, pages: Any, start: str | None, expected: str, site: Site, crawls: Crawls, tmp_path: Path
) -> None:
    site.pages |= pages()
    policy = policy_of(preset, start, site, tmp_path)

    captures = crawls.run(policy)

    found = [f"{one.kind}:{one.text.replace(' ', '_').replace(chr(10), '/')}" for one in captures]
    assert sorted(found) == sorted(expected.split())
    assert crawls.report.failed == {}
    assert crawls.report.incomplete_units == 0
    assert all(one.published_at for one in captures if one.kind != "title")
    assert (
        len(
            {
                one.canonical_url
                for one in captures
                if one.section == captures[0].section and one.thread == captures[0].thread
            }
        )
        == 1
    )
    asked = len(site.asked())

    assert crawls.run(policy) == []
    assert len(site.asked()) - asked <= (1 if preset in LATER else asked // 2)


def test_units_of_an_interface_for_programs_have_the_address_that_people_see(
    site: Site, crawls: Crawls, tmp_path: Path
) -> None:
    site.pages |= discourse()
    captures = crawls.run(policy_of("discourse", "/latest.json", site, tmp_path))
    assert captures[-1].url == f"{site.url}t/evening/7/25"
    assert captures[-1].canonical_url == f"{site.url}t/7.json"


def test_every_preset_is_tried_here_or_beside() -> None:
    beside = {"feed", "json-api", "isso", "spirit", "forum"}  # test_formats, and those below
    beside |= {"schema-org", "schema-org-forum", "sitemap-article", "activitypub", "feed-comments"}  # test_kinds
    beside |= {"waline-page"}  # test_render
    assert {one[0] for one in CASES} | beside == set(list_presets())


def test_spirit_0_14(site: Site, crawls: Crawls, tmp_path: Path) -> None:
    next_page = '<div class=paginator__button><a href="?page=2"><i class="fa fa-chevron-right"></i></a></div>'
    comment = (
        '<div class="comment js-comment" data-pk={n}><ul class=comment__info__date><li title="2026年11月20日 08:00">4d</li></ul>'
        "<div class=comment__text><p>第 {n} 层</p></div></div>"
    )
    site.pages |= {
        "/topic/active/": '<div class=layout__topics__topic><a class=topic__link href="/topic/7/evening/">晚自习</a>'
        '<span class=topic__comments>2</span><span class=topic__date title="2026年11月20日 08:00">4d</span></div>',
        "/topic/7/evening/": comment.format(n=1) + comment.format(n=2) + next_page,
        "/topic/7/evening/?page=2": comment.format(n=3),
    }
    captures = crawls.run(policy_of("spirit", "/topic/active/", site, tmp_path))
    assert [one.text for one in captures] == ["晚自习", "第 1 层", "第 2 层", "第 3 层"]


def test_isso_0_14(site: Site, crawls: Crawls, tmp_path: Path) -> None:
    reply = {"id": 2, "text": "<p>二</p>", "created": 1790000000.5, "replies": []}
    first = {"id": 1, "text": "<p>一</p>", "created": 1790000000.5, "replies": [reply], "hidden_replies": 0}
    site.pages["/"] = lambda query: as_json({"id": query["uri"], "replies": [first], "hidden_replies": 3})
    captures = crawls.run(policy_of("isso", "/?uri=/post/1/", site, tmp_path))
    assert [one.text for one in captures] == ["一", "二"]
    assert crawls.report.truncated_threads == 1


def test_a_json_list_is_read_by_the_generic_preset(site: Site, crawls: Crawls, tmp_path: Path) -> None:
    rows = [{"id": 1, "content": "<p>一</p>", "created_at": "2026-11-20T00:00:00Z"}]
    site.pages["/api"] = lambda query: as_json(rows if query.get("page", "1") == "1" else [])
    captures = crawls.run(policy_of("json-api", "/api", site, tmp_path))
    assert [one.text for one in captures] == ["一"]


def test_a_forum_of_no_known_software_is_read_by_the_generic_preset(site: Site, crawls: Crawls, tmp_path: Path) -> None:
    row = '<tr class=row><td><a class=title href="/topic/7">晚自习</a></td><td class=replies>1</td><td>小满</td></tr>'
    post = '<article class=post id=p{n}><time datetime="2026-11-20T00:00:00Z">昨天</time><div class=post-body>{text}</div></article>'
    site.pages |= {
        "/board": f"<table><tr><th>主题</th></tr>{row}</table>",
        "/topic/7": post.format(n=1, text="<blockquote>别人的话</blockquote>一")
        + "<a rel=next href='/topic/7?page=2'>下一页</a>",
        "/topic/7?page=2": post.format(n=2, text="二"),
    }
    captures = crawls.run(policy_of("forum", "/board", site, tmp_path))
    assert [(one.kind, one.text) for one in captures] == [("title", "晚自习"), ("post", "一"), ("comment", "二")]


def test_the_generic_preset_passes_over_page_numbers_and_finds_times_in_sentences(
    site: Site, crawls: Crawls, tmp_path: Path
) -> None:
    row = '<div class=row><a href="/t/7/?page=1">1</a> <a href="/t/7/?page=2">2</a> <a class=topic-name-link href="/t/7/">晚自习</a><div class=topic-count>1</div></div>'
    post = '<div class="card post" id={n}><small>By: 小满 on Nov. 20, 2026, 8 p.m.</small><div class=post-content>第 {n} 层</div></div>'
    site.pages |= {
        "/board": f"<div class=topiclist>{row}</div>",
        "/t/7/": post.format(n=1) + '<li class=page-item><a href="?page=2">»</a></li>',
        "/t/7/?page=2": post.format(n=2) + '<li class=page-item><a href="">»</a></li>',
    }
    captures = crawls.run(policy_of("forum", "/board", site, tmp_path))
    assert [(one.kind, one.text) for one in captures] == [
        ("title", "晚自习"),
        ("post", "第 1 层"),
        ("comment", "第 2 层"),
    ]
    assert all(one.published_at and one.published_at.hour == 20 for one in captures[1:])
