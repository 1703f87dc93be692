"""`woodpecker ingest`, `status`, `sweep`, `reindex`: captures in, and the state of what became of them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import typer

from workers.cli.output import Exit, Json, complain, console, leave, summary

CHUNK = 2000
"""Captures that are validated before they go into the inbox together."""
SHOWN = 20
"""Problems that are told one by one; the rest are counted."""


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(ingest)
    app.command()(status)
    app.command()(sweep)
    app.command()(reindex)


def ingest(
    source: Annotated[str, typer.Argument(metavar="FILE|-", help="Captures as JSON Lines; - reads standard input.")],
    json: Json = False,
) -> None:
    """Put captures into the inbox. Doing it twice changes nothing: a capture is taken once by its id."""
    from workers.cli.start import prepare

    prepare(as_json=json)
    from workers import ingestion

    with _opened(source, as_json=json) as stream, _progress(stream) as advance:
        try:
            outcome = ingestion.run(stream, chunk=CHUNK, advance=advance, tell=_teller(source))
        except ingestion.Interrupted as error:
            leave(Exit.FAILED, str(error), as_json=json, **error.outcome.as_dict())
    _report(outcome.as_dict(), json)
    if outcome.rejected:
        raise typer.Exit(int(Exit.PARTLY))


def status(
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Show it live until Ctrl-C.")] = False,
    every: Annotated[float, typer.Option(min=0.2, max=3600, help="With --watch: seconds between looks.")] = 2.0,
    json: Json = False,
) -> None:
    """Print the state: inbox, captures, cases, search, workers. With --watch it stays on the terminal and moves."""
    from workers.cli.start import prepare

    prepare(migrate=False, as_json=json)
    from django.db import DatabaseError

    from casework import status as state

    if watch and json:
        leave(Exit.WRONG_INPUT, "found --watch and --json; allowed: one of them", as_json=json)
    try:
        if watch:
            from workers import watching

            watching.run(every)
        else:
            snapshot = state.snapshot()
            _report(snapshot, json)
            for one in snapshot["sites"]["amber"] if not json else ():
                told = f"amber {one['site']}: {one['what']}; look: woodpecker site try {one['site']}"
                console.print(told, style="yellow", markup=False, soft_wrap=True)
    except DatabaseError as error:
        leave(Exit.FAILED, f"the database cannot be read: {str(error).splitlines()[0]}", as_json=json)


def sweep(
    failed: Annotated[bool, typer.Option("--failed", help="Also send batches again that were given up.")] = False,
    json: Json = False,
) -> None:
    """Finish what was left: send unfinished batches again, index what is behind, purge what is due."""
    from dataclasses import asdict

    from workers.cli.start import prepare

    prepare(as_json=json)
    from workers import sweep as sweeping

    released = sweeping.release_failed() if failed else 0
    swept = sweeping.run(unfinished_seconds=0, settled_seconds=0)
    _report({"released": released, **asdict(swept)}, json)
    if swept.search_error:
        leave(Exit.PARTLY, f"search: {swept.search_error}")


def reindex(json: Json = False) -> None:
    """Fill a fresh search index from the database and move the alias to it; search goes on meanwhile."""
    from workers.cli.start import prepare

    prepare(as_json=json)
    from casework.search import get_search
    from casework.search.port import SearchUnavailable

    try:
        with console.status("reindexing …"):
            documents = get_search().rebuild()
    except SearchUnavailable as error:
        leave(Exit.FAILED, f"search: {error}", as_json=json)
    _report({"documents": documents}, json)


@contextmanager
def _opened(source: str, *, as_json: bool) -> Iterator[BinaryIO]:
    if source == "-":
        yield sys.stdin.buffer
        return
    path = Path(source)
    if path.suffix.lower() not in {".jsonl", ".ndjson", ".json", ""}:
        leave(
            Exit.WRONG_INPUT,
            f"{path}: found {path.suffix!r}; allowed: captures as JSON Lines (.jsonl)",
            as_json=as_json,
        )
    try:
        stream = path.open("rb")
    except OSError as error:
        leave(Exit.WRONG_INPUT, f"{path}: {error.strerror}", as_json=as_json)
    with stream:
        yield stream


@contextmanager
def _progress(stream: BinaryIO) -> Iterator[Any]:
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from workers.cli.output import errors

    size = Path(stream.name).stat().st_size if isinstance(getattr(stream, "name", None), str) else None
    columns = (TextColumn("ingesting"), BarColumn(), TextColumn("{task.fields[rows]} captures"), TimeRemainingColumn())
    with Progress(*columns, console=errors, disable=not errors.is_terminal, transient=True) as progress:
        task = progress.add_task("ingest", total=size, rows=0)
        yield lambda at, rows: progress.update(task, completed=at, rows=rows)


def _teller(source: str) -> Any:
    told = 0

    def tell(problem: object) -> None:
        nonlocal told
        told += 1
        if told <= SHOWN:
            complain(f"{source}: {problem}")
        elif told == SHOWN + 1:
            complain(f"{source}: more rows were rejected; the summary counts them")

    return tell


def _report(values: dict[str, Any], as_json: bool) -> None:
    if as_json:
        summary(values)
        return
    from rich.table import Table

    table = Table(show_header=False, box=None)
    for key, value in values.items():
        if key not in {"problems", "sites"} and value not in ("", None):  # problems were told one by one
            table.add_row(key.replace("_", " "), _plainly(value))
    console.print(table)


def _plainly(value: Any) -> str:
    if not isinstance(value, dict):
        return str(value)
    return ", ".join(f"{key} {_plainly(one)}" for key, one in value.items() if not isinstance(one, dict))
