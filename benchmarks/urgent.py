"""How long does a text about self-harm wait when a backlog of advertisements waits before it?

python -m benchmarks.urgent [--mode embedded|services] [--backlog 100000] [--workers 1]

The urgent texts are our own about self-harm that are held back from training and flagged under the general policy, word
for word; most of them no word rule names. What the glance misses stays behind the backlog and is counted.
"""

from __future__ import annotations

import itertools
import json
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from benchmarks.captures import rows
from benchmarks.glance import WHAT, written
from benchmarks.system import WOODPECKER, Installation, installation
from crawlers.capture import capture_id

URGENT = 100
SEED = 20261124
"""That of the recipe, so that no model was trained on these texts."""


def main(
    mode: str = "services",
    backlog: Annotated[int, typer.Option(help="Captures that wait before.")] = 100_000,
    workers: Annotated[int, typer.Option(help="Processes of `woodpecker work`.")] = 1,
) -> None:
    """Print the time from the inbox to where reviewers find it, of urgent texts and of those that waited before."""
    with installation(mode) as here:
        here.environment["WOODPECKER_LOST_SECONDS"] = "600"
        texts = flagged(here, URGENT)
        _ingest(here, "backlog.jsonl", rows(backlog, one_in=4))
        here.start_workers(workers)
        while not here.query("SELECT 1 FROM casework_case LIMIT 1"):
            time.sleep(0.2)
        ((before,),) = here.query("SELECT count(*) FROM casework_inboxitem")
        _ingest(here, "urgent.jsonl", urgent(texts))
        while here.query("SELECT 1 FROM casework_batch WHERE urgent LIMIT 1") or _unseen(here):
            time.sleep(0.2)
        ((after,),) = here.query("SELECT count(*) FROM casework_inboxitem")
        ids = ", ".join(f"'{row['id']}'" for row in urgent(texts))
        ((left,),) = here.query(f"SELECT count(*) FROM casework_inboxitem WHERE capture_id IN ({ids})")
        lags = sorted(_lags(here))
        here.stop_workers()
    table = Table(title=f"{len(texts)} texts about self-harm behind {before:,} captures, {mode}, {workers} × work")
    for column in ("overtook", "left to wait", "median", "slowest", "still waiting then"):
        table.add_column(column, justify="right")
    overtook = f"{len(texts) - left}"
    table.add_row(overtook, f"{left}", f"{lags[len(lags) // 2]:.1f} s", f"{lags[-1]:.1f} s", f"{after:,}")
    Console(width=100).print(table)


def flagged(here: Installation, count: int) -> list[str]:
    """Our own texts about self-harm that are flagged as such under the general policy."""
    file, answers = here.folder / "texts.jsonl", here.folder / "answers.jsonl"
    texts = written(SEED)[0]
    file.write_text("".join(json.dumps({"id": f"{k}", "text": text}) + "\n" for k, text in enumerate(texts)), "utf-8")
    here.run("classify", "--input", str(file), "--output", str(answers)).check_returncode()
    told = (json.loads(line) for line in answers.read_text("utf-8").splitlines())
    chosen = (texts[int(one["id"])] for one in told if WHAT in one["flagged"])
    return list(itertools.islice(chosen, count))


def _ingest(here: Installation, name: str, captures: Iterator[dict[str, Any]]) -> None:
    file: Path = here.folder / name
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in captures), "utf-8")
    subprocess.run([*WOODPECKER, "ingest", str(file)], env=here.environment, check=True, stdout=subprocess.DEVNULL)


def urgent(texts: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield a capture of each text."""
    for number, (row, text) in enumerate(zip(rows(len(texts), seed=9), texts, strict=True)):
        unit = f"urgent-{number}"
        yield row | {"text": text, "unit": unit, "id": capture_id(row["site"], row["canonical_url"], unit, text)}


def _unseen(here: Installation) -> int:
    """How many urgent cases are made and cannot be found yet."""
    if not here.environment.get("WOODPECKER_DATABASE_URL"):
        return 0
    ((unseen,),) = here.query(
        "SELECT count(*) FROM casework_case LEFT JOIN casework_visible ON case_id = casework_case.id"
        " WHERE unit LIKE 'urgent-%' AND at IS NULL"
    )
    return int(unseen)


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
