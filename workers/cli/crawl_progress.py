"""How far a crawl is, on a terminal: sites, pages, captures, and when each site may be asked again."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from rich.live import Live
from rich.table import Table

from workers.cli.output import errors

if TYPE_CHECKING:
    from config.policy import SitePolicy
    from crawlers.report import CrawlReport

MOST_ROWS = 20
"""Sites that are shown; the busiest, when there are more."""


@contextlib.contextmanager
def shown(policies: Iterable[SitePolicy]) -> Iterator[Callable[[CrawlReport], None]]:
    """Give what takes note of a site's report; where errors are no terminal nothing is shown."""
    titles = {policy.name: policy.title for policy in policies}
    reports: dict[str, CrawlReport] = {}

    def note(report: CrawlReport) -> None:
        reports[report.site] = report

    if not errors.is_terminal:
        yield note
        return
    with Live(console=errors, get_renderable=lambda: _table(titles, list(reports.values()))):
        yield note


def _table(titles: dict[str, str], reports: list[CrawlReport]) -> Table:
    pages, captures = sum(one.pages for one in reports), sum(one.captures for one in reports)
    table = Table(title=f"{len(titles)} sites, {pages} pages, {captures} captures", box=None)
    for name, side in (("site", "left"), ("pages", "right"), ("captures", "right"), ("next request", "right")):
        table.add_column(name, justify=side)  # type: ignore[arg-type]  # a Literal of rich
    for one in sorted(reports, key=lambda one: -one.pages)[:MOST_ROWS]:
        wait = one.next_at - time.time()
        table.add_row(titles[one.site], str(one.pages), str(one.captures), f"in {wait:.0f} s" if wait > 0 else "now")
    return table
