"""How many captures a second go from `ingest` to the search index?

python -m benchmarks.pipeline [--mode embedded|services] [--captures 20000] [--workers 1]
"""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from typing import Annotated

import psutil
import typer
from rich.console import Console
from rich.table import Table

from benchmarks.captures import rows
from benchmarks.cpu import Meter, machine_seconds
from benchmarks.system import WOODPECKER, Installation, installation


def main(
    mode: str = "embedded",
    captures: Annotated[int, typer.Option(help="Captures of one run.")] = 20_000,
    workers: Annotated[int, typer.Option(help="Processes of `woodpecker work`.")] = 1,
    one_in: Annotated[
        list[int] | None, typer.Option(help="One capture in so many is a hit; default: 20 and 1.")
    ] = None,
) -> None:
    """Print captures/s for one hit in twenty and for every capture a hit, and where the CPU time goes."""
    title = f"ingest → cases → index, {mode}, {workers} × work, {captures} captures, {psutil.cpu_count()} cores"
    table, parts = Table(title=title), Table(title="CPU seconds for 1,000 captures")
    for column in ("hits", "ingest/s", "whole path/s", "seconds", "cases", "share of the machine"):
        table.add_column(column, justify="right")
    runs = [(f"1 in {share}", *_measure(mode, captures, workers, share)) for share in one_in or (20, 1)]
    for name, row, _ in runs:
        table.add_row(name, *row)
    parts.add_column("part")
    for name, _, _ in runs:
        parts.add_column(name, justify="right")
    for part in sorted({part for _, _, used in runs for part in used}):
        parts.add_row(part, *(f"{used.get(part, 0.0) / captures * 1000:.3f}" for _, _, used in runs))
    totals = [sum(used.values()) / captures * 1000 for _, _, used in runs]
    parts.add_row("together", *(f"{total:.3f}" for total in totals))
    parts.add_row("captures/s on two cores alone", *(f"{2 * 1000 / total:,.0f}" for total in totals))
    Console(width=110).print(table, parts)


def _measure(mode: str, captures: int, workers: int, one_in: int) -> tuple[tuple[str, ...], dict[str, float]]:
    with installation(mode) as here:
        file = here.folder / "captures.jsonl"
        _write(file, captures, one_in)
        here.run("sweep")  # migrations are not part of what is measured
        meter = Meter(here.environment)
        here.start_workers(workers)
        for worker in here.workers:
            meter.follow("work", worker.pid)
        _await_workers(here)
        with meter.running():
            began, before = time.monotonic(), machine_seconds()
            ingest = subprocess.Popen(
                [*WOODPECKER, "ingest", str(file), "--json"], env=here.environment, stdout=subprocess.DEVNULL
            )
            meter.follow("ingest", ingest.pid)
            if ingest.wait():
                raise SystemExit("ingest failed")
            ingested = time.monotonic() - began
            here.settle()
            whole, everybody = time.monotonic() - began, machine_seconds() - before
        used = meter.seconds()
        ((cases,),) = here.query("SELECT count(*) FROM casework_case")
        here.stop_workers()
    row = (
        f"{captures / ingested:,.0f}", f"{captures / whole:,.0f}", f"{whole:.1f}", f"{cases:,}",
        f"{sum(used.values()) / everybody:.0%}",
    )  # fmt: skip
    return row, used


def _await_workers(here: Installation) -> None:
    """Wait until the workers have assessed something: their start is not part of what is measured."""
    warm = here.folder / "warm.jsonl"
    _write(warm, 200, 20, seed=8)
    here.run("ingest", str(warm))
    here.settle()


def _write(file: Path, captures: int, one_in: int, seed: int = 7) -> None:
    with file.open("w", encoding="utf-8") as out:
        for row in rows(captures, one_in=one_in, seed=seed):
            out.write(json.dumps(row, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    typer.run(main)
