"""How long does a text about self-harm wait when a backlog of advertisements waits before it?

python -m benchmarks.urgent [--mode embedded|services] [--backlog 100000] [--workers 1]
"""

from __future__ import annotations

import json
import random
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from benchmarks.captures import FILLED, FILLER, rows
from benchmarks.system import WOODPECKER, Installation, installation
from crawlers.capture import capture_id

URGENT = 20
TEXT = "有没有人相约自杀，编号{n}。{filler}"
"""One of the word rules' own examples."""


def main(
    mode: str = "services",
    backlog: Annotated[int, typer.Option(help="Captures that wait before.")] = 100_000,
    workers: Annotated[int, typer.Option(help="Processes of `woodpecker work`.")] = 1,
) -> None:
    """Print the time from the inbox to where reviewers find it, of urgent texts and of those that waited before."""
    with installation(mode) as here:
        here.environment["WOODPECKER_LOST_SECONDS"] = "600"
        _ingest(here, "backlog.jsonl", rows(backlog, one_in=4))
        here.start_workers(workers)
        while not here.query("SELECT 1 FROM casework_case LIMIT 1"):
            time.sleep(0.2)
        ((before,),) = here.query("SELECT count(*) FROM casework_inboxitem")
        _ingest(here, "urgent.jsonl", urgent(URGENT))
        while len(list(_lags(here))) < URGENT:
            time.sleep(0.2)
        ((after,),) = here.query("SELECT count(*) FROM casework_inboxitem")
        lags = sorted(_lags(here))
        here.stop_workers()
    table = Table(title=f"{URGENT} urgent texts behind {before:,} captures, {mode}, {workers} × work")
    for column in ("median", "slowest", "still waiting then"):
        table.add_column(column, justify="right")
    table.add_row(f"{lags[len(lags) // 2]:.1f} s", f"{lags[-1]:.1f} s", f"{after:,}")
    Console(width=100).print(table)


def _ingest(here: Installation, name: str, captures: Iterator[dict[str, Any]]) -> None:
    file: Path = here.folder / name
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in captures), "utf-8")
    subprocess.run([*WOODPECKER, "ingest", str(file)], env=here.environment, check=True, stdout=subprocess.DEVNULL)


def urgent(count: int) -> Iterator[dict[str, Any]]:
    """Yield captures about self-harm, each with a text of its own."""
    dice = random.Random(9)
    for number, row in enumerate(rows(count, seed=9)):
        text = TEXT.format(n=number, filler="".join(dice.choices(FILLER, k=FILLED)))
        unit = f"urgent-{number}"
        yield row | {"text": text, "unit": unit, "id": capture_id(row["site"], row["canonical_url"], unit, text)}


def _lags(here: Installation) -> Iterator[float]:
    """Yield the seconds from the inbox to where reviewers find it of each that is there by now."""
    if here.environment.get("WOODPECKER_DATABASE_URL"):
        shown = "EXTRACT(EPOCH FROM at - received_at) FROM casework_visible JOIN casework_case ON case_id = id"
    else:  # without an index a case shows as it is made
        shown = "(julianday(created_at) - julianday(received_at)) * 86400 FROM casework_case"
    for (lag,) in here.query(f"SELECT {shown} WHERE unit LIKE 'urgent-%'"):
        yield float(lag)


if __name__ == "__main__":
    typer.run(main)
