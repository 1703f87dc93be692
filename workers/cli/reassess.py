"""`woodpecker reassess`: let the model in use say again what it thinks of what is open."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer

from workers.cli.output import Exit, Json, console, leave, summary


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command()(reassess)


def reassess(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Count what would be assessed again; begin nothing.")
    ] = False,
    json: Json = False,
) -> None:
    """Let the model in use assess again the open cases that another model assessed, and tell how far that is.

    Workers do it a few cases at a time, behind everything else, and stop while the inbox is behind. Nothing is decided
    and nothing closed: what reaches no threshold any more stays and is marked. Left alone are cases that somebody works
    on (they wait), on which somebody has found something, and restricted ones, which hold no text. A worker that starts
    with another model begins this by itself, unless WOODPECKER_REASSESS is false. Asked again, the command tells the
    progress, and lets what failed be tried once more. What a new model would change: woodpecker backtest --model.
    """
    from workers.cli.start import prepare

    settings = prepare(as_json=json)
    from django.db import DatabaseError

    from casework import reassessments
    from classifiers.cascade import load
    from classifiers.errors import ClassifierError
    from workers import tasks

    try:
        model = load(settings.model_dir, settings.own_rules).version
    except ClassifierError as error:
        leave(Exit.WRONG_INPUT, str(error), as_json=json)
    try:
        if not dry_run:
            run = reassessments.begin(model, "command")
            reassessments.retry_failed(run)
            tasks.send(tasks.reassess, run.pk)
        _tell({"model": model, "dry_run": dry_run, "left": asdict(reassessments.left(model))}, json)
    except DatabaseError as error:
        leave(Exit.FAILED, f"the database: {str(error).splitlines()[0]}", as_json=json)


def _tell(found: dict[str, Any], as_json: bool) -> None:
    from rich.table import Table

    from casework import reassessments

    done = reassessments.progress()
    if done is not None and done["model"] == found["model"]:
        found |= {"done": {name: done[name] for name in ("assessed", "graver", "lighter", "below", "restricted")}}
    if as_json:
        summary(found)
        return
    table = Table(show_header=False, box=None)
    left = found["left"]
    table.add_row("model", found["model"])
    table.add_row("to assess again", f"{left['waiting']:,}")
    table.add_row("waiting for whoever works on them", f"{left['claimed']:,}")
    table.add_row("left alone: somebody found something", f"{left['judged']:,}")
    table.add_row("left alone: restricted, no text", f"{left['restricted']:,}")
    table.add_row("could not be assessed", f"{left['failed']:,}")
    for name, n in found.get("done", {}).items():
        table.add_row(_WORDS[name], f"{n:,}")
    console.print(table)


_WORDS = {
    "assessed": "assessed again",
    "graver": "  now more severe",
    "lighter": "  now less severe",
    "below": "  below every threshold, marked",
    "restricted": "  may not be held any more, for duty staff",
}
