"""Three nodes of Elasticsearch, of which the master is killed during indexing and during a rebuild: is anything lost?

python -m benchmarks.search_nodes [--cases 4000]

Every capture is a hit. The master is killed with -9 when a third of the cases are indexed, and its successor when the
fresh index of a rebuild begins to be filled; each comes back after a while. A rebuild that fails is run again. Judged
is the index, document by document, against the database.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Annotated

import typer
from elasticsearch import ApiError, Elasticsearch, TransportError
from rich.console import Console
from rich.table import Table

from benchmarks.captures import rows
from benchmarks.expected import differences, expected
from benchmarks.supervised import Servers, servers_of
from benchmarks.system import WOODPECKER, Installation, installation

INDEXED = "SELECT count(*) FROM casework_visible"


def main(
    cases: Annotated[int, typer.Option(help="Captures, each of which becomes a case.")] = 4_000,
    away: Annotated[float, typer.Option(help="Seconds before a node that was killed is started again.")] = 10,
    state: Annotated[
        Path | None,
        typer.Option(help="Servers of `deploy.services up --nodes 3 --state FILE`, instead of fresh ones."),
    ] = None,
) -> None:
    """Print what became of both; exit 1 when the index differs from the database."""
    table = Table(title=f"{cases} cases, three nodes, the master killed with -9 and away for {away:.0f} s")
    for column in ("during", "killed", "s until another is master", "runs", "documents", "differences"):
        table.add_column(column, justify="left" if column in {"during", "killed"} else "right")
    with ExitStack() as stack:
        servers = stack.enter_context(servers_of(state, nodes=3))
        addresses = {f"WOODPECKER_{name}": address for name, address in servers.addresses.items()}
        here = stack.enter_context(installation("services", addresses))
        here.environment |= {"WOODPECKER_BATCH_SIZE": "100", "WOODPECKER_LOST_SECONDS": "15"}
        client = stack.enter_context(Elasticsearch(addresses["WOODPECKER_ELASTICSEARCH_URL"].split(",")))
        file = here.folder / "captures.jsonl"
        file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows(cases, one_in=1)), "utf-8")
        wanted = expected(here, [file])
        here.run("ingest", str(file))
        here.start_workers(1)
        while here.query(INDEXED)[0][0] < len(wanted.cases) // 3:
            time.sleep(0.2)
        killed, seconds = _kill_master(client, servers, away)
        here.rest(within=900)
        found = [differences(here, wanted)]
        table.add_row("indexing", killed, f"{seconds:.1f}", "", str(len(wanted.cases)), str(sum(found[0].values())))
        servers.wait()
        killed, seconds, runs = _rebuild(here, client, servers, away)
        here.rest(within=900)
        found.append(differences(here, wanted))
        documents = here.status()["search"]["documents"]
        table.add_row("a rebuild", killed, f"{seconds:.1f}", str(runs), str(documents), str(sum(found[1].values())))
        here.stop_workers()
    Console(width=110).print(table)
    print(*({name: n for name, n in one.items() if n} for one in found))
    sys.exit(any(sum(one.values()) for one in found))


def _rebuild(here: Installation, client: Elasticsearch, servers: Servers, away: float) -> tuple[str, float, int]:
    """Rebuild the index, kill the master meanwhile, and rebuild again until it is done."""
    alias = here.environment["WOODPECKER_SEARCH_INDEX"]
    before = set(client.indices.get(index=f"{alias}-v*"))
    rebuild = subprocess.Popen([*WOODPECKER, "reindex"], env=here.environment)
    while not set(client.indices.get(index=f"{alias}-v*")) - before:
        if rebuild.poll() is not None:
            raise SystemExit("the rebuild ended before the master could be killed: take more cases")
        time.sleep(0.02)
    killed, seconds = _kill_master(client, servers, away)
    runs = 1
    while rebuild.wait():
        time.sleep(2)
        rebuild = subprocess.Popen([*WOODPECKER, "reindex"], env=here.environment)
        runs += 1
    return killed, seconds, runs


def _kill_master(client: Elasticsearch, servers: Servers, away: float) -> tuple[str, float]:
    """Kill the master outright; return its name and the seconds until another was elected."""
    master = _master(client)
    servers.kill(master, away)
    began = time.monotonic()
    while True:
        with suppress(ApiError, TransportError):
            if _master(client) != master:
                return master, time.monotonic() - began
        time.sleep(0.1)


def _master(client: Elasticsearch) -> str:
    return str(client.cat.master(h="node", format="json")[0]["node"])


if __name__ == "__main__":
    typer.run(main)
