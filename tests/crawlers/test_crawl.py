"""What of Scrapy runs in a crawl: what fetches and what the gate needs, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from scrapy.settings import BaseSettings, Settings

from crawlers.crawl import settings
from crawlers.report import CrawlReport
from tests.crawlers.conftest import Crawls


@pytest.fixture
def given(crawls: Crawls) -> BaseSettings:
    def gate(fetch: Any) -> Any:
        raise NotImplementedError

    return Settings(settings(crawls.policy(), CrawlReport("forum"), gate, ""))


def test_no_console_no_remote_control_and_no_other_extension_runs(given: BaseSettings) -> None:
    assert not given.get_component_priority_dict_with_base("EXTENSIONS")


def test_only_http_and_https_can_be_asked(given: BaseSettings) -> None:
    handlers = given.getwithbase("DOWNLOAD_HANDLERS")

    assert {scheme for scheme, handler in handlers.items() if handler} == {"http", "https"}


def test_one_task_hands_on_what_a_page_brings(given: BaseSettings) -> None:
    assert given.getint("CONCURRENT_ITEMS") == 1
