"""Crawl sites, each under its own policy, side by side in this process."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import resource
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Required, Self, TypedDict, Unpack

from scrapy.crawler import AsyncCrawlerProcess, AsyncCrawlerRunner, Crawler
from scrapy.exceptions import CloseSpider
from scrapy.settings import Settings

from config.policy import SitePolicy
from crawlers.agent import PRODUCT, user_agent
from crawlers.capture import Capture
from crawlers.drawing import Drawing, Interest, Spreads
from crawlers.evidence import EvidenceStore
from crawlers.formats import NoReader, reader
from crawlers.gate import Fetch, Gate
from crawlers.keeping import Keeper
from crawlers.render import NoBrowser, ensure_browser
from crawlers.report import CrawlReport
from crawlers.spider import SiteSpider
from crawlers.state import AlreadyRunning, State, Unusable

MOST_OPEN_FILES = 16_384
OBJECTS_BETWEEN_LOOKS = 5_000
"""New objects between two looks of the garbage collector at the youngest; Python's 700 are made by every page."""
MAX_PAGE_BYTES = 5 * 1024 * 1024


class NotCrawlable(Exception):
    """The policy gives nothing to crawl."""


class Options(TypedDict, total=False):
    """How a crawl is carried out.

    Keys:
        state_dir: folder of the crawler's memory; the next run with it brings only what is new.
        key: secret for keyed hashes of contact codes.
        on_capture: takes each capture.
        limit: end after so many captures.
        seed: of random samples, which draws the same each time; None draws on from the run before.
        spreads: (section, stratum) → spread of what threads hold, for the shares of a draw; see `drawing.Spreads`.
        interest: thread → how much was found in it; an adaptive draw looks there more often.
        recheck: look at every thread, moved or not.
        due_only: look only at sections whose own period has passed.
        contact: address in the user agent.
        reload: reads the policy again, so that a switched-off site stops within one request.
        evidence: keeps the response behind each capture; None keeps none.
        before_commit: called before the memory is written: when it returns, every capture handed over so far is safe.
    """

    state_dir: Required[Path]
    key: Required[bytes]
    on_capture: Required[Callable[[Capture], None]]
    limit: int | None
    seed: int | None
    spreads: Spreads
    interest: Interest
    recheck: bool
    due_only: bool
    contact: str
    reload: Callable[[], SitePolicy | None]
    evidence: EvidenceStore | None
    before_commit: Callable[[CrawlReport], None]


def ensure_crawlable(policy: SitePolicy) -> None:
    """Refuse a policy that gives nothing to crawl.

    Raises:
        NotCrawlable: it has no recipe, its basis is import, or a reader or a browser that it needs is not there.
    """
    if policy.crawl is None or policy.basis.kind == "import":
        raise NotCrawlable(f"{policy.name}: its policy says nothing to crawl (basis {policy.basis.kind})")
    try:
        for recipe in (policy.crawl.list, policy.crawl.thread):
            if recipe and recipe.reader:
                reader(recipe.reader)
        if _rendered(policy):
            ensure_browser()
    except (NoReader, NoBrowser) as error:
        raise NotCrawlable(f"{policy.name}: {error}") from error


def crawl(policy: SitePolicy, **options: Unpack[Options]) -> CrawlReport:
    """Read a site and hand each capture to `on_capture`, as soon as it is read; runs once in a process.

    Raises:
        NotCrawlable: the policy has no recipe, or its basis is import.
        AlreadyRunning: another crawl of this site uses the same state.
        Unusable: the folder of the state cannot be written.
    """
    (crawled,) = crawl_all([(policy, options)])
    if crawled.error is not None:
        raise crawled.error
    return crawled.report


@dataclass
class Crawled:
    """What became of one site: its report, and the error with which it ended, if any."""

    report: CrawlReport
    error: BaseException | None = None


def crawl_all(jobs: Sequence[tuple[SitePolicy, Options]]) -> list[Crawled]:
    """Read several sites at once, each at its own pace; runs once in a process. None holds up the others.

    Sites begin one after the other while those before them are read already: nobody waits until hundreds of them are
    set up, and their requests do not all fall due at one moment afterwards.

    What ends one site (it is read by another process, its captures cannot be kept) stands in its `Crawled`.
    """
    _open_enough_files()
    private = [host for policy, _ in jobs for host in private_hosts(policy)]
    _silence()  # before Scrapy tells which versions it has
    process = _Process(_BASE | {"WOODPECKER_PRIVATE_HOSTS": private})
    every: list[Crawled] = []
    waiting = iter(jobs)
    for policy, options in waiting:
        every.append(_begin(process, policy, options))
        if process.crawlers:
            _pass_over_what_stays()
            process.run(_begin_others(process, waiting, every))
    return every


