"""Crawls in this process, one after the other, against sites that the tests serve themselves."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from config.policy import SitePolicy, load_class
from crawlers.capture import Capture
from crawlers.report import CrawlReport
from tests.crawlers.site import Site

KEY = b"only-for-tests"
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


@pytest.fixture
def site() -> Iterator[Site]:
    """An empty site that allows everything."""
    with Site() as server:
        yield server
        server.shutdown()


@pytest.fixture(scope="session")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """An event loop in a thread, driven by Twisted's asyncio reactor, which starts once in a process."""
    from twisted.internet import asyncioreactor

    loop = asyncio.new_event_loop()
    asyncioreactor.install(loop)
    from twisted.internet import reactor

    thread = threading.Thread(target=reactor.run, kwargs={"installSignalHandlers": False}, daemon=True)
    thread.start()
    yield loop
    loop.call_soon_threadsafe(reactor.stop)
    thread.join(10)


class Crawls:
    """Crawls of one site with one memory."""

    def __init__(self, site: Site, loop: asyncio.AbstractEventLoop, folder: Path) -> None:
        self.site, self.folder, self.report = site, folder, CrawlReport("none")
        self._loop = loop

    def policy(self, recipe: dict[str, Any] = HTML_RECIPE, **changes: Any) -> SitePolicy:
        """Return a policy for the site."""
        values: dict[str, Any] = {
            "name": "test",
            "title": "测试站",
            "platform_class": load_class("forum_qa"),
            "basis": {"kind": "owner", "document": "本测试自己提供的页面"},
            "base_url": self.site.url,
            "private_hosts_allowed": True,
            "thresholds": load_class("forum_qa").thresholds,
            "pages_per_day": 1000,
            "delay_seconds": 0,
            "sections": [{"slug": "all", "title": "全部", "start": ["/list"]}],
            "crawl": recipe,
        }
        return SitePolicy.model_validate(values | changes)

    def run(self, policy: SitePolicy | None = None, **options: Any) -> list[Capture]:
        """Crawl to the end and return the captures; the report is kept."""
        from crawlers.crawl import crawl_here

        captures: list[Capture] = []
        defaults = {"state_dir": self.folder, "key": KEY, "on_capture": captures.append}
        crawling = crawl_here(policy or self.policy(), **(defaults | options))
        self.report = asyncio.run_coroutine_threadsafe(crawling, self._loop).result(60)
        return captures

    def visit(self, act: Any, policy: SitePolicy | None = None) -> Any:
        """Look at a few pages outside a crawl and return what `act` returns."""
        from crawlers.visit import visit_here

        visiting = visit_here(policy or self.policy(), act, state_dir=self.folder)
        return asyncio.run_coroutine_threadsafe(visiting, self._loop).result(60)


@pytest.fixture
def crawls(site: Site, loop: asyncio.AbstractEventLoop, tmp_path: Path) -> Crawls:
    """Crawls of `site`, each remembering those before it."""
    return Crawls(site, loop, tmp_path / "state")


@pytest.fixture
def forum(site: Site) -> Callable[..., None]:
    """Put a forum on the site: `forum({thread: [texts]}, per_page=…)`; asked again it changes."""

    def put(threads: dict[str, list[str]], per_page: int = 3, threads_per_page: int = 10) -> None:
        names = list(threads)
        for number, some in _pages(names, threads_per_page):
            rows = "".join(
                f'<li class=thread data-id={name}><a href="/t/{name}">题目 {name}</a>'
                f"<span class=replies>{len(threads[name]) - 1}</span></li>"
                for name in some
            )
            more = number * threads_per_page < len(names)
            site.pages["/list" if number == 1 else f"/list?page={number}"] = rows + _next("/list", number, more)
        for name, texts in threads.items():
            keyed = list(enumerate(texts))
            for number, part in _pages(keyed, per_page):
                posts = "".join(
                    f"<div class=post data-id={name}-{key}><p class=text>{text}</p><time>2026-11-20 08:00</time></div>"
                    for key, text in part
                )
                path = f"/t/{name}" if number == 1 else f"/t/{name}?page={number}"
                site.pages[path] = posts + _next(f"/t/{name}", number, number * per_page < len(texts))

    return put


def _pages(things: list[Any], size: int) -> list[tuple[int, list[Any]]]:
    return [(start // size + 1, things[start : start + size]) for start in range(0, max(len(things), 1), size)]


def _next(path: str, number: int, more: bool) -> str:
    return f'<a class=next href="{path}?page={number + 1}">下一页</a>' if more else ""
