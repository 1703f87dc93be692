"""`woodpecker retention`: take away what is past its date, and prove by counting that it is gone."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from workers.cli.output import Exit, Json, console, leave, summary


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command()(retention)


def retention(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count what is past its date; change nothing.")] = False,
    json: Json = False,
) -> None:
    """Take away the texts and files that are past their date; the schedule does so every night at 03:30.

    The exit code is 3 while something that is past its date is left.
    """
    from rich.table import Table

    from workers.cli.start import prepare

    prepare(as_json=json)
    from casework import retention as retaining

    done = retaining.purge(dry_run=dry_run)
    if json:
        summary(asdict(done))
    else:
        table = Table("what", "past its date", "taken away", "left")
        for name, found in done.found.items():
            table.add_row(
                name.replace("_", " "), str(found), str(done.purged.get(name, 0)), str(done.left.get(name, found))
            )
        console.print(table)
    left = sum(done.left.values())
    if left and not dry_run:
        leave(Exit.PARTLY, f"{left} that are past their date are left: the inbox wants a worker, a list a person")
