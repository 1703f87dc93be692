"""How do the pages answer as the cases grow?

python -m benchmarks.scale [--mode embedded|services] [--cases 10000 --cases 100000] [--rounds 40]

Each number of cases gets an installation of its own, filled with invented cases of many sites, sections, categories and
states, and with the accounts of fifty colleagues. PostgreSQL knows its tables, as its autovacuum sees to; SQLite has no
statistics, as in every installation. Every page is then asked for by a signed-in reviewer in this process (Django's own
client: what the server does, without the network), `--rounds` times in turn, so that a moment's load of the machine
hits all alike. What was decided is indexed after each turn, as a worker would, so that Elasticsearch counts anew. Of a
large result the first who asks in half a minute has it counted, and that page is told apart: `counted anew`.
`services` needs the servers that the environment names (`make services`).
"""

from __future__ import annotations

import json
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import psutil
import typer
from rich.console import Console
from rich.table import Table

from benchmarks.captures import ADS, REMARKS, SUBJECTS
from benchmarks.cpu import listener
from benchmarks.system import installation

CHUNK = 2000
SITES = [f"forum-{n}" for n in range(12)]
SECTIONS = ["talk", "games", "study", "kids", "market"]
CATEGORIES = ["illicit_ads", "fraud_spending", "bullying", "gambling", "addiction_bypass", "self_harm", "minor_privacy"]
COLLEAGUES = 50
STATES = ["open"] * 6 + ["dismissed"] * 6 + ["confirmed"] * 3 + ["escalated"]


