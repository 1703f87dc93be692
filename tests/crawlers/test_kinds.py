# ruff: noqa: E501 - markup reads best as it stands on pages
"""Kinds of site that need no configuration: schema.org data, sitemaps with articles, ActivityPub outboxes, feeds."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from config.sealing import opened
from crawlers.addresses import masked
from crawlers.capture import Capture
from tests.crawlers.conftest import KEY, Crawls
from tests.crawlers.site import Reply, Site
from tests.crawlers.test_presets import as_json, policy_of

XML = {"Content-Type": "application/xml"}


def said(captures: list[Capture]) -> list[tuple[str, str]]:
    return [(one.kind, one.text) for one in captures]


def ld(value: object) -> str:
    return f'<script type="application/ld+json">{json.dumps(value, ensure_ascii=False)}</script>'


def comment(n: int, *inner: object, **more: object) -> dict[str, object]:
    return {
        "@type": "Comment",
        "@id": f"#c{n}",
        "text": f"第 {n} 条",
        "datePublished": "2026-11-20T08:00:00+08:00",
        "comment": list(inner),
    } | more


MICRODATA = """
<div itemscope itemtype="https://schema.org/DiscussionForumPosting" itemid="#p1">
  <h1 itemprop="headline">晚自习</h1>
  <div itemprop="author" itemscope itemtype="https://schema.org/Person"><span itemprop="name">小满</span></div>
  <time itemprop="datePublished" datetime="2026-11-20T08:00:00+08:00">昨天</time>
  <div itemprop="text"><p>几点结束？</p></div>
  <div itemprop="comment" itemscope itemtype="https://schema.org/Comment" id="c1">
    <p itemprop="text">九点<br>半</p><meta itemprop="datePublished" content="2026-11-20T09:00:00+08:00">
    <div itemprop="comment" itemscope itemtype="https://schema.org/Comment" id="c2"><p itemprop="text">谢谢</p></div>
  </div>
