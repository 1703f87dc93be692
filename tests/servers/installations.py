"""Whole installations, in both modes, each with a data folder, a database and an index of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest

ROOT = Path(__file__).resolve().parents[2]
WOODPECKER = [sys.executable, "-m", "workers"]
KEY = "only-for-tests-" + "k" * 40


@dataclass
class Installation:
    """The environment of one installation, and what runs in it."""

    mode: str
    folder: Path
    environment: dict[str, str]
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def run(self, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run one `woodpecker` command to its end."""
        options = {"capture_output": True, "text": True, "timeout": 120} | options
        return subprocess.run([*WOODPECKER, *arguments], env=self.environment, cwd=ROOT, check=False, **options)

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start a `woodpecker` command that goes on; its output goes to a log in the folder."""
        with (self.folder / f"{arguments[0]}.log").open("ab") as log:
            process = subprocess.Popen(
                [*WOODPECKER, *arguments], env=self.environment, cwd=ROOT, stdout=log, stderr=log
            )
        self.running.append(process)
        return process

    def log(self, command: str) -> str:
        """Return what a started command has said."""
        return (self.folder / f"{command}.log").read_text("utf-8", "replace")

    def status(self) -> dict[str, Any]:
        """Return `woodpecker status --json`."""
        done = self.run("status", "--json")
        assert done.returncode == 0, done.stderr
        return dict(json.loads(done.stdout.splitlines()[-1]))

    def until(self, ready: Callable[[dict[str, Any]], bool], seconds: float = 120) -> dict[str, Any]:
        """Wait until the status is as wanted and return it."""
        deadline = time.monotonic() + seconds
        status: dict[str, Any] = {}
        while time.monotonic() < deadline:
            for status in self._looks(deadline):
                if ready(status):
                    return status
        raise TimeoutError(f"not within {seconds:.0f} s: {status}")

    def _looks(self, deadline: float) -> Iterator[dict[str, Any]]:
        """Yield the status twice a second from one process: to start it takes longer than what is waited for. It
        ends when the time is up, or when the database cannot be read."""
        command = [*WOODPECKER, "status", "--watch", "--json", "--every", "0.5"]
        with subprocess.Popen(
            command, env=self.environment, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        ) as watcher:
            assert watcher.stdout
            try:
                for line in watcher.stdout:
                    looked = json.loads(line)
                    if "error" not in looked:
                        yield dict(looked)
                    if time.monotonic() > deadline:
                        return
            finally:
                watcher.kill()

    def rest(self, seconds: float = 120) -> dict[str, Any]:
        """Wait until nothing is under way and return the status then."""
        return self.until(lambda status: status["inbox"] == 0 and status["search"]["behind"] == 0, seconds)

    def stop(self) -> None:
        """End everything that was started."""
        for process in self.running:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self.running:
            try:
                process.wait(40)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.running.clear()


@pytest.fixture
def install(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Callable[[str], Installation]]:
    """Make an installation in `embedded` or `services` mode."""
    made: list[tuple[Installation, Callable[[], None]]] = []

    def make(mode: str, **settings: str) -> Installation:
        folder = tmp_path / f"{mode}-{len(made)}"
        folder.mkdir()
        environment = {name: value for name, value in os.environ.items() if not name.startswith("WOODPECKER_")}
        environment |= {"WOODPECKER_DATA_DIR": str(folder / "data"), "WOODPECKER_SWEEP_SECONDS": "2"}
        forget: Callable[[], None] = lambda: None  # noqa: E731
        if mode == "services":
            forget = _own(environment, request.getfixturevalue("services"))
        environment |= {f"WOODPECKER_{name.upper()}": value for name, value in settings.items()}
        installation = Installation(mode, folder, environment)
        made.append((installation, forget))
        return installation

    yield make
    for installation, forget in made:
        installation.stop()
        forget()


def _own(environment: dict[str, str], services: dict[str, str]) -> Callable[[], None]:
    """Give an installation a database, a Redis number and an index that no other has; return what drops them."""
    import psycopg
    import redis
    from elasticsearch import Elasticsearch

    name = f"test_{uuid.uuid4().hex[:12]}"
    server = urlsplit(services["DATABASE_URL"])
    with psycopg.connect(services["DATABASE_URL"], autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    index = f"cases-{name.replace('_', '-')}"
    numbers = redis.Redis.from_url(services["BROKER_URL"])
    number = next((n for n in range(1, 16) if numbers.set(f"number-{n}", name, nx=True, ex=3600)), None)
    assert number, "the broker's 15 numbers are taken; those of a run that was killed come free after an hour"
    broker = urlunsplit(urlsplit(services["BROKER_URL"])._replace(path=f"/{number}"))
    environment |= {
        "WOODPECKER_DATABASE_URL": urlunsplit(server._replace(path=f"/{name}")),
        "WOODPECKER_BROKER_URL": broker,
        "WOODPECKER_ELASTICSEARCH_URL": services["ELASTICSEARCH_URL"],
        "WOODPECKER_SEARCH_INDEX": index,
        "WOODPECKER_SECRET_KEY": KEY,
    }

    def forget() -> None:
        with psycopg.connect(services["DATABASE_URL"], autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        with Elasticsearch(services["ELASTICSEARCH_URL"]) as client:
            client.indices.delete(index=f"{index}-*", ignore_unavailable=True)
        redis.Redis.from_url(broker).flushdb()
        numbers.delete(f"number-{number}")

    return forget
