"""Posts and comments out of schema.org data, JSON-LD and microdata alike.

Sources: schema.org DiscussionForumPosting, QAPage, Comment, Answer, Article, ItemList; WHATWG HTML, microdata.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from parsel import Selector

from crawlers.canonical import absolute
from crawlers.fields import plain_text

POSTS = frozenset({"DiscussionForumPosting", "SocialMediaPosting", "BlogPosting", "Article", "NewsArticle", "Question"})
COMMENTS = frozenset({"Comment", "Answer", "UserComments", "CorrectionComment"})
DEEPEST = 60
_LINKS = {"a": "href", "area": "href", "link": "href", "img": "src", "audio": "src", "video": "src", "source": "src"}
_INNER = ("mainEntity", "itemListElement", "item", "hasPart", "@graph", "acceptedAnswer", "suggestedAnswer", "comment")

Node = dict[str, Any]


def postings(page: Selector, url: str) -> dict[str, Any]:
    """Return what people wrote, in the order of the page, the threads that it lists, and its next page.

    `items`: id, kind (`post`, `comment`), headline, text, date, url of each post and comment that has a text.
    `threads`: url, title, replies, date of each post that stands at another address.
    """
    found: list[Node] = []
    threads: list[Node] = []
    for root in [*_json_ld(page), *_microdata(page)]:
        for node in _walk(root, 0):
            posting = _posting(node, url)
            if posting["text"] and posting not in found:
                found.append(posting)
            if posting["kind"] == "post" and posting["url"] not in ("", url):
                threads.append(_thread(node, posting))
    following = page.css("link[rel~=next]::attr(href), a[rel~=next]::attr(href)").get()
    return {"items": found, "threads": threads, "next": absolute(url, following) if following else None}


def _walk(node: Any, depth: int) -> Iterator[Node]:
    """Yield every post and comment inside a piece of data, each before those inside it."""
    if depth > DEEPEST:
        return
    if isinstance(node, list):
        for one in node:
            yield from _walk(one, depth + 1)
    elif isinstance(node, dict):
        if _types(node) & (POSTS | COMMENTS):
            yield node
        for name in _INNER:
            yield from _walk(node.get(name), depth + 1)


def _types(node: Node) -> set[str]:
    said = node.get("@type")
    return {str(one).rstrip("/").rpartition("/")[2] for one in (said if isinstance(said, list) else [said]) if one}


def _posting(node: Node, page_url: str) -> Node:
    address = _plain(node.get("url")) or _plain(node.get("mainEntityOfPage"))
    text = next((said for name in ("text", "articleBody", "commentText") if (said := _plain(node.get(name)))), "")
    return {
        "id": _plain(node.get("@id")) or _plain(node.get("identifier")) or address,
        "kind": "post" if _types(node) & POSTS else "comment",
        "headline": _plain(node.get("headline")) or _plain(node.get("name")),
        "text": text,
        "date": next((said for name in ("datePublished", "dateCreated") if (said := _plain(node.get(name)))), ""),
        "url": (address and absolute(page_url, address)) or "",
    }


def _thread(node: Node, posting: Node) -> Node:
    replies = _plain(node.get("commentCount")) or _plain(node.get("answerCount"))
    moved = _plain(node.get("dateModified")) or posting["date"]
    return {"url": posting["url"], "title": posting["headline"], "replies": replies, "date": moved}


def _plain(value: Any) -> str:
    """Return a value as text: of several the first, of a thing its id or its value."""
    if isinstance(value, list):
        value = value[0] if value else None
    if isinstance(value, dict):
        value = next((value[name] for name in ("@id", "@value", "value", "url") if value.get(name)), None)
    return str(value).strip() if isinstance(value, str | int | float) else ""


def _json_ld(page: Selector) -> Iterator[Any]:
    for script in page.css('script[type="application/ld+json"]::text').getall():
        try:
            yield json.loads(script.strip().removeprefix("<!--").removesuffix("-->"), strict=False)
        except (ValueError, RecursionError):
            continue


def _microdata(page: Selector) -> Iterator[Node]:
    for scope in page.xpath("//*[@itemscope][not(@itemprop)]"):
        yield _scope(scope, 0)
    # Comments often stand in scopes that nothing around them names.


def _scope(scope: Selector, depth: int) -> Node:
    attributes = scope.attrib
    node: Node = {"@type": attributes.get("itemtype", "").split()[:1]}
    if own := attributes.get("itemid") or attributes.get("id"):
        node["@id"] = own
    if depth < DEEPEST:
        for element in _own_properties(scope):
            value = _scope(element, depth + 1) if "itemscope" in element.attrib else _value(element)
            for name in element.attrib["itemprop"].split():
                node.setdefault(name.rpartition("/")[2], []).append(value)
    return node


def _own_properties(scope: Selector) -> list[Selector]:
    """Return the elements with an itemprop whose nearest scope is this one, in the order of the page."""
    depth = "count(ancestor::*[@itemscope])"
    own = int(float(scope.xpath(f"{depth}").get() or 0)) + 1
    return list(scope.xpath(f".//*[@itemprop][{depth} = {own}]"))


def _value(element: Selector) -> str:
    name, attributes = element.root.tag, element.attrib
    if "content" in attributes:
        return attributes["content"]
    if name in _LINKS:
        return attributes.get(_LINKS[name], "")
    if name == "time" and "datetime" in attributes:
        return attributes["datetime"]
    if name in {"data", "meter"} and "value" in attributes:
        return attributes["value"]
    return plain_text(element.get())
