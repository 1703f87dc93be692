"""How near does writing cases into Elasticsearch come to what its own client can do?

python -m benchmarks.indexing [--cases 10000] [--rounds 4]

Needs the servers that the environment names (`make services`). The same invented cases are written in turn by `sync`
(read from the database, written with external versions, taken out of the outbox) and by `helpers.bulk` alone
(documents made beforehand, no versions), each time into a fresh index of the same mapping. The least of the rounds
counts.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import psutil
import typer
from rich.console import Console
from rich.table import Table

from benchmarks.cpu import listener
from benchmarks.scale import fill
from benchmarks.system import installation

WAYS = ("sync", "helpers.bulk alone")


def main(
    cases: Annotated[int, typer.Option(help="Cases that are written.")] = 10_000,
    rounds: Annotated[int, typer.Option(help="Times that each way is taken, in turn.")] = 4,
    inside: Annotated[bool, typer.Option(hidden=True)] = False,
) -> None:
    """Print documents a second on the clock, CPU milliseconds of each part a document, and the ratio."""
    if inside:
        print(json.dumps(_inside(cases, rounds)))
        return
    with installation("services") as here:
        started = here.run("sweep")
        if started.returncode:
            raise SystemExit(started.stderr)
        command = [
            sys.executable,
            "-m",
            "benchmarks.indexing",
            "--inside",
            "--cases",
            str(cases),
            "--rounds",
            str(rounds),
        ]
        root = Path(__file__).resolve().parents[1]
        done = subprocess.run(command, env=here.environment, cwd=root, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    table = Table(title=f"{cases:,} cases, the least of {rounds} rounds")
    for column in ("way", "documents/s", "client CPU ms", "server CPU ms", "PostgreSQL CPU ms", "bytes"):
        table.add_column(column, justify="left" if column == "way" else "right")
    for way in WAYS:
        one = found[way]
        cells = (
            f"{cases / one['wall']:,.0f}",
            *(f"{one[part] / cases * 1000:.3f}" for part in ("client", "server", "database")),
        )
        table.add_row(way, *cells, f"{one['bytes'] / cases:,.0f}")
    console, (ours, bare) = Console(width=110), (found[way] for way in WAYS)
    console.print(table)
    grown = (ours["client"] + ours["server"]) / (bare["client"] + bare["server"])
    console.print(
        f"sync reaches {bare['wall'] / ours['wall']:.0%} of the bare client on the clock; "
        f"its CPU, client and server together, is {grown:.2f} times the bare client's"
    )
    console.print(f"load of the machine meanwhile: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


def _inside(cases: int, rounds: int) -> dict[str, dict[str, float]]:
    from workers import django

    django.setup()
    from django.db import connection
    from elasticsearch import Elasticsearch, helpers

    from casework.models import Case, Visible
    from casework.search import mapping, outbox
    from casework.search.elasticsearch import CHUNK, ElasticsearchSearch
    from config.settings import get_settings

    fill(cases)
    url = get_settings().elasticsearch_url.get_secret_value()
    ids = list(Case.objects.order_by("pk").values_list("pk", flat=True))
    documents = [mapping.document(case) for case in mapping.stored(Case.objects.order_by("pk"))]
    client, server, found = Elasticsearch(url, request_timeout=60), _server(url), dict[str, dict[str, float]]()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        database = psutil.Process(cursor.fetchone()[0])
    for turn in range(rounds):
        for way in WAYS:
            Visible.objects.all().delete()
            outbox.put_all()
            search = ElasticsearchSearch(url, f"{get_settings().search_index}-{turn}-{WAYS.index(way)}")
            search.count()  # makes the index
            began, mine, theirs, kept = time.monotonic(), time.process_time(), _used(server), _used(database)
            if way == "sync":
                search.sync(ids)
            else:
                actions = ({"_index": search.alias, "_id": str(one["id"]), "_source": one} for one in documents)
                helpers.bulk(client, actions, chunk_size=CHUNK)
            one = {"wall": time.monotonic() - began, "client": time.process_time() - mine}
            one["database"] = _used(database) - kept
            if (held := search.count()) != cases:
                raise SystemExit(f"{way}: {held} documents of {cases}")
            one["server"] = _used(server) - theirs  # counting refreshed the index: that is part of the work
            one["bytes"] = client.indices.stats(index=search.alias)["_all"]["total"]["store"]["size_in_bytes"]
            client.indices.delete(index=f"{search.alias}-*")
            least = found.setdefault(way, one)
            found[way] = {part: min(least[part], one[part]) for part in one}
    return found


def _server(url: str) -> psutil.Process:
    from urllib.parse import urlsplit

    pid = listener(urlsplit(url).port or 9200)
    if pid is None:
        raise SystemExit(f"{urlsplit(url).hostname}: its CPU is only seen where it runs on this machine")
    return psutil.Process(pid)


def _used(server: psutil.Process) -> float:
    times = server.cpu_times()
    return float(times.user + times.system)


if __name__ == "__main__":
    typer.run(main)
