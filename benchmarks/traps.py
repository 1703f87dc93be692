"""Does the crawler walk past every trap, and does Scrapy as it comes, with its polite settings on?

python -m benchmarks.traps [--only WORD] > table.md

The traps are those of the tests (`tests/crawlers/traps`); each is judged from its server's log. Stock Scrapy runs
with ROBOTSTXT_OBEY and AutoThrottle, an honest name, the operator's delay as DOWNLOAD_DELAY, the daily cap as
CLOSESPIDER_PAGECOUNT, and a bare spider with the same selectors.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import scrapy
import typer
from scrapy.crawler import AsyncCrawlerRunner

from crawlers import gate
from tests.crawlers.reactor import running_loop
from tests.crawlers.site import Site
from tests.crawlers.traps import TRAPS, Found, Ground, Sprung, Trap, Walk, Walker, pace, serving
from tests.crawlers.woodpecker import Woodpecker

LONGEST_SECONDS = 30
MOST_PAGES = 60
STOCK = {
    "ROBOTSTXT_OBEY": True,
    "USER_AGENT": "SilverWoodpecker/1 (+https://woodpecker.invalid/about)",
    "AUTOTHROTTLE_ENABLED": True,
    "AUTOTHROTTLE_START_DELAY": 0.1,  # by default 5 s, which only makes this benchmark longer
    "CLOSESPIDER_TIMEOUT": LONGEST_SECONDS,
    "TELNETCONSOLE_ENABLED": False,
    "LOG_ENABLED": False,
}


class BareSpider(scrapy.Spider):
    """Follows list, threads and next links; keeps each post once."""

    name = "bare"

    def __init__(self, walk: Walk, found: list[Found], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._walk, self._found = walk, found
        self.allowed_domains = [urlsplit(walk.base_url).hostname, *(host.split(":")[0] for host in walk.hosts)]

    async def start(self) -> AsyncIterator[scrapy.Request]:
        yield scrapy.Request(self._walk.base_url.rstrip("/") + self._walk.start)

    def parse(self, response: Any) -> Any:
        for href in response.css(".thread a::attr(href), a.next::attr(href), loc::text").getall():
            yield response.follow(href)
        for post in response.css(".post"):
            one = Found(post.css(".text::text").get(""), post.css("time::text").get())
            if one not in self._found:
                self._found.append(one)


class Stock:
    """Scrapy as it comes."""

    def __init__(self, site: Site, loop: asyncio.AbstractEventLoop, folder: Path) -> None:
        self._loop = loop

    def crawl(self, *walks: Walk) -> list[Found]:
        found: list[Found] = []
        running = [asyncio.run_coroutine_threadsafe(self._crawl(walk, found), self._loop) for walk in walks]
        for one in running:
            one.result(LONGEST_SECONDS * 3)
        return found

    def later(self, seconds: float) -> None:
        """Remembers nothing between two runs."""

    def reasons(self) -> str:
        return ""

    async def _crawl(self, walk: Walk, found: list[Found]) -> None:
        most = min(walk.pages_per_day, MOST_PAGES)
        settings = STOCK | {"DOWNLOAD_DELAY": walk.delay, "CLOSESPIDER_PAGECOUNT": most}
        await AsyncCrawlerRunner(settings).crawl(BareSpider, walk=walk, found=found)


Make = Callable[[Site, asyncio.AbstractEventLoop, Path], Walker]


def main(only: Annotated[str, typer.Option(help="Only traps whose name holds this.")] = "") -> None:
    """Print the table as Markdown; exit 1 when a trap caught our crawler."""
    logging.disable(logging.CRITICAL)
    gate.BACK_OFF_SECONDS = pace.BACK_OFF
    traps = [trap for trap in TRAPS if only in trap.name]
    print("| trap | right | ours | stock Scrapy |\n|---|---|---|---|")
    caught = {"ours": 0, "stock": 0}
    with running_loop() as loop:
        for trap in traps:
            ours, stock = _walk_into(trap, Woodpecker, loop), _walk_into(trap, Stock, loop)
            caught["ours"] += ours != "✓"
            caught["stock"] += stock != "✓"
            print(f"| {trap.name} | {trap.right} | {ours} | {stock} |", flush=True)
    print(f"\nRight in {len(traps)} traps: ours {len(traps) - caught['ours']}, stock {len(traps) - caught['stock']}.")
    sys.exit(1 if caught["ours"] else 0)


def _walk_into(trap: Trap, make: Make, loop: asyncio.AbstractEventLoop) -> str:
    """Return ✓, or what the crawler did instead."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        site = stack.enter_context(serving())
        try:
            trap.spring(Ground(make(site, loop, Path(folder) / "state"), site, Path(folder), stack))
        except Sprung as wrong:
            return str(wrong).replace("|", "\\|")
        except TimeoutError:
            return f"was still there after {LONGEST_SECONDS * 3} s"
    return "✓"


if __name__ == "__main__":
    typer.run(main)
