"""Crawls in this process, one after the other, against sites that the tests serve themselves."""

from __future__ import annotations

import asyncio
import functools
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from config.policy import SitePolicy, load_class
from crawlers.capture import Capture
from crawlers.report import CrawlReport
from tests.crawlers.forum import HTML_RECIPE, put
from tests.crawlers.reactor import running_loop
from tests.crawlers.site import Site

KEY = b"only-for-tests"
NEEDS_A_MOUNT = ["test_full_disk.py"]
_MOUNT = ["unshare", "-rm", "mount", "-t", "tmpfs", "none", "/mnt"]


def _mounts() -> bool:
    """Whether a small disk of one's own can be made here: not in every container."""
    return (
        shutil.which(_MOUNT[0]) is not None and subprocess.run(_MOUNT, capture_output=True, check=False).returncode == 0
    )


collect_ignore = [] if _mounts() else NEEDS_A_MOUNT


@pytest.fixture
def site() -> Iterator[Site]:
    """An empty site that allows everything."""
    with Site() as server:
        yield server
        server.shutdown()


@pytest.fixture(scope="session")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """An event loop that crawls run in."""
    with running_loop() as loop:
        yield loop


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

    def run(self, policy: SitePolicy | None = None, *, patience: float = 60, **options: Any) -> list[Capture]:
        """Crawl to the end and return the captures; the report is kept."""
        from crawlers.crawl import crawl_here

        captures: list[Capture] = []
        defaults = {"state_dir": self.folder, "key": KEY, "on_capture": captures.append}
        crawling = crawl_here(policy or self.policy(), **(defaults | options))
        self.report = asyncio.run_coroutine_threadsafe(crawling, self._loop).result(patience)
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
    return functools.partial(put, site)
