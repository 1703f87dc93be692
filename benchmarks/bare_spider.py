"""A bare Scrapy spider with the selectors of `tests/crawlers/forum.py`, for comparison; writes each post as a line.

python -m benchmarks.bare_spider URL FILE
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import scrapy
from scrapy.crawler import CrawlerProcess


class BareSpider(scrapy.Spider):
    """List, threads, posts."""

    name = "bare"

    def parse(self, response: Any) -> Any:
        """Follow the threads of a list, and its next page."""
        for thread in response.css(".thread"):
            yield {"unit": thread.css("::attr(data-id)").get(), "text": thread.css("a").xpath("string()").get(),
                   "replies": thread.css(".replies::text").get()}  # fmt: skip
            yield response.follow(thread.css("a::attr(href)").get(), self.parse_thread)
        for following in response.css("a.next::attr(href)").getall()[:1]:
            yield response.follow(following)

    def parse_thread(self, response: Any) -> Any:
        """Yield the posts of a thread."""
        for post in response.css(".post"):
            yield {
                "unit": post.css("::attr(data-id)").get(),
                "text": post.css(".text").xpath("string()").get(),
                "published_at": post.css("time::text").get(),
            }
        for following in response.css("a.next::attr(href)").getall()[:1]:
            yield response.follow(following, self.parse_thread)


def main(url: str, file: Path) -> None:
    """Crawl, one request at a time as we do, and print how many pages there were and how long it took."""
    file.unlink(missing_ok=True)
    settings = {
        "CONCURRENT_REQUESTS": 1, "LOG_ENABLED": False, "TELNETCONSOLE_ENABLED": False, "ROBOTSTXT_OBEY": True,
        "DOWNLOAD_DELAY": 0, "FEEDS": {str(file): {"format": "jsonlines", "encoding": "utf-8"}},
    }  # fmt: skip
    process = CrawlerProcess(settings)
    crawler = process.create_crawler(BareSpider)
    began = time.monotonic()
    process.crawl(crawler, start_urls=[url])
    process.start()
    pages = crawler.stats.get_value("downloader/response_count", 0)
    print(json.dumps({"pages": pages, "seconds": time.monotonic() - began}))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
