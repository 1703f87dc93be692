"""Workers on three hosts, one cut off in the middle of a transaction and joined again: is anything lost or doubled?

python -m benchmarks.split [--captures 6000] [--away 60]

The hosts are network namespaces (root, Linux) with a cable each to the servers; the cable is pulled while a worker
behind it has a transaction open, so that nobody is told. Judged are how long its locks stood in the way of the others,
and the cases at rest against those that the captures must become.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer
from rich.console import Console
from rich.table import Table

from benchmarks import network
from benchmarks.captures import rows
from benchmarks.expected import differences, expected
from benchmarks.supervised import servers_of
from benchmarks.system import WOODPECKER, Installation, installation
from deploy.services import postgres

HOSTS = 3
FIRST = f"{network.SUBNET}.10"
OPEN = f"SELECT count(*) FROM pg_stat_activity WHERE client_addr = '{FIRST}' AND xact_start IS NOT NULL"
DONE = "SELECT coalesce(sum(assessed), 0) FROM casework_dailycount"


def main(
    captures: Annotated[int, typer.Option(help="Captures of the run.")] = 6_000,
    away: Annotated[float, typer.Option(help="Seconds for which a host is cut off.")] = 60,
    state: Annotated[
        Path | None, typer.Option(help="Servers of `deploy.services up --state FILE`, instead of fresh ones.")
    ] = None,
) -> None:
    """Print what differs at rest; exit 1 when anything does, or when locks stood longer than the host was away."""
    with ExitStack() as stack:
        servers = stack.enter_context(servers_of(state))
        ports = {name: urlsplit(address).port or 0 for name, address in servers.addresses.items()}
        made = stack.enter_context(network.hosts(HOSTS, [ports[name] for name in ("BROKER_URL", "ELASTICSEARCH_URL")]))
        postgres.listen(servers.folder / "postgres", f"127.0.0.1,{network.SUBNET}.1", f"{network.SUBNET}.0/24")
        servers.kill("postgres", 0.0)
        servers.wait()
        addresses = {
            f"WOODPECKER_{name}": address.replace("127.0.0.1", f"{network.SUBNET}.1")
            for name, address in servers.addresses.items()
        }
        here = stack.enter_context(installation("services", addresses))
        here.environment |= {"WOODPECKER_LOST_SECONDS": "15", "WOODPECKER_BATCH_SIZE": "100"}
        file = here.folder / "captures.jsonl"
        file.write_text(
            "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows(captures, one_in=2)), "utf-8"
        )
        wanted = expected(here, [file])
        if here.run("ingest", str(file)).returncode:
            raise SystemExit("ingest failed")
        for host in made:
            log = stack.enter_context((here.folder / f"{host.name}.log").open("ab"))
            command = host.command([*WOODPECKER, "work"])
            here.workers.append(subprocess.Popen(command, env=here.environment, stdout=log, stderr=log))
        _wait(here, f"SELECT ({DONE}) > {captures // 20} AND ({OPEN}) > 0", 600)
        made[0].pull()
        cut, before = time.monotonic(), here.query(DONE)[0][0]
        freed = _gone(here, away)
        meanwhile = here.query(DONE)[0][0] - before
        while time.monotonic() < cut + away:
            time.sleep(0.2)
        made[0].plug()
        here.rest(within=900)
        found = differences(here, wanted)
        here.stop_workers()
    table = Table(title=f"{captures} captures, {HOSTS} hosts, one cut off for {away:.0f} s")
    table.add_column("at rest")
    table.add_column("count", justify="right")
    table.add_row("seconds until its open transaction was given up", f"{freed:.0f}" if freed < away else "never")
    table.add_row("captures that the others assessed until then", str(meanwhile))
    for name, count in found.items():
        table.add_row(name, str(count))
    Console().print(table)
    sys.exit(any(found.values()) or freed >= away)


def _wait(here: Installation, question: str, within: float) -> None:
    deadline = time.monotonic() + within
    while here.query(question) != [(True,)]:
        if time.monotonic() > deadline:
            raise TimeoutError(question)


def _gone(here: Installation, within: float) -> float:
    """Return after how many seconds the host that was cut off holds no transaction any more."""
    began = time.monotonic()
    while here.query(OPEN) != [(0,)]:
        if time.monotonic() > began + within:
            return within
        time.sleep(0.5)
    return time.monotonic() - began


if __name__ == "__main__":
    typer.run(main)
