"""No trap springs: each is laid on a real server, and that server's own log is the judge."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import ExitStack
from pathlib import Path

import pytest

from crawlers import gate
from crawlers.report import CrawlReport
from tests.crawlers.conftest import KEY, Crawls
from tests.crawlers.site import Site
from tests.crawlers.traps import TRAPS, Found, Ground, Trap, Walk, pace

CONTACT = "https://woodpecker.invalid/about"


class Woodpecker:
    """Our crawler, as the traps send it."""

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


@pytest.fixture
def ground(
    site: Site, loop: asyncio.AbstractEventLoop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Ground]:
    """A site with a small forum, and our crawler, told to be less patient."""
    monkeypatch.setattr(gate, "BACK_OFF_SECONDS", pace.BACK_OFF)
    with ExitStack() as stack:
        yield Ground(Woodpecker(site, loop, tmp_path / "state"), site, tmp_path, stack)


@pytest.mark.parametrize("trap", TRAPS, ids=lambda trap: trap.name)
def test_a_polite_crawler_walks_past(ground: Ground, trap: Trap) -> None:
    trap.spring(ground)

    assert re.search(trap.told, ground.walker.reasons())


def test_there_are_traps_enough_and_no_two_alike() -> None:
    assert len({trap.name for trap in TRAPS}) == len(TRAPS) >= 40
