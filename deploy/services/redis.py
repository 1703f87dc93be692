"""A Redis with a password, on loopback, that keeps nothing on disk: the database is the truth."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from deploy.services import system


def start(folder: Path, port: int, password: str) -> tuple[int, str]:
    """Start it; return (process id, address)."""
    server = system.need(lambda: system.on_path("redis-server"), "redis-server")
    system.hand_over(folder)
    settings, log = folder / "redis.conf", folder / "log"
    settings.write_text(
        f'bind 127.0.0.1\nport {port}\nrequirepass {password}\nsave ""\nappendonly no\ndir {folder}\n'
        "maxmemory 256mb\nmaxmemory-policy noeviction\n",
        "utf-8",
    )
    system.hand_over(folder)
    pid = system.start(system.unprivileged([str(server), str(settings)]), log)
    ping = ["redis-cli", "-p", str(port), "--no-auth-warning", "ping"]
    environment = {**os.environ, "REDISCLI_AUTH": password}

    def answers() -> bool:
        return b"PONG" in subprocess.run(ping, env=environment, capture_output=True, check=False).stdout

    system.wait(answers, "Redis", log)
    return pid, f"redis://:{password}@127.0.0.1:{port}/0"
