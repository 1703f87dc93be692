"""Pages that only exist in a browser: chromium runs their scripts, and every request that they make passes the gate.

Chromium itself reaches no network. The page that the gate let through is handed to it, and whatever its scripts ask
for is fetched by us like any other request: robots.txt, hosts, budget, delay, no cookies, GET only. Pictures, fonts
and styles are not fetched, scripts once in a crawl. Each page has a fresh profile, so that nothing is kept.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import os
import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from scrapy import Request, Spider, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest
from scrapy.http import HtmlResponse, Response, TextResponse

from config.recipe import Render
from crawlers.robots import OK

if TYPE_CHECKING:
    from playwright.async_api import Browser, BrowserContext, Page, Playwright, Route

RENDER = "woodpecker_render"
CUT = "woodpecker_cut"
"""Flag of a rendered response behind whose button there was still more."""
UNSETTLED = "woodpecker_unsettled"
"""Flag of a rendered response on which what the recipe waits for did not appear in time."""
NAMES = ("chromium", "chromium-browser", "google-chrome")
QUIET_SECONDS = 0.5
"""A page on which nothing was under way for so long has settled."""
LONGEST_SCRIPT_SECONDS = 10.0
"""How long a settled page may take until what the recipe waits for stands on it."""
LONGEST_PAGE_SECONDS = 900.0
MOST_BYTES = 5 * 1024 * 1024
MOST_CACHED_BYTES = 20 * 1024 * 1024
_FETCHED = frozenset({"script", "xhr", "fetch"})
_PASSED_ON = ("accept", "origin", "referer", "x-requested-with")
_NOT_OF_RENDERED = ("Content-Encoding", "Content-Length", "Content-Type", "ETag", "Last-Modified")
"""Headers of the page as sent, which say nothing of the page as rendered."""
_ISOLATED = (
    "--proxy-server=http://127.0.0.1:9",  # where nobody listens: nothing gets past the gate
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--disable-background-networking",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
)


class NoBrowser(Exception):
    """Rendering needs what is not installed; the message says what, and how it is installed."""


class TooLarge(IgnoreRequest):
    """A rendered page is larger than any page may be."""


def ensure_browser() -> str:
    """Return where chromium is.

    Raises:
        NoBrowser: it, or the extra that drives it, is missing.
    """
    if importlib.util.find_spec("playwright") is None:
        raise NoBrowser("`render` needs the extra `render`: pip install 'silver-woodpecker[render]'")
    for name in NAMES:
        if path := shutil.which(name):
            return path
    raise NoBrowser(f"`render` needs a browser: found none of {', '.join(NAMES)}; on Debian: apt install chromium")


@dataclass
class _Traffic:
    """What a page is asking for: how many requests are under way, and since when there has been none."""

    under_way: int = 0
    quiet_since: float = field(default_factory=lambda: asyncio.get_running_loop().time())

    def quiet(self) -> bool:
        return not self.under_way and asyncio.get_running_loop().time() - self.quiet_since >= QUIET_SECONDS


class RenderMiddleware:
    """Renders the pages whose request says so, after the gate has let them through."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._playwright: Playwright | None = None
        self._browser: Browser | None = None
        self._scripts: dict[str, Response] = {}
        self._one_at_a_time = asyncio.Lock()

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> RenderMiddleware:
        """Make it for one crawl; its browser ends with it."""
        middleware = cls(crawler)
        crawler.signals.connect(middleware.closed, signal=signals.spider_closed)
        return middleware

    async def process_response(self, request: Request, response: Response, spider: Spider | None = None) -> Response:
        """Return the page as its scripts leave it.

        Raises:
            TooLarge: it has grown beyond what a page may be.
        """
        plan: Render | None = request.meta.get(RENDER)
        if plan is None or response.status != OK or not isinstance(response, TextResponse):
            return response
        async with self._one_at_a_time:
            markup, told = await self._rendered(response, plan)
        body = markup.encode("utf-8", "replace")
        if len(body) > MOST_BYTES:
            raise TooLarge("a rendered page is too large")
        headers = response.headers.copy()
        for name in _NOT_OF_RENDERED:
            headers.pop(name, None)
        flags = [*response.flags, *told]
        return HtmlResponse(response.url, body=body, encoding="utf-8", headers=headers, flags=flags, request=request)

    async def closed(self) -> None:
        """End the browser."""
        if self._browser is not None:
            await self._browser.close()
        if self._playwright is not None:
            await self._playwright.stop()

    async def _rendered(self, response: TextResponse, plan: Render) -> tuple[str, list[str]]:
        traffic = _Traffic()
        context = await self._fresh()
        try:
            page = await context.new_page()

            async def answer(route: Route) -> None:
                traffic.under_way += 1
                try:
                    await self._answer(route, page, response)
                finally:
                    traffic.under_way -= 1
                    traffic.quiet_since = asyncio.get_running_loop().time()

            await context.route("**/*", answer)
            await context.route_web_socket("**/*", lambda socket: socket.close())
            async with asyncio.timeout(LONGEST_PAGE_SECONDS):
                await page.goto(response.url, wait_until="commit", timeout=0)
                told = await _read_on(page, plan, traffic)
                return await page.content(), told
        finally:
            await context.close()

    async def _fresh(self) -> BrowserContext:
        from playwright.async_api import async_playwright

        if self._browser is None:
            self._playwright = await async_playwright().start()
            self._browser = await self._playwright.chromium.launch(
                executable_path=ensure_browser(),
                args=list(_ISOLATED),
                chromium_sandbox=os.geteuid() != 0,  # root cannot have it
            )
        agent = self._crawler.settings["USER_AGENT"]
        return await self._browser.new_context(
            user_agent=agent,
            locale="zh-CN",
            timezone_id="Asia/Shanghai",
            service_workers="block",
            accept_downloads=False,
        )  # fmt: skip

    async def _answer(self, route: Route, page: Page, shown: TextResponse) -> None:
        """Answer a request of the page: with the page itself, with what the gate lets us fetch, or not at all."""
        asked = route.request
        main = asked.resource_type == "document" and asked.frame == page.main_frame
        with contextlib.suppress(_closed()):  # the page may be gone by the time the answer is there
            if main and asked.url.split("#")[0] == shown.url.split("#")[0]:
                kind = f"text/html; charset={shown.encoding}"
                await route.fulfill(status=200, body=shown.body, headers={"content-type": kind})
                return
            wanted = main or asked.resource_type in _FETCHED
            found = await self._fetch(asked, leaves=shown.url if main else None) if wanted else None
            if found is None:
                await route.abort()
            else:
                await route.fulfill(status=found.status, body=found.body, headers=_headers(found))

    async def _fetch(self, asked: Any, leaves: str | None) -> Response | None:
        """Fetch what a page asks for as we fetch everything; None when it is refused or fails."""
        if kept := self._scripts.get(asked.url):
            return kept
        sent = await asked.all_headers()
        request = Request(
            asked.url,
            method=asked.method,
            headers={name: sent[name] for name in _PASSED_ON if name in sent},
            meta={"redirect_urls": [leaves]} if leaves else {},  # so a page that moves itself to a sign-in is seen
            dont_filter=True,
        )
        assert self._crawler.engine is not None
        try:
            response: Response = await self._crawler.engine.download_async(request)
        except Exception:  # the gate has told why; a page must do without what it cannot have
            return None
        size = sum(len(one.body) for one in self._scripts.values()) + len(response.body)
        if asked.resource_type == "script" and response.status == OK and size <= MOST_CACHED_BYTES:
            self._scripts[asked.url] = response
        return response


