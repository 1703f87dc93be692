"""A small forum in the markup that `HTML_RECIPE` reads."""

from __future__ import annotations

from typing import Any

from tests.crawlers.site import Site

HTML_RECIPE: dict[str, Any] = {
    "list": {
        "items": [{"css": ".thread"}],
        "url": [{"css": "a::attr(href)", "as": "url"}],
        "key": [{"css": "::attr(data-id)"}],
        "title": [{"css": "a"}],
        "replies": [{"css": ".replies"}],
        "paging": {"kind": "next_link", "next": [{"css": "a.next::attr(href)", "as": "url"}]},
    },
    "thread": {
        "items": [{"css": ".post"}],
        "key": [{"css": "::attr(data-id)"}],
        "text": [{"css": ".text", "as": "html-text"}],
        "published_at": [{"css": "time", "as": "zh-datetime"}],
        "first_is_post": True,
        "paging": {"kind": "next_link", "next": [{"css": "a.next::attr(href)", "as": "url"}]},
    },
}


def put(site: Site, threads: dict[str, list[str]], per_page: int = 3, threads_per_page: int = 10) -> None:
    """Put a forum on a site, thread by thread with its texts; asked again it changes."""
    names = list(threads)
    for number, some in _pages(names, threads_per_page):
        rows = "".join(listed(name, f"/t/{name}", len(threads[name]) - 1) for name in some)
        more = number * threads_per_page < len(names)
        site.pages["/list" if number == 1 else f"/list?page={number}"] = rows + _next("/list", number, more)
    for name, texts in threads.items():
        keyed = list(enumerate(texts))
        for number, part in _pages(keyed, per_page):
            posts = "".join(post(f"{name}-{key}", text) for key, text in part)
            path = f"/t/{name}" if number == 1 else f"/t/{name}?page={number}"
            site.pages[path] = posts + _next(f"/t/{name}", number, number * per_page < len(texts))


def listed(name: str, href: str, replies: int) -> str:
    """Return a thread as its list shows it."""
    return f'<li class=thread data-id={name}><a href="{href}">题目 {name}</a><span class=replies>{replies}</span></li>'


def post(key: str, text: str, written: str = "2026-11-20 08:00") -> str:
    """Return a post as its thread shows it."""
    return f"<div class=post data-id={key}><p class=text>{text}</p><time>{written}</time></div>"


def _pages(things: list[Any], size: int) -> list[tuple[int, list[Any]]]:
    return [(start // size + 1, things[start : start + size]) for start in range(0, max(len(things), 1), size)]


def _next(path: str, number: int, more: bool) -> str:
    return f'<a class=next href="{path}?page={number + 1}">下一页</a>' if more else ""
