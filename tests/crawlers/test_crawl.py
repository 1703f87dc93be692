"""What of Scrapy runs in a crawl: what fetches and what the gate needs, and nothing else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from scrapy.settings import BaseSettings, Settings

from crawlers.crawl import settings
from crawlers.report import CrawlReport
from tests.crawlers.conftest import Crawls


@pytest.fixture
def given(crawls: Crawls) -> BaseSettings:
    def gate(fetch: Any) -> Any:
        raise AssertionError("reading the settings asks for nothing")

    return Settings(settings(crawls.policy(), CrawlReport("forum"), gate, ""))


def test_no_console_no_remote_control_and_no_other_extension_runs(given: BaseSettings) -> None:
    assert not given.get_component_priority_dict_with_base("EXTENSIONS")


def test_only_http_and_https_can_be_asked(given: BaseSettings) -> None:
    handlers = given.getwithbase("DOWNLOAD_HANDLERS")

    assert {scheme for scheme, handler in handlers.items() if handler} == {"http", "https"}


def test_one_task_hands_on_what_a_page_brings(given: BaseSettings) -> None:
    assert given.getint("CONCURRENT_ITEMS") == 1


def test_the_garbage_collector_passes_over_what_lives_as_long_as_the_process(crawls: Crawls, tmp_path: Path) -> None:
    (tmp_path / "policy.json").write_text(crawls.policy().model_dump_json(by_alias=True), "utf-8")
    script = """
import gc, sys
from pathlib import Path
from scrapy.crawler import AsyncCrawlerProcess
from config.policy import SitePolicy
from crawlers.crawl import Options, crawl_all

AsyncCrawlerProcess.start = lambda process, **how: print(gc.get_freeze_count() > 10_000, gc.isenabled())
policy = SitePolicy.model_validate_json(Path(sys.argv[1], "policy.json").read_bytes())
crawl_all([(policy, Options(state_dir=Path(sys.argv[1]), key=b"k", on_capture=print))])
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=False, timeout=60
    )

    assert done.stdout.split() == ["True", "True"], done.stderr
