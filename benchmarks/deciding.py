"""Does whoever decides a case wait for its copies?

python -m benchmarks.deciding [--mode embedded|services] [--copies 0 --copies 5000] [--rounds 5]

A case with so many copies is decided and the decision taken back, `--rounds` times in turn over the sizes. `cpu` is
what this process computes, SQLite included; `clock` has the database server in it, and whatever else runs here.
`services` needs the servers that the environment names (`make services`).
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from benchmarks.system import installation

ACTS = ("decide", "undo")


def main(
    mode: Annotated[str, typer.Option(help="embedded or services.")] = "embedded",
    copies: Annotated[list[int] | None, typer.Option(help="Copies of the case; may be repeated.")] = None,
    rounds: Annotated[int, typer.Option(help="Times that each case is decided and taken back.")] = 5,
    inside: Annotated[bool, typer.Option("--inside", hidden=True)] = False,
) -> None:
    """Print the median milliseconds of deciding and taking back."""
    sizes = copies or [0, 5000]
    if inside:
        print(json.dumps(_inside(sizes, rounds)))
        return
    with installation(mode) as here:
        asked = [part for size in sizes for part in ("--copies", str(size))]
        command = [sys.executable, "-m", "benchmarks.deciding", "--inside", "--rounds", str(rounds), *asked]
        root = Path(__file__).resolve().parents[1]
        done = subprocess.run(command, env=here.environment, cwd=root, stdout=subprocess.PIPE, text=True, check=True)
    table = Table(title=f"{mode}, {rounds} rounds, milliseconds")
    for title in ("copies", *(f"{act}: {figure}" for act in ACTS for figure in ("cpu", "clock"))):
        table.add_column(title, justify="right")
    for size, row in json.loads(done.stdout.splitlines()[-1]).items():
        table.add_row(f"{int(size):,}", *(f"{row[act][figure]:.1f}" for act in ACTS for figure in ("cpu", "clock")))
    console = Console()
    console.print(table)
    console.print(f"load of the machine meanwhile: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


def _inside(sizes: list[int], rounds: int) -> dict[int, Any]:
    from workers import django

    django.setup()
    django.migrate()
    from django.db import connection

    from casework import accounts, decisions
    from casework.models import Case, Finding, Role

    user = accounts.create("reviewer", Role.REVIEWER)
    cases = {size: _cluster(number, size) for number, size in enumerate(sizes)}
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    taken: dict[int, dict[str, list[tuple[float, float]]]] = {size: {act: [] for act in ACTS} for size in sizes}
    for _ in range(rounds):
        for size, pk in cases.items():
            version = Case.objects.get(pk=pk).version
            taken[size]["decide"].append(
                _timed(
                    lambda pk=pk, version=version: decisions.decide(  # type: ignore[misc]
                        pk, user, Finding.CONFIRMED, expected_version=version, category="fraud_spending"
                    )
                )
            )
            taken[size]["undo"].append(_timed(lambda pk=pk: decisions.undo(pk, user)))  # type: ignore[misc]
    return {
        size: {
            act: {name: statistics.median(one[at] for one in rows) for at, name in enumerate(("cpu", "clock"))}
            for act, rows in acts.items()
        }
        for size, acts in taken.items()
    }


def _cluster(number: int, copies: int) -> int:
    from casework.models import Case

    case = Case.objects.create(**_row(number, 0))
    rows = [Case(**_row(number, at + 1), copy_of=case, likeness=1.0) for at in range(copies)]
    Case.objects.bulk_create(rows, batch_size=500)
    return int(case.pk)


def _row(number: int, at: int) -> dict[str, Any]:
    from django.utils import timezone

    text = "代练上分包赢，先付定金，加群领优惠，名额有限先到先得" * 3
    where = f"https://forum.example/{number}/{at}"
    scores = {"illicit_ads": 0.97, "fraud_spending": 0.6, "gambling": 0.1}
    return {
        **{"capture_id": f"{number}-{at}", "site": f"forum-{at % 12}", "platform_class": "forum_qa"},
        **{"section": "talk", "url": where, "canonical_url": where, "unit": str(at), "kind": "comment"},
        **{"method": "latest", "basis": "owner", "crawler": "x", "captured_at": timezone.now(), "text": text},
        **{"folded": text, "text_sha256": "0" * 64, "category": "illicit_ads", "grade": "bad", "severity": "S2"},
        **{"categories": ["illicit_ads", "fraud_spending"], "score": 0.97, "scores": scores, "model_version": "m"},
        **{"policy_digest": "general", "kid_zone": at % 7 == 0},
        "spans": [{"start": 0, "end": 4, "slug": "illicit_ads", "reason": "linear"}] * 4,
    }


def _timed(act: Callable[[], object]) -> tuple[float, float]:
    cpu, clock = time.process_time(), time.perf_counter()
    act()
    return 1000 * (time.process_time() - cpu), 1000 * (time.perf_counter() - clock)


if __name__ == "__main__":
    typer.run(main)
