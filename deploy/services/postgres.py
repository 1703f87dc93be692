"""A PostgreSQL cluster of its own, with a password, on loopback."""

from __future__ import annotations

import subprocess
from pathlib import Path

from deploy.services import system

NAME = "woodpecker"
SILENT = ("log_min_error_statement=panic", "log_error_verbosity=terse")
"""Keep the server from noting a statement that failed, and the values that it failed for: they hold texts."""


def make(folder: Path, password: str) -> None:
    """Make an empty cluster in a folder."""
    programs = system.need(_programs, "postgresql")
    secret = system.write(folder, "password", password)
    data = folder / "data"
    command = [
        str(programs / "initdb"), "--pgdata", str(data), "--username", NAME, "--pwfile", str(secret),
        "--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync",
    ]  # fmt: skip
    made = subprocess.run(system.unprivileged(command), capture_output=True, text=True, check=False, cwd="/")
    if made.returncode:
        raise system.CannotStart(f"initdb failed: {made.stderr.strip()}")
    listen(folder, "127.0.0.1")


def listen(folder: Path, addresses: str, network: str = "") -> None:
    """Say on which addresses it listens from its next start on, and which network may come besides this machine."""
    with (folder / "data" / "postgresql.conf").open("a", encoding="utf-8") as settings:
        settings.write(f"listen_addresses = '{addresses}'\n")
    if network:
        with (folder / "data" / "pg_hba.conf").open("a", encoding="utf-8") as doors:
            doors.write(f"host all all {network} scram-sha-256\n")


def serve(folder: Path, port: int, password: str) -> int:
    """Start it, after a kill too; return its process id."""
    programs = system.need(_programs, "postgresql")
    # Without fsync a commit is with the kernel at once: whoever is killed loses nothing, only a power cut would.
    command = [
        str(programs / "postgres"), "-D", str(folder / "data"), "-p", str(port), "-k", str(folder),
        "-c", "max_connections=200", "-c", "fsync=off", "-c", "shared_buffers=256MB",
        *(word for one in SILENT for word in ("-c", one)),
    ]  # fmt: skip
    environment = {"PGPASSWORD": password}
    ask = [str(programs / "psql"), "-h", "127.0.0.1", "-p", str(port), "-U", NAME, "-d"]

    def does(database: str, statement: str) -> bool:
        command = system.unprivileged([*ask, database, "-c", statement], environment)
        return subprocess.run(command, capture_output=True, check=False, cwd="/").returncode == 0

    def answers() -> bool:
        return does(NAME, "SELECT 1") or does("postgres", f"CREATE DATABASE {NAME}")

    return system.start(system.unprivileged(command), folder / "log", answers, "PostgreSQL")


def address(port: int, password: str) -> str:
    """Return how to reach it."""
    return f"postgresql://{NAME}:{password}@127.0.0.1:{port}/{NAME}"


def _programs() -> Path | None:
    """Return the folder of the newest version's programs; Debian keeps them off the search path."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[4]))
    if found:
        return found[-1].parent
    beside = system.on_path("initdb")
    return beside.resolve().parent if beside else None
