"""How many captures a second go from `ingest` to the search index?

python -m benchmarks.pipeline [--mode embedded|services] [--captures 20000] [--workers 2]
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from benchmarks.captures import rows
from benchmarks.system import installation


def main(
    mode: str = "embedded",
    captures: Annotated[int, typer.Option(help="Captures of one run.")] = 20_000,
    workers: Annotated[int, typer.Option(help="Processes of `woodpecker work`.")] = 2,
) -> None:
    """Print captures/s for one hit in twenty and for every capture a hit."""
    table = Table(title=f"ingest → cases → index, {mode}, {workers} × work, {captures} captures")
    for column in ("hits", "ingest/s", "whole path/s", "seconds", "cases"):
        table.add_column(column, justify="right")
    for one_in in (20, 1):
        table.add_row(*_measure(mode, captures, workers, one_in))
    Console().print(table)


def _measure(mode: str, captures: int, workers: int, one_in: int) -> tuple[str, ...]:
    with installation(mode) as here:
        file = here.folder / "captures.jsonl"
        _write(file, captures, one_in)
        here.run("sweep")  # migrations are not part of what is measured
        here.start_workers(workers)
        time.sleep(8)
        began = time.monotonic()
        done = here.run("ingest", str(file), "--json")
        if done.returncode:
            raise SystemExit(done.stderr)
        ingested = time.monotonic() - began
        status = here.rest()
        whole = time.monotonic() - began
        here.stop_workers()
    return (
        f"1 in {one_in}",
        f"{captures / ingested:,.0f}",
        f"{captures / whole:,.0f}",
        f"{whole:.1f}",
        f"{status['cases']['total']:,}",
    )


def _write(file: Path, captures: int, one_in: int) -> None:
    with file.open("w", encoding="utf-8") as out:
        for row in rows(captures, one_in=one_in):
            out.write(json.dumps(row, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    typer.run(main)
