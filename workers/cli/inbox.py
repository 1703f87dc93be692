"""`woodpecker status`, `sweep`, `reindex`: the state of what became of captures, and its upkeep."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from workers.cli.output import Exit, Json, console, leave, summary


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(status)
    app.command()(sweep)
    app.command()(reindex)


def status(
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Show it live until Ctrl-C.")] = False,
    every: Annotated[float, typer.Option(min=0.2, max=3600, help="With --watch: seconds between looks.")] = 2.0,
    json: Json = False,
) -> None:
    """Print the state: inbox, captures, cases, search, workers, and which part does not answer. With --watch it stays
    on the terminal and moves; with --watch --json each look is a line.
    """
    from workers.cli.start import prepare

    prepare(migrate=False, as_json=json)
    from django.db import DatabaseError

    from casework import status as state

    try:
        if watch:
            from workers import watching

            if json:
                watching.lines(every, summary)
            else:
                watching.run(every)
        else:
            snapshot = state.report()
            _report(snapshot, json)
            for name, told in snapshot["parts"].items() if not json else ():
                if told != "ok":
                    console.print(f"{name} does not answer: {told}", style="bold red", markup=False, soft_wrap=True)
            for one in snapshot["sites"]["amber"] if not json else ():
                told = f"amber {one['site']}: {one['what']}; look: woodpecker site try {one['site']}"
                console.print(told, style="yellow", markup=False, soft_wrap=True)
            for problems in snapshot["wrong_policies"].values() if not json else ():
                for one in problems:
                    told = f"wrong policy, what held before goes on: {one}"
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


def _report(values: dict[str, Any], as_json: bool) -> None:
    if as_json:
        summary(values)
        return
    from rich.table import Table

    table = Table(show_header=False, box=None)
    for key, value in values.items():
        told_apart = key in {"problems", "sites", "wrong_policies", "parts"}
        if not told_apart and value not in ("", None):
            table.add_row(key.replace("_", " "), _plainly(value))
    console.print(table)


def _plainly(value: Any) -> str:
    if not isinstance(value, dict):
        return str(value)
    return ", ".join(f"{key} {_plainly(one)}" for key, one in value.items() if not isinstance(one, dict))