class _Process(AsyncCrawlerProcess):
    """Scrapy's process, that goes on until all that is still to begin has begun and ended too."""

    stopping = False
    """Whether somebody asked to end: then nothing more begins."""

    async def stop(self) -> None:
        """End what is under way, in good order."""
        self.stopping = True
        await super().stop()

    def run(self, beginning: Coroutine[Any, Any, None]) -> None:
        """Run until what begins, and all that it began, has ended; raises what it raised."""
        task = asyncio.get_event_loop().create_task(self._to_the_end(beginning))
        self.start(stop_after_crawl=False)
        if task.done():
            task.result()

    async def _to_the_end(self, beginning: Coroutine[Any, Any, None]) -> None:
        try:
            await beginning
            await self.join()
        finally:
            self._stop_reactor()


async def _begin_others(process: _Process, waiting: Iterator[tuple[SitePolicy, Options]], every: list[Crawled]) -> None:
    for policy, options in waiting:
        await asyncio.sleep(0)  # first those that have begun
        if process.stopping:
            every.append(Crawled(CrawlReport(policy.name, stopped_early="interrupted before it began")))
        else:
            every.append(_begin(process, policy, options))
    gc.freeze()


def _silence() -> None:
    """What a crawl did stands in its report; Scrapy's log says nothing more, and may hold texts."""
    log = logging.getLogger("scrapy")
    log.propagate = False
    log.handlers = [logging.NullHandler()]


def _begin(process: _Process, policy: SitePolicy, options: Options) -> Crawled:
    stack = contextlib.ExitStack()
    try:
        job = stack.enter_context(_job(policy, options))
    except (NotCrawlable, AlreadyRunning, Unusable) as error:
        return Crawled(CrawlReport(policy.name), error)
    crawled = Crawled(job.report)

    def ended(task: asyncio.Task[None]) -> None:
        try:
            stack.close()
        except Exception as error:  # what could not be kept
            crawled.error = error
        if not task.cancelled():
            crawled.error = crawled.error or task.exception()

    process.crawl(Crawler(SiteSpider, _Own(job.settings)), **job.arguments).add_done_callback(ended)
    return crawled


def _pass_over_what_stays() -> None:
    """Let the garbage collector leave alone what lives as long as the process, and look at the rest less often.

    With hundreds of sites a look through everything would hold up all of them for a third of a second.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(OBJECTS_BETWEEN_LOOKS, 10, 10)


def _open_enough_files() -> None:
    """Allow as many open files as the system lets us: each site has a connection and the files of its memory."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_OPEN_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


class _Own(Settings):
    """The settings of one crawl alone, so that Scrapy need not copy them all once more."""

    def copy(self) -> Self:
        """Return them as they are."""
        return self


async def crawl_here(policy: SitePolicy, **options: Unpack[Options]) -> CrawlReport:
    """As `crawl`, beside others in a running event loop, which Twisted's asyncio reactor must drive.

    Names are looked up by that reactor's resolver: install `PublicResolver` on it where a policy forbids private
    addresses, as `crawl_all` does.
    """
    with _job(policy, options) as job:
        await AsyncCrawlerRunner(job.settings).crawl(SiteSpider, **job.arguments)
    return job.report


@dataclass
class _Job:
    """What Scrapy is given, and what it leaves behind."""

    settings: dict[str, Any]
    arguments: dict[str, Any]
    report: CrawlReport


@contextlib.contextmanager
def _job(policy: SitePolicy, options: Options) -> Iterator[_Job]:
    ensure_crawlable(policy)
    report = CrawlReport(policy.name)
    began = time.monotonic()
    failure: list[Exception] = []
    before_commit: Callable[[CrawlReport], None] = options.get("before_commit", lambda report: None)
    state = State(options["state_dir"], policy.name, key=options["key"])

    def gate(fetch: Fetch) -> Gate:
        return Gate(policy, state, fetch, options.get("reload", lambda: None))

    arguments = {
        "policy": policy,
        "state": state,
        "report": report,
        "keeper": Keeper(
            policy,
            state,
            report,
            on_capture=_guarded(options["on_capture"], failure),
            key=options["key"],
            before_commit=_guarded(lambda: before_commit(report), failure),
            limit=options.get("limit"),
            evidence=options.get("evidence"),
        ),
        "drawing": Drawing(
            policy,
            state,
            options.get("seed"),
            options.get("spreads", {}),
            options.get("interest", {}),
            options["key"],
        ),
        "recheck": options.get("recheck", False),
        "due_only": options.get("due_only", False),
    }
    try:
        _silence()
        yield _Job(settings(policy, report, gate, options.get("contact", "")), arguments, report)
    finally:
        state.close()
        report.seconds = time.monotonic() - began
    if broken := state.broken or next(iter(failure), None):
        raise broken


