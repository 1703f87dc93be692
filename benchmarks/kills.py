"""Is anything lost or doubled when every worker is killed with -9, again and again?

python -m benchmarks.kills [--mode embedded|services] [--captures 5000] [--kills 5]
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from benchmarks.captures import rows
from benchmarks.system import WOODPECKER, Installation, installation


def main(
    mode: str = "embedded",
    captures: Annotated[int, typer.Option(help="Captures of one run.")] = 5_000,
    kills: Annotated[int, typer.Option(help="Times that all workers are killed.")] = 5,
    seed: int = 7,
) -> None:
    """Compare the cases of a disturbed run with those of an undisturbed one; exit 1 when they differ."""
    calm, calm_status = _run(mode, captures, kills=0, seed=seed)
    torn, torn_status = _run(mode, captures, kills=kills, seed=seed)
    table = Table(title=f"{captures} captures, {mode}, two workers")
    for column in ("run", "kill -9", "inbox", "behind", "cases", "copies", "documents", "failed"):
        table.add_column(column, justify="right")
    for name, times, status in (("undisturbed", 0, calm_status), ("killed", kills, torn_status)):
        search = status["search"]
        table.add_row(
            name, str(times), *(str(value) for value in (
                status["inbox"], search["behind"], status["cases"]["total"], status["cases"]["copies"],
                search["documents"], status["failed"]
            ))
        )  # fmt: skip
    Console().print(table)
    same = calm == torn and torn_status["search"]["documents"] == torn_status["cases"]["total"]
    print(f"missing {len(calm - torn)}, additional {len(torn - calm)}: {'the same' if same else 'DIFFERENT'}")
    sys.exit(0 if same else 1)


def _run(mode: str, captures: int, *, kills: int, seed: int) -> tuple[set[tuple[str, str, str]], dict[str, Any]]:
    dice = random.Random(seed)
    with installation(mode) as here:
        file = here.folder / "captures.jsonl"
        file.write_text(
            "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows(captures, one_in=5)), "utf-8"
        )
        here.run("sweep")
        here.start_workers(2)
        ingest = subprocess.Popen([*WOODPECKER, "ingest", str(file)], env=here.environment)
        for _ in range(kills):
            _kill_while_busy(here, dice)
        if ingest.wait(600):
            raise SystemExit("ingest failed")
        status = here.rest()
        cases = here.cases()
        here.stop_workers()
    return cases, status


def _kill_while_busy(here: Installation, dice: random.Random) -> None:
    time.sleep(dice.uniform(2.5, 6.0))
    here.kill_workers()
    here.start_workers(2)


if __name__ == "__main__":
    typer.run(main)
