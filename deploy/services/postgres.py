"""A PostgreSQL cluster of its own, with a password, on loopback."""

from __future__ import annotations

import subprocess
from pathlib import Path

from deploy.services import system

NAME = "woodpecker"


def start(folder: Path, port: int, password: str) -> tuple[int, str]:
    """Make a cluster and start it; return (process id, address)."""
    programs = system.need(_programs, "postgresql")
    system.hand_over(folder)
    secret = folder / "password"
    secret.write_text(password, "utf-8")
    system.hand_over(folder)
    data, log = folder / "data", folder / "log"
    make = [
        str(programs / "initdb"), "--pgdata", str(data), "--username", NAME, "--pwfile", str(secret),
        "--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync",
    ]  # fmt: skip
    made = subprocess.run(system.unprivileged(make), capture_output=True, text=True, check=False, cwd="/")
    if made.returncode:
        raise system.CannotStart(f"initdb failed: {made.stderr.strip()}")
    serve = [
        str(programs / "postgres"), "-D", str(data), "-p", str(port), "-k", str(folder),
        "-c", "listen_addresses=127.0.0.1", "-c", "max_connections=200", "-c", "fsync=off",
        "-c", "synchronous_commit=off", "-c", "full_page_writes=off", "-c", "shared_buffers=256MB",
    ]  # fmt: skip
    pid = system.start(system.unprivileged(serve), log)
    environment = {"PGPASSWORD": password}
    ask = [str(programs / "psql"), "-h", "127.0.0.1", "-p", str(port), "-U", NAME, "-d", "postgres", "-c"]

    def answers(statement: str) -> bool:
        command = system.unprivileged([*ask, statement], environment)
        return subprocess.run(command, capture_output=True, check=False, cwd="/").returncode == 0

    system.wait(lambda: answers("SELECT 1"), "PostgreSQL", log)
    if not answers(f"CREATE DATABASE {NAME}"):
        raise system.CannotStart("PostgreSQL: the database could not be created")
    return pid, f"postgresql://{NAME}:{password}@127.0.0.1:{port}/{NAME}"


def _programs() -> Path | None:
    """Return the folder of the newest version's programs; Debian keeps them off the search path."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[4]))
    if found:
        return found[-1].parent
    beside = system.on_path("initdb")
    return beside.resolve().parent if beside else None
