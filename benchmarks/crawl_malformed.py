"""Does any of many malformed pages break a crawl?

python -m benchmarks.crawl_malformed [--pages 1000]

Each page is a thread of a forum on loopback, with a good one after every tenth; a crawl that breaks on one loses the
good ones behind it.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import typer

from tests.crawlers import malformed
from tests.crawlers.conftest import Crawls
from tests.crawlers.reactor import running_loop
from tests.crawlers.site import Site


def main(pages: int = 1000) -> None:
    """Print how many good pages were read, and what was told of the others; exit 1 when a good one is missing."""
    with running_loop() as loop, Site() as site, tempfile.TemporaryDirectory() as folder:
        good = malformed.put(site, pages)
        crawls = Crawls(site, loop, Path(folder))
        texts = {one.text for one in crawls.run(crawls.policy(pages_per_day=100 * pages), patience=3600)}
        site.shutdown()
    told = crawls.report
    unforeseen = [reason for reason in told.failed if reason.startswith("unforeseen")]
    print(f"{pages} malformed pages: {len(good & texts)} of {len(good)} good ones read, {told.captures} captures")
    print(json.dumps({"failed": dict(told.failed), "refused": dict(told.refused), "incomplete": told.incomplete_units,
                      "barren": told.barren_pages, "withheld": told.withheld_pages}, ensure_ascii=False))  # fmt: skip
    sys.exit(1 if good - texts or unforeseen else 0)


if __name__ == "__main__":
    typer.run(main)
