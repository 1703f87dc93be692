"""A Redis with a password, on loopback, that keeps nothing on disk: the database is the truth."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from deploy.services import system


def make(folder: Path, password: str) -> None:
    """Nothing has to stand before it is started."""
    system.need(lambda: system.on_path("redis-server"), "redis-server")
    system.hand_over(folder)


def serve(folder: Path, port: int, password: str) -> int:
    """Start it, empty; return its process id."""
    settings, log = folder / "redis.conf", folder / "log"
    settings.write_text(
        f'bind 127.0.0.1\nport {port}\nrequirepass {password}\nsave ""\nappendonly no\ndir {folder}\n'
        "maxmemory 256mb\nmaxmemory-policy noeviction\n",
        "utf-8",
    )
    system.hand_over(folder)
    pid = system.start(system.unprivileged(["redis-server", str(settings)]), log)
    ping = ["redis-cli", "-p", str(port), "--no-auth-warning", "ping"]
    environment = {**os.environ, "REDISCLI_AUTH": password}

    def answers() -> bool:
        return b"PONG" in subprocess.run(ping, env=environment, capture_output=True, check=False).stdout

    system.wait(answers, "Redis", log)
    return pid


def address(port: int, password: str) -> str:
    """Return how to reach it."""
    return f"redis://:{password}@127.0.0.1:{port}/0"
