"""A Redis with a password, on loopback, that keeps nothing on disk: the database is the truth."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from deploy.services import system


def make(folder: Path, password: str) -> None:
    """Nothing has to stand before it is started."""
    system.need(lambda: system.on_path("redis-server"), "redis-server")


def serve(folder: Path, port: int, password: str) -> int:
    """Start it, empty; return its process id."""
    settings = system.write(
        folder,
        "redis.conf",
        f'bind 127.0.0.1\nport {port}\nrequirepass {password}\nsave ""\nappendonly no\ndir {folder}\n'
        "maxmemory 256mb\nmaxmemory-policy noeviction\n",
    )
    ping = ["redis-cli", "-p", str(port), "--no-auth-warning", "ping"]
    environment = {**os.environ, "REDISCLI_AUTH": password}

    def answers() -> bool:
        return b"PONG" in subprocess.run(ping, env=environment, capture_output=True, check=False).stdout

    return system.start(system.unprivileged(["redis-server", str(settings)]), folder / "log", answers, "Redis")


def address(port: int, password: str) -> str:
    """Return how to reach it."""
    return f"redis://:{password}@127.0.0.1:{port}/0"
