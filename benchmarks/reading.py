"""What does it cost that every look at a case is recorded, and do readers wait for each other?

python -m benchmarks.reading [--mode embedded|services] [--rounds 30] [--people 50] [--think 2] [--seconds 10]

First one person opens the queue and a case, in turns with and without the entry in the audit log. `cpu` is what this
process computes, SQLite included; `clock` has the database server in it, and whatever else runs here. Then `--people`
threads, each with a connection of its own, record a page of the queue, think for up to twice `--think` seconds, and go
on: how long they wait for their entry is the chain's lock and its commit. With `--think 0` nobody thinks, which is the
most that the chain takes. `services` needs the servers that the environment names (`make services`).
"""

from __future__ import annotations

import json
import os
import random
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from benchmarks.deciding import _row, _timed
from benchmarks.system import installation

CASES, PAGE = 200, 20


def main(
    mode: Annotated[str, typer.Option(help="embedded or services.")] = "embedded",
    rounds: Annotated[int, typer.Option(help="Times that each page is opened, with and without.")] = 30,
    people: Annotated[int, typer.Option(help="People who read at once.")] = 50,
    think: Annotated[float, typer.Option(help="Mean seconds between two pages of one person.")] = 2.0,
    seconds: Annotated[float, typer.Option(help="How long they read.")] = 10.0,
    inside: Annotated[bool, typer.Option("--inside", hidden=True)] = False,
) -> None:
    """Print the milliseconds of a page with and without its entry, and of an entry while many read."""
    if inside:
        print(json.dumps(_inside(rounds, people, think, seconds)))
        return
    with installation(mode) as here:
        given = {"--rounds": rounds, "--people": people, "--think": think, "--seconds": seconds}
        asked = [str(part) for pair in given.items() for part in pair]
        command = [sys.executable, "-m", "benchmarks.reading", "--inside", *asked]
        root = Path(__file__).resolve().parents[1]
        done = subprocess.run(command, env=here.environment, cwd=root, stdout=subprocess.PIPE, text=True, check=True)
    found, console = json.loads(done.stdout.splitlines()[-1]), Console()
    table = Table(
        "page", "cpu without", "cpu with", "clock without", "clock with", title=f"{mode}, median milliseconds"
    )
    for name, row in found["pages"].items():
        table.add_row(name, *(f"{row[key][at]:.1f}" for at in (0, 1) for key in ("without", "with")))
    console.print(table)
    table = Table("people", "entries a second", "median", "95 %", "longest", title=f"{mode}, milliseconds for an entry")
    for number, waits, spent in found["waits"]:
        ordered = sorted(waits)
        figures = (statistics.median(ordered), ordered[int(0.95 * (len(ordered) - 1))], ordered[-1])
        table.add_row(str(number), f"{len(waits) / spent:.0f}", *(f"{one:.1f}" for one in figures))
    console.print(table)
    console.print(f"load of the machine meanwhile: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


def _inside(rounds: int, people: int, think: float, seconds: float) -> dict[str, Any]:
    from workers import django

    django.setup()
    django.migrate()
    from django.core.management import call_command
    from django.test import Client

    from casework import accounts
    from casework.models import Case, Role

    call_command("collectstatic", interactive=False, verbosity=0)
    made = [Case.objects.create(**_row(0, at)) for at in range(CASES)]
    user = accounts.create("reviewer", Role.REVIEWER)
    client = Client(headers={"host": "127.0.0.1"})
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    addresses = {"queue": "/queue/", "case": f"/cases/{made[0].pk}/"}
    pages = {name: _page(lambda address=address: client.get(address), rounds) for name, address in addresses.items()}  # type: ignore[misc]
    return {"pages": pages, "waits": [_together(number, user, made, think, seconds) for number in (1, people)]}


def _page(get: Callable[[], Any], rounds: int) -> dict[str, tuple[float, float]]:
    """Return the median (cpu, clock) of a page with its entry and without."""
    taken: dict[str, list[tuple[float, float]]] = {"with": [], "without": []}
    assert get().status_code == 200
    for _ in range(rounds):
        taken["with"].append(_timed(get))
        with _nothing_recorded():
            taken["without"].append(_timed(get))
    return {
        name: (statistics.median(one[0] for one in rows), statistics.median(one[1] for one in rows))
        for name, rows in taken.items()
    }


@contextmanager
def _nothing_recorded() -> Iterator[None]:
    from casework import sightings

    kept = sightings.sensitive
    sightings.sensitive = lambda view: False
    try:
        yield
    finally:
        sightings.sensitive = kept


def _together(people: int, user: Any, cases: list[Any], think: float, seconds: float) -> tuple[int, list[float], float]:
    """Return how many read, the milliseconds that each of their entries took, and how long they read."""
    from casework import exposure

    views = [exposure.present(case, user) for case in cases[:PAGE]]
    waits: list[float] = []
    begun = time.monotonic()
    threads = [
        threading.Thread(target=_read, args=(user, views, think, begun + seconds, waits, seed))
        for seed in range(people)
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    return people, waits, time.monotonic() - begun


def _read(user: Any, views: list[Any], think: float, until: float, waits: list[float], seed: int) -> None:
    from django.db import connection

    from casework import sightings

    dice = random.Random(seed)
    connection.ensure_connection()
    time.sleep(dice.uniform(0, think))
    while time.monotonic() < until:
        waits.append(_timed(lambda: sightings.note_list(user, sightings.Where.QUEUE, views))[1])
        time.sleep(dice.uniform(0, 2 * think))
    connection.close()


if __name__ == "__main__":
    typer.run(main)
