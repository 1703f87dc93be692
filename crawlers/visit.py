"""A few pages of a site, looked at outside a crawl: through the same gate, under the same delay and daily cap."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Generic, TypeVar

import scrapy
from scrapy.crawler import AsyncCrawlerProcess, AsyncCrawlerRunner, Crawler
from scrapy.http import Request, Response

from config.policy import SitePolicy
from config.recipe import Render
from crawlers import failures
from crawlers.crawl import settings
from crawlers.gate import Check, Gate
from crawlers.middleware import GateMiddleware, Refused
from crawlers.render import RENDER
from crawlers.report import CrawlReport
from crawlers.state import State

T = TypeVar("T")
_ERROR = 400


class Unreached(Exception):
    """A page could not be had; the message says why, `refused` whether it was the gate that said no."""

    def __init__(self, reason: str, *, refused: bool = False) -> None:
        super().__init__(reason)
        self.refused = refused


class Visitor:
    """What may be done during a visit."""

    def __init__(self, crawler: Crawler, middleware: GateMiddleware, report: CrawlReport) -> None:
        self._crawler, self._middleware, self._gate, self.report = crawler, middleware, middleware.gate, report

    async def checks(self, url: str) -> list[Check]:
        """Return what each rule of the gate says of a URL, up to the first that refuses it; asks for no page of it.

        robots.txt is asked for when it is not known, or older than a day.
        """
        found = [check async for check in self._gate.checks(url)]
        if found and found[-1].lasting and found[-1].name == "robots" and (line := self._gate.robots_line(url)):
            found[-1] = Check("robots", f"{found[-1].says}: line {line[0]}, {line[1]}", found[-1].refuses)
        return found

    async def fetch(self, url: str, accept: str | None = None, render: Render | None = None) -> Response:
        """Ask for one page, and have it rendered where the site's recipe does so.

        Raises:
            Unreached: the gate refused it, it does not answer, or its answer must not be used.
        """
        assert self._crawler.engine is not None
        headers, meta = {"Accept": accept} if accept else None, {RENDER: render} if render else None
        request = Request(url, headers=headers, meta=meta, dont_filter=True)
        try:
            response: Response = await self._crawler.engine.download_async(request)
        except Refused as error:
            raise Unreached(str(error), refused=True) from error
        except Exception as error:  # whatever Twisted, TLS or the resolver say
            raise Unreached(failures.told(error)) from error
        if response.status >= _ERROR:
            raise Unreached(f"answered {response.status}")
        return response

    def wall(self, response: Response) -> str | None:
        """Look again at a page on which nothing was found; return why it is a wall, which makes the site rest."""
        return self.report.stopped_by_site if self._middleware.barren(response) else None

    def sitemaps(self, url: str) -> list[str]:
        """Return the sitemaps that the robots.txt of a URL's origin names, as last read."""
        return self._gate.sitemaps(url)


Act = Callable[[Visitor], Awaitable[T]]


def visit(policy: SitePolicy, act: Act[T], *, state_dir: Path, contact: str = "") -> T:
    """Carry out `act` and return what it returns; runs once in a process.

    Raises:
        Unusable: the folder of the state cannot be written.
    """
    with _prepared(policy, act, state_dir, contact) as visiting:
        process = AsyncCrawlerProcess(visiting.settings)
        process.crawl(_Visit, visiting=visiting)
        process.start()
    return visiting.result()


async def visit_here(policy: SitePolicy, act: Act[T], *, state_dir: Path, contact: str = "") -> T:
    """As `visit`, in a running event loop, which Twisted's asyncio reactor must drive."""
    with _prepared(policy, act, state_dir, contact) as visiting:
        await AsyncCrawlerRunner(visiting.settings).crawl(_Visit, visiting=visiting)
    return visiting.result()


class _Visiting(Generic[T]):
    """One visit: what Scrapy is given, and what came of it."""

    def __init__(self, act: Act[T], settings_: dict[str, Any], report: CrawlReport) -> None:
        self.settings, self._act, self._report = settings_, act, report
        self._outcome: list[T] = []
        self._failure: Exception | None = None

    async def carry_out(self, crawler: Crawler) -> None:
        middleware = crawler.get_downloader_middleware(GateMiddleware)
        assert middleware is not None
        try:
            self._outcome.append(await self._act(Visitor(crawler, middleware, self._report)))
        except Exception as error:
            self._failure = error

    def result(self) -> T:
        if self._failure is not None:
            raise self._failure
        return self._outcome[0]


class _Visit(scrapy.Spider):
    name = "visit"

    def __init__(self, visiting: _Visiting[Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._visiting = visiting

    async def start(self) -> AsyncIterator[Request]:
        """Carry out the visit, which asks for its pages itself."""
        assert self.crawler is not None
        await self._visiting.carry_out(self.crawler)
        if False:
            yield  # makes this a generator, as Scrapy expects


@contextmanager
def _prepared(policy: SitePolicy, act: Act[T], state_dir: Path, contact: str) -> Iterator[_Visiting[T]]:
    log = logging.getLogger("scrapy")
    log.propagate = False
    log.handlers = [logging.NullHandler()]
    report = CrawlReport(policy.name)
    state = State(state_dir, policy.name, exclusive=False)
    try:
        yield _Visiting(act, settings(policy, report, lambda fetch: Gate(policy, state, fetch), contact), report)
    finally:
        state.close()