</div>
<div itemscope itemtype="http://schema.org/UserComments" id="c3"><span itemprop="commentText">十点</span></div>
<a rel="nofollow next" href="?page=2">下一页</a>
"""


def test_microdata_is_read_with_nested_comments_and_without_its_authors(
    site: Site, crawls: Crawls, tmp_path: Path
) -> None:
    site.pages |= {
        "/t/1": MICRODATA,
        "/t/1?page=2": "<article itemscope itemtype='https://schema.org/Comment'><p itemprop=text>第二页</p></article>",
    }

    captures = crawls.run(policy_of("schema-org", "/t/1", site, tmp_path))

    assert said(captures) == [
        ("post", "晚自习\n几点结束？"), ("comment", "九点\n半"), ("comment", "谢谢"), ("comment", "十点"), ("comment", "第二页"),
    ]  # fmt: skip
    assert [one.unit for one in captures[:4]] == ["#p1", "c1", "c2", "c3"]
    assert captures[0].published_at is not None
    assert crawls.run(policy_of("schema-org", "/t/1", site, tmp_path)) == []


@pytest.mark.parametrize(
    "data",
    [
        {"@context": "https://schema.org", "@type": "DiscussionForumPosting", "headline": "晚自习", "text": "几点？", "url": "/t/1", "comment": [comment(1, comment(2))]},
        {"@graph": [{"@type": "WebSite", "name": "x"}, {"@type": ["Article", "BlogPosting"], "headline": "晚自习", "articleBody": "几点？", "comment": [comment(1, comment(2))]}]},
        {"@type": "QAPage", "mainEntity": {"@type": "Question", "name": "晚自习", "text": "几点？", "acceptedAnswer": comment(1) | {"@type": "Answer"}, "suggestedAnswer": [comment(2) | {"@type": "Answer"}]}},
        [{"@type": "http://schema.org/SocialMediaPosting", "headline": "晚自习", "text": "几点？", "comment": comment(1, comment(2))}],
    ],
    ids=["forum", "article", "question", "list"],
)  # fmt: skip
def test_json_ld_is_read_in_each_of_its_shapes(data: object, site: Site, crawls: Crawls, tmp_path: Path) -> None:
    site.pages["/t/1"] = (
        ld({"@type": "Organization"}) + "<script type='application/ld+json'>{broken</script>" + ld(data)
    )
    captures = crawls.run(policy_of("schema-org", "/t/1", site, tmp_path))
    assert said(captures) == [("post", "晚自习\n几点？"), ("comment", "第 1 条"), ("comment", "第 2 条")]


def test_a_comment_without_an_id_is_told_apart_by_a_hash_of_its_text(
    site: Site, crawls: Crawls, tmp_path: Path
) -> None:
    def page(*texts: str) -> str:
        return "".join(
            f"<p itemscope itemtype='https://schema.org/Comment'><b itemprop=text>{text}</b></p>" for text in texts
        )

    policy = policy_of("schema-org", "/t/1", site, tmp_path)
    site.pages["/t/1"] = page("一", "二")
    first = crawls.run(policy)
    site.pages["/t/1"] = page("零", "一", "二")
    second = crawls.run(policy, recheck=True)

    assert [one.text for one in [*first, *second]] == ["一", "二", "零"]
    assert all(len(one.unit) == 32 and "一" not in one.unit for one in first)


def test_a_forum_whose_lists_are_structured_too_opens_only_what_moved(
    site: Site, crawls: Crawls, tmp_path: Path
) -> None:
    def listed(n: int, replies: int) -> dict[str, object]:
        return {"@type": "DiscussionForumPosting", "url": f"/t/{n}", "headline": f"题目 {n}", "commentCount": replies}

    policy = policy_of("schema-org-forum", "/board", site, tmp_path)
    items = [{"@type": "ListItem", "item": listed(1, 1)}, {"@type": "ListItem", "item": listed(2, 0)}]
    site.pages["/board"] = ld({"@type": "ItemList", "itemListElement": items})
    for n in (1, 2):
        site.pages[f"/t/{n}"] = ld(
            {"@type": "DiscussionForumPosting", "@id": "p", "url": f"/t/{n}", "text": "正文", "comment": [comment(1)]}
        )
    assert len(crawls.run(policy)) == 6
    items[1]["item"] = listed(2, 1)
    site.pages["/board"] = ld({"@type": "ItemList", "itemListElement": items})
    site.pages["/t/2"] = ld(
        {
            "@type": "DiscussionForumPosting",
            "@id": "p",
            "url": "/t/2",
            "text": "正文",
            "comment": [comment(1), comment(2)],
        }
    )
    asked = len(site.asked())

    assert said(crawls.run(policy)) == [("comment", "第 2 条")]
    assert site.asked()[asked:] == ["/board", "/t/2"]


ARTICLE = """<html><head><title>{title}</title><meta property="article:published_time" content="2026-11-20"></head><body>
<nav><a href="/">首页</a><a href="/about">关于</a></nav><article><h1>{title}</h1>
<p>{text}春天的操场上，同学们排成两队练习接力，老师在跑道边记下每一棒的时间，大家都说这一次比上个星期快了许多。</p>
<p>放学以后，图书角换上了新的借阅卡，值日的同学把书按照颜色重新排好，窗台上的绿萝也浇过了水，教室里安静得能听见翻书的声音。</p>
</article><footer>版权所有</footer></body></html>"""


def sitemap(kind: str, *entries: tuple[str, str]) -> str:
    inner = "sitemap" if kind == "sitemapindex" else "url"
    rows = "".join(f"<{inner}><loc>{loc}</loc><lastmod>{lastmod}</lastmod></{inner}>" for loc, lastmod in entries)
    return f'<?xml version="1.0" encoding="UTF-8"?><{kind} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{rows}</{kind}>'


def test_a_sitemap_index_leads_to_articles_newest_first_and_other_hosts_are_refused(
    site: Site, crawls: Crawls, tmp_path: Path
) -> None:
    root = site.url
    site.pages |= {
        "/sitemap.xml": Reply(
            sitemap("sitemapindex", (f"{root}a.xml", "2026-11-20"), (f"{root}b.xml.gz", "2026-11-19")), headers=XML
        ),
        "/a.xml": Reply(
            sitemap(
                "urlset",
                (f"{root}old", "2026-01-01"),
                (f"{root}new", "2026-11-20"),
                ("http://other.example/x", "2026-11-21"),
            ),
            headers=XML,
        ),
        "/b.xml.gz": Reply(
            gzip.compress(sitemap("urlset", (f"{root}packed", "2026-11-19")).encode()),
            headers={"Content-Type": "application/gzip"},
        ),
    }
    for name in ("old", "new", "packed"):
        site.pages[f"/{name}"] = ARTICLE.format(title=f"题目 {name}", text="")
    policy = policy_of("sitemap-article", None, site, tmp_path)

    captures = crawls.run(policy)

    assert [one.text.splitlines()[0] for one in captures] == ["题目 new", "题目 old", "题目 packed"]
    assert all("图书角" in one.text and "首页" not in one.text and one.kind == "post" for one in captures)
    assert captures[0].published_at is not None
    assert crawls.report.refused == {"host other.example is not one of this site's": 1}

    asked = len(site.asked())
    site.pages["/a.xml"] = Reply(
        sitemap("urlset", (f"{root}old", "2026-11-22"), (f"{root}new", "2026-11-20")), headers=XML
    )
    site.pages["/old"] = ARTICLE.format(title="题目 old", text="改过。")
    site.pages["/sitemap.xml"] = Reply(
        sitemap("sitemapindex", (f"{root}a.xml", "2026-11-22"), (f"{root}b.xml.gz", "2026-11-19")), headers=XML
    )
    again = crawls.run(policy)
    assert [one.text.splitlines()[0] for one in again] == ["题目 old"]
    assert site.asked()[asked:] == ["/sitemap.xml", "/a.xml", "/old"]


@pytest.mark.parametrize("body", ["<p>没有</p>", "", "<?xml version='1.0'?><a/>", b"\x1f\x8bbroken"])
def test_what_is_no_sitemap_is_told(body: Any, site: Site, crawls: Crawls, tmp_path: Path) -> None:
    site.pages["/sitemap.xml"] = Reply(body, headers=XML)
    assert crawls.run(policy_of("sitemap-article", None, site, tmp_path)) == []
    assert sum(crawls.report.failed.values()) == 1


def test_an_outbox_is_read_through_its_pages_and_boosts_of_others_are_not(
    site: Site, crawls: Crawls, tmp_path: Path
) -> None:
    root = site.url

    def create(n: int, **more: object) -> dict[str, object]:
        note = {
            "type": "Note",
            "id": f"{root}n/{n}",
            "url": f"{root}@library/{n}",
            "content": f"<p>第 {n} 条</p>",
            "published": "2026-11-20T00:00:00Z",
        }
        return {"type": "Create", "object": note | more}

    pages = {
        "true": {
            "type": "OrderedCollectionPage",
            "orderedItems": [create(4, name="题目"), {"type": "Announce", "object": "https://other.example/1"}],
            "next": f"{root}outbox?page=2",
        },
        "2": {
            "type": "OrderedCollectionPage",
            "orderedItems": [{"type": "Announce", "object": create(3)}, {"type": "Like", "object": create(9)}],
            "next": f"{root}outbox?page=3",
        },
        "3": {"type": "OrderedCollectionPage", "orderedItems": []},
    }
    collection = {
        "@context": "https://www.w3.org/ns/activitystreams",
        "type": "OrderedCollection",
        "totalItems": 4,
        "first": f"{root}outbox?page=true",
    }
    site.pages["/outbox"] = lambda query: as_json(pages[query["page"]] if query else collection)
    policy = policy_of("activitypub", "/outbox", site, tmp_path)

    captures = crawls.run(policy)

    assert said(captures) == [("post", "题目\n第 4 条"), ("post", "第 3 条")]
    sealed_url = captures[0].sealed_url
    assert sealed_url
    assert opened(sealed_url, KEY) == f"{root}@library/4"
    assert captures[0].url == masked(f"{root}@library/4", KEY)
    assert {one.headers["Accept"] for one in site.log if one.path == "/outbox"} == {"application/activity+json"}
    assert crawls.report.barren_pages == 0
    pages["true"]["orderedItems"] = [create(5), *pages["true"]["orderedItems"]]  # type: ignore[misc]
    assert said(crawls.run(policy, recheck=True)) == [("post", "第 5 条")]


def test_the_feeds_of_comments_on_each_post_are_read_when_their_number_moved(
    site: Site, crawls: Crawls, tmp_path: Path
) -> None:
    def posts(replies: int) -> Reply:
        item = "<item><title>题目</title><link>/p/7</link><guid>7</guid><comments>http://x.example/7#comments-1</comments><wfw:commentRss>/p/7/feed/</wfw:commentRss><slash:comments>{}</slash:comments></item>"
        names = 'xmlns:wfw="http://wellformedweb.org/CommentAPI/" xmlns:slash="http://purl.org/rss/1.0/modules/slash/"'
        return Reply(f"<rss {names}><channel>{item.format(replies)}</channel></rss>", headers=XML)

    def comments(*texts: str) -> Reply:
        rows = "".join(
            f"<item><guid>{n}</guid><pubDate>Fri, 20 Nov 2026 00:00:00 +0000</pubDate><description>{text}</description></item>"
            for n, text in enumerate(texts)
        )
        return Reply(f"<rss><channel>{rows}</channel></rss>", headers=XML)

    policy = policy_of("feed-comments", "/feed/", site, tmp_path)
    site.pages |= {"/feed/": posts(1), "/p/7/feed/": comments("一")}
    assert said(crawls.run(policy)) == [("title", "题目"), ("comment", "一")]
    site.pages |= {"/feed/": posts(2), "/p/7/feed/": comments("一", "二")}
    assert said(crawls.run(policy)) == [("comment", "二")]
    asked = len(site.asked())
    assert crawls.run(policy) == []
    assert site.asked()[asked:] == ["/feed/"]
