"""`woodpecker crawl SITE`: read a site under its policy; captures go to a file or into the inbox."""

from __future__ import annotations

import contextlib
import errno
import sqlite3
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypedDict

import typer

from workers.cli.contact import contact_for
from workers.cli.output import Exit, Json, complain, console, errors, leave, summary

if TYPE_CHECKING:
    from rich.console import Console

    from config.policy import SitePolicy
    from crawlers.capture import Capture
    from crawlers.capture_file import CaptureFile
    from crawlers.drawing import Interest, Spreads
    from crawlers.report import CrawlReport


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(crawl)


def crawl(
    site: Annotated[
        str | None, typer.Argument(metavar="SITE", help="Name of a configured site, or its file.", show_default=False)
    ] = None,
    output: Annotated[
        str | None, typer.Option("--output", "-o", metavar="FILE|-", help="Write captures as JSON Lines here.")
    ] = None,
    state: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder of the crawler's memory; default: crawl/ in the data folder."),
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="End after so many captures.")] = None,
    seed: Annotated[int | None, typer.Option(help="Draw the sample of this number, the same each time.")] = None,
    recheck: Annotated[bool, typer.Option("--recheck", help="Look at every thread, moved or not.")] = False,
    explain: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Only say whether this page would be asked for, and which rule decides."),
    ] = None,
    explain_for: Annotated[
        str | None,
        typer.Option("--site", metavar="SITE", help="With --explain: the site; default: the one that has this host."),
    ] = None,
    json: Json = False,
) -> None:
    """Read a site under its policy. Without --output the captures go into the inbox.

    The policy says which pages, how often and under which permission;
    `woodpecker config explain SITE` prints it. robots.txt is asked first and
    obeyed, one request at a time, with the site's pause between two. A second
    run brings only what is new.

    [bold]woodpecker crawl demo[/bold]
    a configured site, into the inbox

    [bold]woodpecker crawl forum.yaml -o captures.jsonl --limit 20[/bold]
    a first look at a site file; captures go into a file, no database needed

    [bold]woodpecker crawl --explain https://forum.example/t/1[/bold]
    whether that page would be asked for, and which rule decides; nothing but
    its robots.txt is asked for

    Exit codes: 0 done · 1 nothing could be read, or captures cannot be kept ·
    2 the call or the policy is wrong, nothing was asked · 3 done in part:
    pages failed, the site stopped us, or it brings far less than usual; each reason is told, run again later
    """
    from config.policy import PolicyError, load_site
    from config.settings import get_settings
    from crawlers import crawl as crawling
    from crawlers.state import AlreadyRunning, Unusable, default_folder

    if explain is not None:
        from workers.cli import crawl_explain

        crawl_explain.show(explain, explain_for or site, state, as_json=json)
        return
    if site is None or explain_for is not None:
        found = "--site without --explain" if explain_for else "no site"
        leave(Exit.WRONG_INPUT, f"SITE: found {found}; allowed: a configured site's name or its file", as_json=json)
    try:
        policy = load_site(site)
    except PolicyError as error:
        leave(Exit.WRONG_INPUT, str(error), as_json=json, problems=[one.as_dict() for one in error.problems])
    settings = get_settings()
    contact = contact_for(policy, as_json=json)
    folder = state or default_folder(settings.data_dir)
    try:
        with _sink(output, as_json=json) as (keep, flush), _progress(policy.title) as show:
            report = crawling.crawl(
                policy,
                state_dir=folder,
                contact=contact,
                key=settings.effective_redaction_key(),
                on_capture=keep,
                limit=limit,
                seed=seed,
                recheck=recheck,
                **_past(policy, output),
                reload=_reloader(site, policy),
                before_commit=lambda so_far: (flush(), show(so_far))[0],
            )
    except crawling.NotCrawlable as error:
        leave(Exit.WRONG_INPUT, str(error), as_json=json)
    except Unusable as error:
        leave(Exit.WRONG_INPUT, str(error), as_json=json)
    except AlreadyRunning as error:
        leave(Exit.FAILED, str(error), as_json=json)
    except OSError as error:
        what = "the disk is full" if error.errno == errno.ENOSPC else str(error)
        leave(Exit.FAILED, f"captures cannot be kept: {what}; what was written is whole, run again", as_json=json)
    except sqlite3.Error as error:
        leave(Exit.FAILED, f"the crawler's memory in {folder} cannot be used: {error}", as_json=json)
    if output is None:
        _note_yield(report)
    _finish(report, as_json=json, speak=errors if output == "-" else console)


