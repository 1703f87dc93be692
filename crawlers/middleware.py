"""Scrapy's side of the gate: no request reaches the downloader but through here."""

from __future__ import annotations

from typing import Any

from scrapy import Request, Spider
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response, TextResponse
from scrapy.utils.defer import maybe_deferred_to_future

from crawlers.gate import Gate

ROBOTS_FLAG = "woodpecker_robots"


class Refused(IgnoreRequest):
    """The gate refused a request, or an answer must not be used."""


class GateMiddleware:
    """Asks the gate before each request, waits for its turn, and shows the gate each answer."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._gate: Gate = crawler.settings["WOODPECKER_GATE"](self._fetch_robots)
        self._report = crawler.settings["WOODPECKER_REPORT"]

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> GateMiddleware:
        """Make it for one crawl."""
        return cls(crawler)

    async def process_request(self, request: Request, spider: Spider | None = None) -> None:
        """Let the request go, at its time, or refuse it.

        Raises:
            Refused: with the rule that decides, counted in the report.
        """
        if request.meta.get(ROBOTS_FLAG):
            return
        verdict = await self._gate.ask(request.url, request.method)
        if not verdict.allowed:
            self._report.refused[verdict.rule] += 1
            raise Refused(verdict.rule)
        await self._gate.wait(request.url)

    def process_response(self, request: Request, response: Response, spider: Spider | None = None) -> Response:
        """Hand the answer on, unless it says that we are not wanted.

        Raises:
            Refused: 401, 403, 429, 503, a challenge or a login wall.
        """
        if request.meta.get(ROBOTS_FLAG):
            return response
        headers = {
            name.decode("latin-1").lower(): values[-1].decode("latin-1")
            for name, values in response.headers.items()
            if values
        }
        reason = self._gate.answered(request.url, response.status, headers, _visible(response))
        if reason is not None:
            self._report.refused[reason] += 1
            raise Refused(reason)
        return response

    async def _fetch_robots(self, url: str) -> tuple[int, str]:
        # Redirects of a robots.txt are followed by Scrapy up to five times, as RFC 9309 §2.3.1.2 asks.
        request = Request(url, meta={ROBOTS_FLAG: True, "redirect_times_max": 5}, dont_filter=True)
        assert self._crawler.engine is not None
        try:
            response: Any = await maybe_deferred_to_future(self._crawler.engine.download(request))
        except Exception:  # any failure at all means that nothing may be fetched
            return 0, ""
        return response.status, response.text if isinstance(response, TextResponse) else ""


def _visible(response: Response) -> str:
    """Return roughly what a reader sees of a short page; nothing for a long one."""
    if not isinstance(response, TextResponse) or len(response.body) > 20_000:
        return " " * 20_000
    from crawlers.fields import plain_text

    return plain_text(response.text)
