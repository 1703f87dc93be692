"""Scrapy's side of the gate: no request reaches the downloader but through here."""

from __future__ import annotations

from typing import Any, TypeGuard

from scrapy import Request, Spider, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response, TextResponse

from crawlers.evidence import RULE
from crawlers.fields import plain_text
from crawlers.gate import BUSY, Gate
from crawlers.pages import as_html, rightly_decoded

ROBOTS_FLAG = "woodpecker_robots"
AGAIN = "woodpecker_again"
TRIES_WHEN_BUSY = 2
"""How often a page that answered 429 or 503 is asked for again, after the pause."""
_SHORT_PAGE_BYTES = 20_000
_ERROR = 400


class Refused(IgnoreRequest):
    """The gate refused a request, or an answer must not be used; `lasting` when asking again later is no use."""

    def __init__(self, reason: str, *, lasting: bool = False) -> None:
        super().__init__(reason)
        self.lasting = lasting


class GateMiddleware:
    """Asks the gate before each request, waits for its turn, and shows the gate each answer."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self.gate: Gate = crawler.settings["WOODPECKER_GATE"](self._fetch_robots)
        self._report = crawler.settings["WOODPECKER_REPORT"]()

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> GateMiddleware:
        """Make it for one crawl."""
        middleware = cls(crawler)
        crawler.signals.connect(middleware.left, signal=signals.request_left_downloader)
        return middleware

    def left(self, request: Request, spider: Spider | None = None) -> None:
        """Give the turn back, whether an answer came or not."""
        self._report.next_at = self.gate.left(request.url, robots=ROBOTS_FLAG in request.meta)

    async def process_request(self, request: Request, spider: Spider | None = None) -> None:
        """Let the request go, at its time, or refuse it.

        Raises:
            Refused: with the rule that decides, counted in the report.
        """
        if request.meta.get(ROBOTS_FLAG):
            verdict = await self.gate.ask_robots(request.url, request.method)
        else:
            redirected = bool(request.meta.get("redirect_urls"))
            verdict = await self.gate.ask(request.url, request.method, redirected=redirected)
            request.meta[RULE] = verdict.rule
            if verdict.stops:
                self._report.stopped_by_site = verdict.rule
        if verdict.allowed:
            verdict = await self.gate.wait(request.url, robots=ROBOTS_FLAG in request.meta)
        if not verdict.allowed:
            self._report.refused[verdict.rule] += 1
            raise Refused(verdict.rule, lasting=verdict.lasting)
        self._report.requests += 1

    def process_response(
        self, request: Request, response: Response, spider: Spider | None = None
    ) -> Response | Request:
        """Hand the answer on, unless it says that we are not wanted; ask again, later, when the site is busy.

        Raises:
            Refused: 401, 403, a challenge or a login wall; 429 and 503 for the third time.
        """
        response = rightly_decoded(response)
        headers = {
            name.decode("latin-1").lower(): values[-1].decode("latin-1")
            for name, values in response.headers.items()
            if values
        }
        if request.meta.get(ROBOTS_FLAG):
            self.gate.robots_answered(request.url, response.status, headers)
            return response
        said = plain_text(response.text) if _may_be_wall(response) else ""
        reason = self.gate.answered(request.url, response.status, headers, said)
        if reason is None:
            return response
        self._report.refused[reason] += 1
        tried = request.meta.get(AGAIN, 0)
        if response.status in BUSY and tried < TRIES_WHEN_BUSY:
            return request.replace(meta={**request.meta, AGAIN: tried + 1}, dont_filter=True)
        self._report.stopped_by_site = reason
        raise Refused(reason)

    def barren(self, response: Response) -> bool:
        """Look again at a page on which the recipe found nothing: whether it is a challenge or a login wall."""
        if not isinstance(response, TextResponse):
            return False
        headings = " ".join(as_html(response).css("title, h1, h2, h3").xpath("string()").getall())
        reason = self.gate.barren(response.url, plain_text(response.text), headings)
        if reason is not None:
            self._report.refused[reason] += 1
            self._report.stopped_by_site = reason
        return reason is not None

    async def _fetch_robots(self, url: str) -> tuple[int, str]:
        # Redirects are followed up to five times (RFC 9309 §2.3.1.2), each through this middleware.
        request = Request(url, meta={ROBOTS_FLAG: True}, dont_filter=True)
        assert self._crawler.engine is not None
        try:
            response: Any = await self._crawler.engine.download_async(request)
        except Exception:  # any failure at all means that nothing may be fetched
            return 0, ""
        return response.status, response.text if isinstance(response, TextResponse) else ""


def _may_be_wall(response: Response) -> TypeGuard[TextResponse]:
    """Whether an error page is short enough to be a challenge. A page with status 200 is judged when it was read:
    only one on which nothing is found can be a wall, since people write those words in comments too."""
    return response.status >= _ERROR and isinstance(response, TextResponse) and len(response.body) <= _SHORT_PAGE_BYTES
