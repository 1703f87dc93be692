"""Our crawler, as the traps send it."""

from __future__ import annotations

import asyncio
import sqlite3
from concurrent.futures import Future
from pathlib import Path

from crawlers.report import CrawlReport
from tests.crawlers.conftest import KEY, Crawls
from tests.crawlers.site import Site
from tests.crawlers.traps import Found, Walk

CONTACT = "https://woodpecker.invalid/about"


class Woodpecker:
    """Crawls in a running event loop, each remembering those before it."""

    def __init__(self, site: Site, loop: asyncio.AbstractEventLoop, folder: Path) -> None:
        self._crawls, self._loop, self._folder = Crawls(site, loop, folder), loop, folder
        self._reports: list[CrawlReport] = []

    def crawl(self, *walks: Walk) -> list[Found]:
        found: list[Found] = []
        running = [self._start(walk, found) for walk in walks]
        self._reports += [one.result(60) for one in running]
        return found

    def later(self, seconds: float) -> None:
        """Let everything that is remembered of a time have happened earlier."""
        columns = {"robots": "fetched_at", "clock": "next_at", "stop": "until"}
        with sqlite3.connect(self._folder / "gate.sqlite3") as db:
            for table, column in columns.items():
                db.execute(f"UPDATE {table} SET {column} = {column} - ?", (seconds,))
        db.close()

    def reasons(self) -> str:
        return "\n".join(
            reason for report in self._reports for reason in [*report.refused, *report.failed, report.stopped_by_site]
        )

    def _start(self, walk: Walk, found: list[Found]) -> Future[CrawlReport]:
        from crawlers.crawl import crawl_here

        policy = self._crawls.policy(
            dict(walk.recipe), name=walk.name, base_url=walk.base_url, hosts=walk.hosts, delay_seconds=walk.delay,
            pages_per_day=walk.pages_per_day, private_hosts_allowed=walk.private,
            sections=[{"slug": "all", "title": "全部", "start": [walk.start]}],
        )  # fmt: skip
        if not walk.agreed:  # what is read without an agreement has a delay that no test can wait for
            policy = policy.model_copy(update={"basis": policy.basis.model_copy(update={"kind": "robots"})})
        off = policy.model_copy(update={"enabled": False})
        crawling = crawl_here(
            policy, state_dir=self._folder, key=KEY, contact=CONTACT, recheck=walk.recheck,
            reload=lambda: off if walk.off() else policy,
            on_capture=lambda one: found.append(Found(one.text, one.published_at and one.published_at.isoformat())),
        )  # fmt: skip
        return asyncio.run_coroutine_threadsafe(crawling, self._loop)
