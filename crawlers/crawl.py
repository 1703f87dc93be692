"""Crawl one site under its policy, in this process."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from scrapy.crawler import CrawlerProcess

from config.policy import SitePolicy
from crawlers.agent import PRODUCT, user_agent
from crawlers.capture import Capture
from crawlers.gate import Fetch, Gate
from crawlers.report import CrawlReport
from crawlers.spider import SiteSpider
from crawlers.state import State

MAX_PAGE_BYTES = 5 * 1024 * 1024


class NotCrawlable(Exception):
    """The policy gives nothing to crawl."""


def crawl(
    policy: SitePolicy,
    *,
    state_dir: Path,
    key: bytes,
    on_capture: Callable[[Capture], None],
    limit: int | None = None,
    seed: int | None = None,
    recheck: bool = False,
    contact: str = "",
    reload: Callable[[], SitePolicy | None] = lambda: None,
    before_commit: Callable[[CrawlReport], None] = lambda report: None,
) -> CrawlReport:
    """Read a site and hand each capture to `on_capture`, as soon as it is read; runs once in a process.

    Args:
        policy: the site's effective policy.
        state_dir: folder of the crawler's memory; the next run with it brings only what is new.
        key: secret for keyed hashes of contact codes.
        limit: end after so many captures.
        seed: of random samples; None draws anew.
        recheck: look at every thread, moved or not.
        contact: address in the user agent.
        reload: reads the policy again, so that a switched-off site stops within one request.
        before_commit: called before the memory is written: when it returns, every capture handed over so far is safe.

    Raises:
        NotCrawlable: the policy has no recipe, or its basis is import.
        AlreadyRunning: another crawl of this site uses the same state.
    """
    if policy.crawl is None or policy.basis.kind == "import":
        raise NotCrawlable(f"{policy.name}: its policy says nothing to crawl (basis {policy.basis.kind})")
    report = CrawlReport(policy.name)
    state = State(state_dir, policy.name)
    began = time.monotonic()
    failure: list[BaseException] = []

    def guarded(act: Callable[..., None]) -> Callable[..., None]:
        """End the crawl when a capture cannot be kept: what is not safe must not be remembered as seen."""

        def run(*arguments: Any) -> None:
            if failure:
                raise failure[0]
            try:
                act(*arguments)
            except Exception as error:
                failure.append(error)
                process.stop()
                raise

        return run

    def gate(fetch: Fetch) -> Gate:
        return Gate(policy, state, fetch, reload)

    try:
        # What a crawl did stands in its report; Scrapy sets its own level, so only its warnings get past here.
        logging.getLogger("scrapy").propagate = False
        process = CrawlerProcess(settings(policy, report, gate, contact))
        process.crawl(
            SiteSpider,
            policy=policy,
            state=state,
            report=report,
            on_capture=guarded(on_capture),
            before_commit=guarded(lambda: before_commit(report)),
            key=key,
            limit=limit,
            seed=seed,
            recheck=recheck,
        )
        process.start()
    finally:
        state.close()
        report.seconds = time.monotonic() - began
    if failure:
        raise failure[0]
    return report


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
        "DOWNLOADER_MIDDLEWARES": {"crawlers.middleware.GateMiddleware": 560},
        "ROBOTSTXT_OBEY": False,  # the gate reads robots.txt itself, failing closed
        "CONCURRENT_REQUESTS": 1,
        "CONCURRENT_REQUESTS_PER_DOMAIN": 1,
        "DOWNLOAD_DELAY": 0,
        "DOWNLOAD_DELAY_JITTER": 0,
        "COOKIES_ENABLED": False,
        **({} if policy.private_hosts_allowed else {"DNS_RESOLVER": "crawlers.resolver.PublicResolver"}),
        "TELNETCONSOLE_ENABLED": False,
        "REMOTE_CONTROL_ENABLED": False,
        "DOWNLOAD_VERIFY_CERTIFICATES": True,
        "DOWNLOAD_MAXSIZE": MAX_PAGE_BYTES,
        "DOWNLOAD_WARNSIZE": 0,
        "DOWNLOAD_TIMEOUT": 30,
        "RETRY_HTTP_CODES": [500, 502, 504],
        "RETRY_TIMES": 1,
        "REDIRECT_MAX_TIMES": 5,
        "HTTPERROR_ALLOW_ALL": False,
        "LOG_ENABLED": False,
        "LOG_INSTALL_ROOT_HANDLER": False,
        "AJAXCRAWL_ENABLED": False,
    }
