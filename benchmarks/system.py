"""A whole installation for one run: its own data folder, and in services mode its own database and index."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

WOODPECKER = [sys.executable, "-m", "workers"]
SERVICES = ("WOODPECKER_DATABASE_URL", "WOODPECKER_BROKER_URL", "WOODPECKER_ELASTICSEARCH_URL")


@dataclass
class Installation:
    """Environment and folder of one installation, and the `work` processes that run in it."""

    folder: Path
    environment: dict[str, str]
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def run(self, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run one `woodpecker` command to its end."""
        return subprocess.run(
            [*WOODPECKER, *arguments], env=self.environment, capture_output=True, text=True, check=False, **options
        )

    def status(self) -> dict[str, Any]:
        """Return `woodpecker status --json`."""
        done = self.run("status", "--json")
        if done.returncode:
            raise RuntimeError(done.stderr)
        return dict(json.loads(done.stdout.splitlines()[-1]))

    def start_workers(self, count: int) -> None:
        """Start `count` processes of `woodpecker work`."""
        for _ in range(count):
            log = (self.folder / "work.log").open("ab")
            self.workers.append(subprocess.Popen([*WOODPECKER, "work"], env=self.environment, stdout=log, stderr=log))

    def stop_workers(self) -> None:
        """End the `work` processes politely."""
        for worker in self.workers:
            worker.terminate()
        for worker in self.workers:
            worker.wait(60)
        self.workers.clear()

    def rest(self, *, within: float = 600) -> dict[str, Any]:
        """Wait until nothing is under way and return the status then."""
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            status = self.status()
            if status["inbox"] == 0 and status["search"]["behind"] == 0:
                return status
            time.sleep(1)
        raise TimeoutError(f"not at rest after {within} s: {status}")

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        """Ask this installation's database outright: a `woodpecker` command takes longer to start than to answer."""
        address = self.environment.get("WOODPECKER_DATABASE_URL", "")
        if address:
            import psycopg

            with psycopg.connect(address) as server:
                return server.execute(statement).fetchall()
        with contextlib.closing(sqlite3.connect(self.folder / "woodpecker.sqlite3", timeout=30)) as file:
            return file.execute(statement).fetchall()

    def settle(self, *, within: float = 600) -> None:
        """Wait until the inbox is empty and the search has every case, looking five times a second."""
        deadline = time.monotonic() + within
        while True:
            ((waiting, behind),) = self.query(
                "SELECT (SELECT count(*) FROM casework_inboxitem), (SELECT count(*) FROM casework_outbox)"
            )
            if not waiting and not behind:
                return
            if time.monotonic() > deadline:
                raise TimeoutError(f"not at rest after {within} s: {waiting} captures wait, {behind} cases are behind")
            time.sleep(0.2)


@contextmanager
def installation(mode: str, servers: Mapping[str, str] | None = None) -> Iterator[Installation]:
    """Give a fresh installation.

    Args:
        mode: `embedded` or `services`.
        servers: setting → address; default: those that the environment names (`make services`).
    """
    with tempfile.TemporaryDirectory(prefix="woodpecker-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        environment = {key: value for key, value in os.environ.items() if key not in SERVICES}
        environment |= {"WOODPECKER_DATA_DIR": name, "WOODPECKER_SWEEP_SECONDS": "5", "WOODPECKER_LOG_LEVEL": "WARNING"}
        drop = None
        if mode == "services":
            drop = _own_database(environment, servers or os.environ)
        here = Installation(folder, environment)
        try:
            yield here
        finally:
            for worker in here.workers:
                worker.kill()
                worker.wait()
            if drop:
                drop()


def _own_database(environment: dict[str, str], servers: Mapping[str, str]) -> Callable[[], None]:
    import psycopg
    from elasticsearch import Elasticsearch

    missing = [key for key in SERVICES if not servers.get(key)]
    if missing:
        sys.exit(f'services mode needs {", ".join(missing)}; run: eval "$(make services)"')
    name = f"run_{uuid.uuid4().hex[:12]}"
    server = servers["WOODPECKER_DATABASE_URL"]
    parts = urlsplit(server)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    broker = urlsplit(servers["WOODPECKER_BROKER_URL"])
    environment |= {
        "WOODPECKER_DATABASE_URL": urlunsplit(parts._replace(path=f"/{name}")),
        "WOODPECKER_BROKER_URL": urlunsplit(broker._replace(path=f"/{int(name[-1], 16) % 15 + 1}")),
        "WOODPECKER_ELASTICSEARCH_URL": servers["WOODPECKER_ELASTICSEARCH_URL"],
        "WOODPECKER_SEARCH_INDEX": f"cases-{name.replace('_', '-')}",
        "WOODPECKER_SECRET_KEY": uuid.uuid4().hex * 2,
    }

    def drop() -> None:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        with Elasticsearch(environment["WOODPECKER_ELASTICSEARCH_URL"].split(",")) as client:
            client.indices.delete(index=f"{environment['WOODPECKER_SEARCH_INDEX']}-*", ignore_unavailable=True)

    return drop