def main(
    mode: Annotated[str, typer.Option(help="embedded or services.")] = "embedded",
    cases: Annotated[list[int] | None, typer.Option(help="Number of cases; may be repeated.")] = None,
    rounds: Annotated[int, typer.Option(help="Times that each page is asked for.")] = 40,
    inside: Annotated[int, typer.Option(hidden=True)] = 0,
) -> None:
    """Print median and 95th percentile of each page in milliseconds, and how they grow.

    `cpu` is the mean of what this process computed, SQLite included, and with it PostgreSQL and Elasticsearch for it;
    other load hardly changes it.
    """
    if inside:
        print(json.dumps(_inside(inside, rounds)))
        return
    sizes = cases or [10_000, 100_000]
    found = [_run(mode, size, rounds) for size in sizes]
    table = Table(title=f"{mode}, {rounds} rounds, milliseconds on the server side")
    table.add_column("page")
    for size in sizes:
        table.add_column(f"{size:,}: median", justify="right")
        table.add_column("p95", justify="right")
        table.add_column("cpu", justify="right")
    table.add_column("p95 grows", justify="right")
    table.add_column("cpu grows", justify="right")
    for page in found[0]["pages"]:
        figures = [one["pages"][page] for one in found]
        cells = [f"{one[name]:.0f}" for one in figures for name in ("median", "p95", "cpu")]
        table.add_row(page, *cells, *(f"{figures[-1][name] / figures[0][name]:.2f} ×" for name in ("p95", "cpu")))
    console = Console()
    console.print(table)
    for size, one in zip(sizes, found, strict=True):
        console.print(f"{size:,} cases: filled in {one['filled']:.0f} s, index in {one['indexed']:.0f} s")
    console.print(f"load of the machine meanwhile: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


def _run(mode: str, size: int, rounds: int) -> dict[str, Any]:
    with installation(mode) as here:
        started = here.run("sweep")
        if started.returncode:
            raise SystemExit(started.stderr)
        command = [sys.executable, "-m", "benchmarks.scale", "--inside", str(size), "--rounds", str(rounds)]
        root = Path(__file__).resolve().parents[1]
        done = subprocess.run(command, env=here.environment, cwd=root, stdout=subprocess.PIPE, text=True, check=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def _inside(size: int, rounds: int) -> dict[str, Any]:
    from workers import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    from casework.search import get_search

    call_command("collectstatic", interactive=False, verbosity=0)
    began = time.monotonic()
    fill(size)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
    filled = time.monotonic() - began
    began = time.monotonic()
    get_search().rebuild()
    indexed = time.monotonic() - began
    times = _ask(rounds)
    pages = {
        name: {
            "median": statistics.median(wall for wall, _ in one),
            "p95": sorted(wall for wall, _ in one)[min(len(one) - 1, int(0.95 * len(one)))],
            "cpu": statistics.mean(cpu for _, cpu in one),  # servers' comes in steps of 10 ms: no median
        }
        for name, one in times.items()
    }
    return {"filled": filled, "indexed": indexed, "pages": pages}


def fill(size: int) -> None:
    """Write so many invented cases into this process's database."""
    from casework import bulk
    from casework.models import Case

    dice, batch = random.Random(5), []
    for number in range(size):
        batch.append(Case(**_case(dice, number)))
        if len(batch) == CHUNK or number == size - 1:
            bulk.create(batch, returning=("id",))
            batch.clear()


def _case(dice: random.Random, number: int) -> dict[str, Any]:
    from django.utils import timezone

    from casework.folding import fold

    ad = dice.choice(ADS).format(n=number)
    text = f"{dice.choice(SUBJECTS)}{dice.choice(REMARKS)}，{ad}" if number % 997 else f"放风筝的第{number}天，{ad}"
    category = dice.choice(CATEGORIES)
    both = [category, *(dice.sample(CATEGORIES, 1) if dice.random() < 0.2 else [])]
    score = round(dice.uniform(0.5, 0.99), 4)
    url = f"https://forum.example/t/{number // 30}"
    return {
        "capture_id": f"{number:064x}", "site": dice.choice(SITES), "platform_class": "forum_qa",
        "section": dice.choice(SECTIONS), "kid_zone": dice.random() < 0.1, "url": url, "canonical_url": url,
        "unit": f"p{number}", "kind": "comment", "thread": f"t{number // 30}", "position": number % 30,
        "method": "latest", "basis": "owner", "crawler": "silver-woodpecker/0.1", "captured_at": timezone.now(),
        "text": text, "folded": fold(text), "text_sha256": "0" * 64, "category": category,
        "categories": list(dict.fromkeys(both)), "severity": dice.choice(["S1", "S2", "S2", "S3"]),
        "grade": "illegal", "score": score, "scores": {category: score}, "model_version": "stand-in",
        "policy_digest": "general", "state": dice.choice(STATES),
    }  # fmt: skip


def _ask(rounds: int) -> dict[str, list[tuple[float, float]]]:
    from django.test import Client

    from casework import accounts
    from casework.models import Case
    from casework.search import get_search

    user = accounts.create("scale-lead", "lead")
    for number in range(COLLEAGUES):
        accounts.create(f"scale-{number}", "reviewer")
    client = Client(SERVER_NAME="localhost")
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    cases = iter(Case.objects.filter(state="open").order_by("severity", "-score").values_list("pk", flat=True))
    opened = list(Case.objects.filter(state="open").order_by("id").values_list("pk", flat=True)[:500])
    dice, decided = random.Random(9), list[int]()
    pages: dict[str, Callable[[], Any]] = {
        "queue, counted anew": lambda: _anew(client, "/queue/"),
        "queue": lambda: client.get("/queue/"),
        "queue, page 150": lambda: client.get("/queue/?page=150"),
        "facets: category and site": lambda: client.get("/queue/?category=gambling&site=forum-3"),
        "every state, counted anew": lambda: _anew(client, "/queue/?state=all"),
        "every state": lambda: client.get("/queue/?state=all"),
        "every state, newest first": lambda: client.get("/queue/?state=all&sort=newest"),
        "search, a rare word": lambda: client.get("/queue/?q=放风筝"),
        "search, a common word, counted anew": lambda: _anew(client, "/queue/?q=微信"),
        "search, a common word": lambda: client.get("/queue/?q=微信"),
        "next case": lambda: client.get("/queue/next/"),
        "case page": lambda: client.get(f"/cases/{dice.choice(opened)}/"),
        "claim": lambda: client.post(f"/cases/{dice.choice(opened)}/claim/"),
        "similar cases": lambda: client.get(f"/cases/{dice.choice(opened)}/similar/"),
        "trend by day": lambda: client.get("/queue/trend/?category=gambling"),
        "decide": lambda: _decide(client, cases, decided),
    }
    used = _computed()
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in pages}
    for turn in range(rounds + 2):
        for name, ask in pages.items():
            began, computed = time.perf_counter(), used()
            answer = ask()
            spent = 1000 * (time.perf_counter() - began), 1000 * (used() - computed)
            if answer.status_code not in {200, 302}:
                raise SystemExit(f"{name}: {answer.status_code}")
            if turn >= 2:  # the first two warm up
                times[name].append(spent)
        get_search().sync(decided)  # as a worker would
        decided.clear()
    return times


def _anew(client: Any, address: str) -> Any:
    """Ask as the first does after half a minute, for whom large results are counted."""
    from django.core.cache import cache

    cache.clear()
    return client.get(address)


def _computed() -> Callable[[], float]:
    """Return what reads the CPU seconds of this process, of its connection's server process and of Elasticsearch."""
    from django.db import connection

    from config.settings import get_settings

    pids = []
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            pids.append(cursor.fetchone()[0])
    port = urlsplit(get_settings().elasticsearch_url.get_secret_value().partition(",")[0]).port
    if port and (pid := listener(port)):
        pids.append(pid)
    servers = [psutil.Process(pid) for pid in pids]

    def read() -> float:
        return time.process_time() + sum(sum(one.cpu_times()[:2]) for one in servers)

    return read


def _decide(client: Any, cases: Iterator[int], decided: list[int]) -> Any:
    from casework.models import Case

    pk = next(cases)
    decided.append(pk)
    version = Case.objects.values_list("version", flat=True).get(pk=pk)
    return client.post(f"/cases/{pk}/decide/", {"finding": "dismissed", "version": version, "asked": ""})


if __name__ == "__main__":
    typer.run(main)
