"""`woodpecker ingest`: captures, tables and stored pages into the inbox, from a file or from a watched folder."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO, get_args

import typer

from workers.cli.output import Exit, Json, complain, console, errors, leave, summary

if TYPE_CHECKING:
    from workers.importing import Evidence, Supply

CHUNK = 2000
"""Captures that are validated before they go into the inbox together."""
SHOWN = 20
"""Problems that are told one by one; the rest are counted."""


class Form(StrEnum):
    """Forms of what is supplied."""

    JSONL = "jsonl"
    CSV = "csv"
    WARC = "warc"
    WACZ = "wacz"


class TableEncoding(StrEnum):
    """Encodings of a table; gbk and gb2312 are part of GB 18030."""

    UTF_8 = "utf-8"
    GB18030 = "gb18030"
    GBK = "gbk"


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(ingest)


def ingest(
    source: Annotated[
        str,
        typer.Argument(
            metavar="FILE|-|DIR", help="Captures, a table, stored pages; - reads standard input; with --watch a folder."
        ),
    ],
    form: Annotated[
        Form | None, typer.Option("--format", help="What the file is; default: by its name, standard input is jsonl.")
    ] = None,
    site: Annotated[
        str | None, typer.Option(help="Site that a table belongs to, or the only one whose stored pages are read.")
    ] = None,
    section: Annotated[str | None, typer.Option(help="Section of rows that name none, or of all stored pages.")] = None,
    columns: Annotated[
        str | None, typer.Option(metavar="NAME=HEADING,…", help="Columns of a table, e.g. text=内容,url=链接.")
    ] = None,
    encoding: Annotated[
        TableEncoding | None, typer.Option(help="Of a table; default: UTF-8 where it fits, else GB 18030.")
    ] = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Take files from the folder as they come; moved to done/ or failed/.")
    ] = False,
    once: Annotated[bool, typer.Option("--once", help="With --watch: end when no file is left.")] = False,
    json: Json = False,
) -> None:
    """Put captures into the inbox. Doing it twice changes nothing: a capture is taken once by its id.

    [bold]woodpecker ingest captures.jsonl[/bold]
    captures as JSON Lines; the sealed responses in captures.jsonl.evidence, where
    there are any, are taken along

    [bold]woodpecker ingest 评论.csv --site our-app --columns text=内容,url=链接[/bold]
    a table that a platform supplies; docs/import.md tells what is read

    [bold]woodpecker ingest pages.warc.gz[/bold]
    stored pages (WARC, WACZ), read with the recipes of the configured sites

    [bold]woodpecker ingest --watch /srv/supplied[/bold]
    files of all forms as they come; those in a sub-folder belong to the site
    of that name

    Exit codes: 0 all taken · 1 the inbox cannot be written · 2 the file or the
    call is wrong, nothing was taken · 3 rows were rejected, each is told
    """
    from workers.cli.start import prepare

    prepare(as_json=json)
    supply = _supply(form, site, section, columns, encoding, as_json=json)
    from crawlers.importers.jsonl import NotReadable
    from workers import importing, ingestion

    if watch:
        _watch(Path(source), supply, once=once, as_json=json)
        return
    if once:
        leave(Exit.WRONG_INPUT, "--once: found without --watch; allowed: both", as_json=json)
    evidence = importing.Evidence(Path(source))
    with _opened(source, as_json=json) as stream, _progress(stream) as advance:
        try:
            rows = importing.rows(stream, source if source != "-" else "", supply)
            outcome = ingestion.run_rows(rows, chunk=CHUNK, advance=advance, tell=_teller(source), along=evidence.bring)
        except NotReadable as error:
            leave(Exit.WRONG_INPUT, f"{source}: {error}", as_json=json)
        except ingestion.Interrupted as error:
            _tell_missing(evidence)
            leave(Exit.FAILED, str(error), as_json=json, **error.outcome.as_dict())
    _tell_missing(evidence)
    if json:
        summary(outcome.as_dict())
    else:
        console.print(
            f"{outcome.accepted} accepted, {outcome.duplicate} seen before, {outcome.rejected} rejected", markup=False
        )
    if outcome.rejected:
        raise typer.Exit(int(Exit.PARTLY))


def _tell_missing(evidence: Evidence) -> None:
    for reason, n in evidence.missing.items():
        complain(f"{n} stored responses were not brought along: {reason}")


def _supply(
    form: Form | None,
    site: str | None,
    section: str | None,
    columns: str | None,
    encoding: TableEncoding | None,
    *,
    as_json: bool,
) -> Supply:
    from config.import_recipe import Column
    from workers.importing import Supply

    named = {}
    for pair in columns.split(",") if columns else ():
        name, equals, heading = (part.strip() for part in pair.partition("="))
        if name not in get_args(Column) or not equals or not heading:
            allowed = f"NAME=HEADING, separated by commas; names: {', '.join(get_args(Column))}"
            leave(Exit.WRONG_INPUT, f"--columns: found {pair!r}; allowed: {allowed}", as_json=as_json)
        named[name] = heading
    plain = None if encoding is None else "utf-8" if encoding is TableEncoding.UTF_8 else "gb18030"
    return Supply(form.value if form else None, site, section, named, plain)  # type: ignore[arg-type]


def _watch(folder: Path, supply: Supply, *, once: bool, as_json: bool) -> None:
    from workers import importing, ingestion

    if not folder.is_dir():
        leave(Exit.WRONG_INPUT, f"{folder}: found no folder; allowed: a folder with --watch", as_json=as_json)
    failed = rejected = 0

    def told(name: str, report: dict[str, object]) -> None:
        nonlocal failed, rejected
        failed += report["place"] == "failed"
        rejected += int(str(report.get("rejected", 0)))
        if as_json:
            summary({**report, "file": name})
        elif "error" in report:
            complain(f"{name} → failed/: {report['error']}")
        else:
            counts = ", ".join(f"{report[one]} {one}" for one in ("accepted", "duplicate", "rejected"))
            console.print(f"{name} → done/: {counts}", markup=False)

    try:
        importing.watch(folder, supply, chunk=CHUNK, once=once, told=told)
    except ingestion.Interrupted as error:
        leave(Exit.FAILED, str(error), as_json=as_json)
    except OSError as error:
        leave(Exit.FAILED, f"{error.filename or folder}: {error.strerror}", as_json=as_json)
    except KeyboardInterrupt:
        return
    if failed or rejected:
        raise typer.Exit(int(Exit.PARTLY))


@contextmanager
def _opened(source: str, *, as_json: bool) -> Iterator[BinaryIO]:
    if source == "-":
        yield sys.stdin.buffer
        return
    try:
        stream = Path(source).open("rb")  # noqa: SIM115 - an error while it is read is another error
    except OSError as error:
        leave(Exit.WRONG_INPUT, f"{source}: {error.strerror}", as_json=as_json)
    with stream:
        yield stream


@contextmanager
def _progress(stream: BinaryIO) -> Iterator[Callable[[int], None]]:
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    size = Path(stream.name).stat().st_size if isinstance(getattr(stream, "name", None), str) else None
    columns = (TextColumn("ingesting"), BarColumn(), TextColumn("{task.fields[rows]} rows"), TimeRemainingColumn())
    with Progress(*columns, console=errors, disable=not errors.is_terminal, transient=True) as progress:
        task = progress.add_task("ingest", total=size, rows=0)
        yield lambda rows: progress.update(task, completed=stream.tell() if stream.seekable() else 0, rows=rows)


def _teller(source: str) -> Callable[[Any], None]:
    told = 0

    def tell(problem: object) -> None:
        nonlocal told
        told += 1
        if told <= SHOWN:
            complain(f"{source}: {problem}")
        elif told == SHOWN + 1:
            complain(f"{source}: more rows were rejected; the summary counts them")

    return tell
