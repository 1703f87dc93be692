# ruff: noqa: E501 - heads read best as their software writes them
"""Software is recognised by what its pages say of it; each line is a page's head or foot as that software writes it."""

from __future__ import annotations

import pytest
from scrapy.http import TextResponse

from config.policy import list_presets, recognitions
from crawlers.recognise import recognise

PAGES = [
    ("discuz", '<meta name="generator" content="Discuz! X3.4">', {}),
    ("discuz", '<table id="threadlisttableid"></table>', {}),
    ("phpbb", '<body id="phpbb" class="nojs notouch section-viewforum ltr">', {}),
    ("nodebb", "<p>", {"X-Powered-By": "NodeBB"}),
    ("nodebb", '<ul component="category"><li component="category/topic" data-tid="7"></li></ul>', {}),
    ("discourse", '<meta name="generator" content="Discourse 3.2.1 - https://github.com/discourse/discourse">', {}),
    ("flarum", '<script id="flarum-json-payload" type="application/json">{}</script>', {}),
    ("spirit", '<div class="layout__topics__topic"></div>', {}),
    ("wordpress-html", '<link rel="https://api.w.org/" href="/wp-json/"><meta name="generator" content="WordPress 6.1">', {}),
    ("wordpress-html", "<link rel=stylesheet href='/wp-content/themes/x.css'>", {"Link": '</wp-json/>; rel="https://api.w.org/"'}),
    ("waline", "<script type=module>Waline.init({el: '#waline', serverURL: 'https://talk.example'})</script>", {}),
    ("waline", "<script type=module>import{init}from'/waline.js';init({el:'#w',serverURL:'https://talk.example'})</script>", {}),
    ("waline-page", '<div class="wl-cards"><div id="7" class="wl-card-item"></div></div>', {}),
    ("waline", '{"errno": 0, "data": {"page": 1, "totalPages": 1, "data": []}}', {}),
    ("isso", '<script data-isso="//talk.example/" src="//talk.example/js/embed.min.js"></script>', {}),
    ("isso", '{"id": null, "total_replies": 2, "hidden_replies": 0, "replies": []}', {}),
    ("mastodon", '<div class="app-holder" id="mastodon" data-props="{}"></div>', {}),
    ("feed", "<?xml version='1.0'?><rss><channel><item/></channel></rss>", {}),
    ("feed", '<link rel="alternate" type="application/atom+xml" href="/atom.xml">', {}),
    ("json-api", '[{"id": 1, "text": "一"}]', {}),
    ("schema-org", '<div itemscope itemtype="https://schema.org/QAPage">', {}),
    ("schema-org", '<script type="application/ld+json">{"@type": "DiscussionForumPosting"}</script>', {}),
    ("schema-org-forum", '<script type="application/ld+json">{"@type": "ItemList", "x": {"@type": "Question"}}</script>', {}),
    ("sitemap-article", "<?xml version='1.0'?><urlset><url><loc>https://site.example/1</loc></url></urlset>", {}),
    ("activitypub", '{"type": "OrderedCollection", "first": "https://site.example/outbox?page=true"}', {}),
    ("feed-comments", "<rss xmlns:wfw='http://wellformedweb.org/CommentAPI/'><channel><item><wfw:commentRss>/1</wfw:commentRss></item></channel></rss>", {}),
    ("forum", '<div class="post" id="post-1">', {}),
]  # fmt: skip


def page(body: str, headers: dict[str, str]) -> TextResponse:
    return TextResponse("https://site.example/", body=body.encode(), headers=headers, encoding="utf-8")


@pytest.mark.parametrize(("preset", "body", "headers"), PAGES, ids=[f"{n}-{one[0]}" for n, one in enumerate(PAGES)])
def test_software_is_recognised_by_its_markers(preset: str, body: str, headers: dict[str, str]) -> None:
    found = recognise(page(body, headers), agreed=False)
    assert found[0].preset == preset
    assert found[0].evidence


def test_an_owners_agreement_puts_the_interface_that_says_noindex_first() -> None:
    body, headers = "<link rel=stylesheet href='/wp-content/x.css'>", {"Link": '</wp-json/>; rel="https://api.w.org/"'}
    assert [one.preset for one in recognise(page(body, headers), agreed=True)][:2] == ["wordpress", "wordpress-html"]
    assert [one.preset for one in recognise(page(body, headers), agreed=False)][:2] == ["wordpress-html", "wordpress"]


@pytest.mark.parametrize(
    "body", ["", "<p>一张普通的页面</p>", "{", "[]", "null", "\x00\x01", "<?xml version='1.0'?><a/>"]
)
def test_a_page_of_nothing_known_is_told_as_that(body: str) -> None:
    assert recognise(page(body, {}), agreed=True) == []


def test_every_preset_says_by_what_it_is_recognised_and_is_tried_here() -> None:
    assert set(recognitions()) == set(list_presets())
    assert {one[0] for one in PAGES} | {"wordpress"} == set(list_presets())