class _Past(TypedDict, total=False):
    """What earlier captures of a site tell its next draw."""

    spreads: Spreads
    interest: Interest


def _past(policy: SitePolicy, output: str | None) -> _Past:
    """Return what the database tells of a site, where captures go there; a crawl into a file knows no past."""
    from config.site_policy import PROBABILITY_METHODS

    if output is not None or not any(section.method in PROBABILITY_METHODS for section in policy.sections):
        return {}
    from casework import prevalence

    return {"spreads": prevalence.past_spreads(policy.name), "interest": prevalence.past_finds(policy.name)}


def _finish(report: CrawlReport, *, as_json: bool, speak: Console) -> None:
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
    if as_json:
        summary(report.as_dict())
    else:
        speak.print(_told(report), markup=False, soft_wrap=True)
    answered = report.pages + report.pages_unchanged
    if not answered and (report.refused or report.failed):
        raise typer.Exit(int(Exit.FAILED))
    if report.failed or report.stopped_by_site or report.amber:
        raise typer.Exit(int(Exit.PARTLY))


def _note_yield(report: CrawlReport) -> None:
    """Turn the site amber in the status, or back."""
    from casework import sites

    first = report.amber[0] if report.amber else None
    sites.note_yield(report.site, first.since if first else None, first.what if first else "")


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
    return told + (f"; stopped early: {report.stopped_early}" if report.stopped_early else "")


@contextlib.contextmanager
def _sink(output: str | None, *, as_json: bool) -> Iterator[tuple[Callable[[Capture], None], Callable[[], None]]]:
    """Give what keeps a capture, and what makes everything kept so far safe."""
    if output is None:
        yield from _inbox()
    elif output == "-":
        yield _print, sys.stdout.flush
    else:
        with _opened(Path(output), as_json=as_json) as file:
            yield file.add, file.flush


def _opened(path: Path, *, as_json: bool) -> CaptureFile:
    from crawlers.capture_file import CaptureFile, NotCaptures

    try:
        return CaptureFile(path)
    except NotCaptures as error:
        leave(Exit.WRONG_INPUT, str(error), as_json=as_json)
    except OSError as error:
        leave(Exit.WRONG_INPUT, f"{path} cannot be written: {error.strerror}", as_json=as_json)


def _print(capture: Capture) -> None:
    sys.stdout.write(capture.model_dump_json() + "\n")


def _inbox() -> Iterator[tuple[Callable[[Capture], None], Callable[[], None]]]:
    """Put captures into the inbox page by page."""
    from workers.cli.start import prepare

    prepare()
    from workers import receiving

    waiting: list[Capture] = []

    # Django refuses to wait for its database inside an event loop, and the crawl runs in one: a thread of its own
    # writes, and the crawl waits for it, since it must not go on before the captures are safe.
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="inbox") as writer:

        def flush() -> None:
            if waiting:
                writer.submit(receiving.receive, list(waiting)).result()
                waiting.clear()

        yield waiting.append, flush


@contextlib.contextmanager
def _progress(title: str) -> Iterator[Callable[[CrawlReport], None]]:
    if not errors.is_terminal:
        yield lambda report: None
        return
    with errors.status(f"{title} …") as status:
        yield lambda report: status.update(f"{title}: {report.pages} pages, {report.captures} captures")


def _reloader(site: str, policy: SitePolicy) -> Callable[[], SitePolicy]:
    """Give what reads the policy again; a site whose file was taken away is switched off."""
    from config.policy import PolicyError, load_site, site_exists

    def reload() -> SitePolicy:
        try:
            return load_site(site)
        except PolicyError:
            if site_exists(site):
                raise
            return policy.model_copy(update={"enabled": False})

    return reload