async def _read_on(page: Page, plan: Render, traffic: _Traffic) -> list[str]:
    """Wait until the page has settled, press its button for more as often as allowed; return the page's flags."""
    flags = [] if await _settle(page, traffic, plan.until) else [UNSETTLED]
    for _ in range(plan.at_most if plan.more else 0):
        if not await _press(page, plan.more or ""):
            return flags
        await _settle(page, traffic, None)
    if plan.more and await page.locator(plan.more).first.is_visible():
        flags.append(CUT)
    return flags


async def _press(page: Page, button: str) -> bool:
    found = page.locator(button).first
    if not await found.is_visible() or not await found.is_enabled():
        return False
    await found.evaluate("element => element.click()")
    return True


async def _settle(page: Page, traffic: _Traffic, until: str | None) -> bool:
    """Wait until nothing has been under way for a moment; return whether what is waited for is there by then."""
    loop = asyncio.get_running_loop()
    traffic.quiet_since = max(traffic.quiet_since, loop.time())
    while not traffic.quiet():
        await asyncio.sleep(0.05)
    settled, there = loop.time(), True
    while until and not (there := bool(await page.locator(until).count())):
        if loop.time() - settled >= LONGEST_SCRIPT_SECONDS:
            break
        await asyncio.sleep(0.1)
        if traffic.under_way:
            settled = loop.time()
    while not traffic.quiet():
        await asyncio.sleep(0.05)
    return there


def _headers(response: Response) -> dict[str, str]:
    """Return the headers of an answer for the page; the body is unpacked, and no cookie is to be kept."""
    left_out = {b"content-encoding", b"content-length", b"transfer-encoding", b"set-cookie", b"connection"}
    return {
        name.decode("latin-1"): b", ".join(values).decode("latin-1")
        for name, values in response.headers.items()
        if name.lower() not in left_out
    }


def _closed() -> type[Exception]:
    from playwright.async_api import Error

    return Error