def _guarded(act: Callable[..., None], failure: list[Exception]) -> Callable[..., None]:
    """End the crawl when a capture cannot be kept: what is not safe must not be remembered as seen."""

    def run(*arguments: Any) -> None:
        if not failure:
            try:
                return act(*arguments)
            except Exception as error:
                failure.append(error)
        raise CloseSpider("captures cannot be kept")

    return run


def settings(policy: SitePolicy, report: CrawlReport, gate: Callable[[Fetch], Gate], contact: str) -> dict[str, Any]:
    """Return Scrapy's settings: one request at a time, no cookies, no console, one honest name."""
    return {
        "USER_AGENT": user_agent(contact, policy.basis.agent or PRODUCT),
        "DEFAULT_REQUEST_HEADERS": {
            "Accept": "text/html,application/json,application/xml;q=0.9,*/*;q=0.5",
            "Accept-Language": "zh-CN,zh;q=0.9",
        },
        "WOODPECKER_GATE": gate,
        "WOODPECKER_REPORT": lambda: report,  # settings are copied deeply, functions are not
        # The gate sees every answer, redirects too, and sees it unpacked.
        "DOWNLOADER_MIDDLEWARES": {
            "crawlers.middleware.GateMiddleware": 605,
            "scrapy.downloadermiddlewares.httpcompression.HttpCompressionMiddleware": 610,
            **({"crawlers.render.RenderMiddleware": 50} if _rendered(policy) else {}),
            **dict.fromkeys(_NO_DOWNLOADER_MIDDLEWARES),
        },
        "SPIDER_MIDDLEWARES": dict.fromkeys(_NO_SPIDER_MIDDLEWARES),
        "EXTENSIONS_BASE": {},  # consoles, a remote control, statistics, exports: the report counts, the keeper writes
        "STATS_CLASS": "scrapy.statscollectors.DummyStatsCollector",  # the report counts
        "DOWNLOAD_HANDLERS": dict.fromkeys(("data", "file", "ftp", "s3")),
        "CONCURRENT_ITEMS": 1,  # Scrapy starts so many tasks for each page; ours bring requests only
        "ROBOTSTXT_OBEY": False,  # the gate reads robots.txt itself, failing closed
        "SCHEDULER_MEMORY_QUEUE": "scrapy.squeues.FifoMemoryQueue",
        "CONCURRENT_REQUESTS": 1,
        "CONCURRENT_REQUESTS_PER_DOMAIN": 1,
        "DOWNLOAD_DELAY": 0,
        "DOWNLOAD_DELAY_JITTER": 0,
        "COOKIES_ENABLED": False,
        "HTTPPROXY_ENABLED": False,  # a proxy of the environment would hide who asks
        **_BASE,
        "WOODPECKER_PRIVATE_HOSTS": private_hosts(policy),
        "DOWNLOAD_VERIFY_CERTIFICATES": True,
        "DOWNLOAD_MAXSIZE": MAX_PAGE_BYTES,
        "DOWNLOAD_WARNSIZE": 0,
        "DOWNLOAD_TIMEOUT": 30,
        "RETRY_HTTP_CODES": [500, 502, 504],
        "RETRY_TIMES": 1,
        "REDIRECT_MAX_TIMES": 5,
        "HTTPERROR_ALLOW_ALL": False,
        "AJAXCRAWL_ENABLED": False,
        "WARN_ON_GENERATOR_RETURN_VALUE": False,  # it reads the source of our callbacks anew for each page
    }


def _rendered(policy: SitePolicy) -> bool:
    recipe = policy.crawl
    return recipe is not None and any(part is not None and part.render for part in (recipe.list, recipe.thread))


def private_hosts(policy: SitePolicy) -> list[str]:
    """Return the names of a site that may lead to private addresses: its policy says so."""
    return [host.rpartition(":")[0] or host for host in policy.allowed_hosts() if policy.private_hosts_allowed]


# What Scrapy would run for each page and nobody here needs: the gate knows which hosts are a site's, and the report
# counts.
_NO_DOWNLOADER_MIDDLEWARES = (
    "scrapy.downloadermiddlewares.offsite.OffsiteMiddleware",
    "scrapy.downloadermiddlewares.httpauth.HttpAuthMiddleware",
    "scrapy.downloadermiddlewares.stats.DownloaderStats",
)
_NO_SPIDER_MIDDLEWARES = (
    "scrapy.spidermiddlewares.depth.DepthMiddleware",
    "scrapy.spidermiddlewares.metacopy.MetaCopyDetectionMiddleware",
)
_BASE = {
    "TWISTED_DNS_RESOLVER": "crawlers.resolver.PublicResolver",
    "LOG_ENABLED": False,
    "LOG_INSTALL_ROOT_HANDLER": False,
}
"""Settings of the whole process."""
