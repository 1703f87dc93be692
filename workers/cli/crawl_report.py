"""What a crawl says at its end: in words, as a table, as JSON, and by its exit code."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer
from rich.table import Table

from workers.cli.output import Exit, complain, console, errors, summary

if TYPE_CHECKING:
    from crawlers.crawl import Crawled
    from crawlers.report import CrawlReport

_COLUMNS = ("requests", "pages", "captures", "edited", "refused", "failed", "seconds")


def finish(crawled: Sequence[Crawled], *, alone: bool, as_json: bool, spoken: bool) -> None:
    """Tell what became of each site, and leave with the exit code that says so.

    Args:
        crawled: what became of each.
        alone: whether one site was named: its report is then the whole summary.
        as_json: whether a machine reads the last line.
        spoken: whether standard output is taken by the captures.
    """
    rows = []
    for one in crawled:
        wrong = problem(one.error) if one.error is not None else None
        _complain(one.report, wrong)
        rows.append(one.report.as_dict() | ({"error": wrong} if wrong else {}))
    if as_json and alone:
        summary(rows[0])
    elif as_json:
        summary({"captures": sum(one.report.captures for one in crawled), "sites": rows})
    else:
        speak = errors if spoken else console
        for one in crawled:
            if one.error is None and alone:
                speak.print(_told(one.report), markup=False, soft_wrap=True)
        if not alone:
            speak.print(_table(crawled))
    codes = {_code(one) for one in crawled}
    if codes != {Exit.DONE}:
        raise typer.Exit(int(codes.pop() if len(codes) == 1 else Exit.PARTLY))


def problem(error: BaseException) -> str:
    """Return an error in words that a person can do something about."""
    from config.policy import PolicyError
    from crawlers.crawl import NotCrawlable
    from crawlers.state import AlreadyRunning, Unusable

    if isinstance(error, AlreadyRunning | Unusable | PolicyError | NotCrawlable):
        return str(error)
    if isinstance(error, sqlite3.Error):
        return f"the crawler's memory cannot be used: {error}"
    if isinstance(error, OSError):
        what = "the disk is full" if error.errno == errno.ENOSPC else str(error)
        return f"captures cannot be kept: {what}; what was written is whole, run again"
    return f"captures cannot be kept: {type(error).__name__}"


def _code(one: Crawled) -> Exit:
    from config.policy import PolicyError
    from crawlers.crawl import NotCrawlable
    from crawlers.state import Unusable

    report = one.report
    if one.error is not None:
        return Exit.WRONG_INPUT if isinstance(one.error, Unusable | PolicyError | NotCrawlable) else Exit.FAILED
    if not (report.pages + report.pages_unchanged) and (report.refused or report.failed):
        return Exit.FAILED
    return Exit.PARTLY if report.failed or report.stopped_by_site or report.amber else Exit.DONE


def _complain(report: CrawlReport, wrong: str | None) -> None:
    if wrong:
        complain(f"{report.site}: {wrong}")
    for reason, count in [*report.refused.items(), *report.failed.items()]:
        complain(f"{report.site}: {count} × {reason}")
    if report.pages and not report.units and report.barren_pages:
        complain(
            f"{report.site}: nothing was found on {report.barren_pages} pages: they are empty, or the recipe's "
            "`items` does not fit them"
        )
    for rot in report.amber:
        complain(f"{report.site}: amber since {rot.since:%Y-%m-%d %H:%M} UTC: {rot.what}")
    if report.amber:
        pages = ", ".join(report.yields.empty) or "its list pages"
        advice = f"`woodpecker site try {report.site}` shows what it finds"
        complain(f"{report.site}: the recipe may no longer fit ({pages}); {advice}")
    if report.amber and report.yields.evidence:
        complain(f"{report.site}: pages as they were answered: {', '.join(report.yields.evidence)}")


def _table(crawled: Sequence[Crawled]) -> Table:
    table = Table("site", *_COLUMNS, "ended")
    for one in crawled:
        values = one.report.as_dict()
        cells = [sum(value.values()) if isinstance(value := values[name], dict) else value for name in _COLUMNS]
        ended = "error" if one.error else one.report.stopped_by_site or one.report.stopped_early or "done"
        table.add_row(one.report.site, *(f"{cell:g}" for cell in cells), ended)
    return table


def _told(report: CrawlReport) -> str:
    told = (
        f"{report.site}: {report.captures} captures from {report.pages} pages in {report.seconds:.1f} s "
        f"({report.threads_opened} threads opened, {report.threads_unmoved} unmoved, {report.edited} edited)"
    )
    notes = {
        "threads that hide units": report.truncated_threads,
        "threads gone": report.gone_threads,
        "pages that ask not to be kept": report.withheld_pages,
        "items without key or text": report.incomplete_units,
    }
    told += "".join(f"; {count} {what}" for what, count in notes.items() if count)
    if report.held_seconds:
        told += f"; waited {report.held_seconds:.0f} s for the inbox, which is over its limit (WOODPECKER_INBOX_LIMIT)"
    return told + (f"; stopped early: {report.stopped_early}" if report.stopped_early else "")
