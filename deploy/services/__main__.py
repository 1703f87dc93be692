"""`python -m deploy.services up|down`: start or stop the three servers."""

from __future__ import annotations

import argparse
import hashlib
import json
import secrets
import shutil
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from deploy.services import elasticsearch, postgres, redis, system

ROOT = Path(__file__).resolve().parents[2]
STATE = ROOT / "var" / "services.json"
SERVERS = {
    "DATABASE_URL": ("postgres", postgres.start),
    "BROKER_URL": ("redis", redis.start),
    "ELASTICSEARCH_URL": ("elasticsearch", elasticsearch.start),
}


def main() -> int:
    """Run the command; return its exit code: 0 done, 1 failed, 2 called wrongly."""
    parser = argparse.ArgumentParser(prog="python -m deploy.services", description=__doc__)
    parser.add_argument("act", choices=("up", "down"))
    for name, _start in SERVERS.values():
        parser.add_argument(f"--{name}-port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--state", type=Path, default=STATE, help="where the addresses and process ids are kept")
    asked = parser.parse_args()
    if asked.act == "down":
        down(asked.state)
        return 0
    try:
        ports = {name: getattr(asked, f"{name}_port") for name, _start in SERVERS.values()}
        for setting, address in up(asked.state, ports).items():
            print(f"export WOODPECKER_{setting}={address}", flush=True)
    except system.CannotStart as error:
        system.say(f"services: {error}")
        down(asked.state)
        return 1
    return 0


def up(state: Path = STATE, ports: dict[str, int] | None = None) -> dict[str, str]:
    """Start the servers that do not run; return setting → address.

    Raises:
        CannotStart: one of them could not be started; those that were are noted and `down` stops them.
    """
    if state.exists():
        running: dict[str, str] = json.loads(state.read_text("utf-8"))["addresses"]
        system.say(f"services run already ({state}); `make services-down` stops them")
        return {setting: running[setting] for setting in SERVERS}
    chosen = ports or {}
    folder = Path(tempfile.gettempdir()) / f"woodpecker-{hashlib.sha256(str(state).encode()).hexdigest()[:12]}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o711)
    system.ensure_user()
    kept: dict[str, dict[str, str]] = {"folder": {"path": str(folder)}, "pids": {}, "addresses": {}}

    def run(setting: str) -> None:
        name, start = SERVERS[setting]
        pid, address = start(folder / name, chosen.get(name) or system.free_port(), secrets.token_hex(16))
        kept["pids"][name], kept["addresses"][setting] = str(pid), address
        system.say(f"{name} is up")

    try:
        with ThreadPoolExecutor() as pool:
            list(pool.map(run, SERVERS))
    finally:
        state.parent.mkdir(parents=True, exist_ok=True)
        state.touch(mode=0o600)
        state.write_text(json.dumps(kept), "utf-8")
    return {setting: kept["addresses"][setting] for setting in SERVERS}


def down(state: Path = STATE) -> None:
    """Stop the servers and throw their data away; nothing happens when none runs."""
    if not state.exists():
        return
    kept = json.loads(state.read_text("utf-8"))
    for name, pid in kept["pids"].items():
        system.stop(int(pid))
        system.say(f"{name} is down")
    shutil.rmtree(kept["folder"]["path"], ignore_errors=True)
    state.unlink()


if __name__ == "__main__":
    sys.exit(main())
