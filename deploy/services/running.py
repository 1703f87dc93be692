"""Which servers run, where, and how one of them is killed and started again."""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from types import ModuleType

from deploy.services import elasticsearch, postgres, rabbitmq, redis, system

ROOT = Path(__file__).resolve().parents[2]
STATE = ROOT / "var" / "services.json"
SETTINGS = ("DATABASE_URL", "BROKER_URL", "ELASTICSEARCH_URL")
NODES = ("elasticsearch", "elasticsearch-two", "elasticsearch-three")
_MODULES: dict[str, ModuleType] = {
    "postgres": postgres,
    "redis": redis,
    "rabbitmq": rabbitmq,
    "elasticsearch": elasticsearch,
}


class NotNoted(Exception):
    """A file does not tell of servers as `note` writes it; says what was found."""


@dataclass
class Server:
    """One server: what it is, where it lives and listens, and its process while it runs."""

    name: str
    folder: str
    port: int
    password: str
    pid: int = 0

    @property
    def address(self) -> str:
        """How to reach it."""
        return str(self._module.address(self.port, self.password))

    def serve(self) -> None:
        """Start it, with the data that it has.

        Raises:
            CannotStart: it does not answer.
        """
        self.pid = self._module.serve(Path(self.folder), self.port, self.password)

    def kill(self) -> None:
        """End it outright, as a crash would; its data stays."""
        system.kill(self.pid)

    @property
    def _module(self) -> ModuleType:
        return _MODULES[self.name.partition("-")[0]]


def up(
    state: Path = STATE, ports: Mapping[str, int] | None = None, *, nodes: int = 1, broker: str = "redis"
) -> dict[str, str]:
    """Start the servers that do not run; return setting → address.

    Args:
        state: file in which they are noted.
        ports: server → port; a free one for those that are not named.
        nodes: of Elasticsearch, 1 to 3; their addresses are then a list, separated by commas.
        broker: `redis` or `rabbitmq`.

    Raises:
        CannotStart: one of them could not be started; those that were are noted and `down` stops them.
        NotNoted: as `noted`.
    """
    if state.exists():
        found = addresses(state)
        system.say(f"services run already ({state}); `make services-down` stops them")
        return found
    folder = folder_of(state)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o711, exist_ok=True)
    system.ensure_user()
    word, chosen = secrets.token_hex(16), ports or {}
    servers = [
        Server(name, str(folder / name), chosen.get(name) or system.free_port(), word)
        for name in ("postgres", broker, *NODES[:nodes])
    ]
    peers = {name: system.free_port() for name in NODES[:nodes]} if nodes > 1 else {}

    def run(server: Server) -> None:
        if server.name in NODES:
            elasticsearch.make(Path(server.folder), word, server.name, peers)
        else:
            _MODULES[server.name].make(Path(server.folder), word)
        server.serve()
        system.say(f"{server.name} is up")

    try:
        with ThreadPoolExecutor(len(servers)) as pool:
            list(pool.map(run, servers))
    finally:
        note(state, servers)
    return addresses(state)


def addresses(state: Path = STATE) -> dict[str, str]:
    """Return setting → address of the servers that are noted in a file."""
    by_kind: dict[str, list[str]] = {}
    for server in noted(state):
        by_kind.setdefault(server.name.partition("-")[0], []).append(server.address)
    database, broker, search = (",".join(found) for found in by_kind.values())
    return dict(zip(SETTINGS, (database, broker, search), strict=True))


def noted(state: Path = STATE) -> list[Server]:
    """Return the servers that are noted in a file.

    Raises:
        NotNoted: another version wrote it, or something else.
    """
    try:
        return [Server(**one) for one in json.loads(state.read_text("utf-8"))["servers"]]
    except (ValueError, KeyError, TypeError) as error:
        raise NotNoted(
            f"{state}: found no servers as this version notes them ({type(error).__name__}: {error}); "
            "call `down` of the version that wrote it, or end the processes that it names and remove it"
        ) from error


def folder_of(state: Path) -> Path:
    """Return where the servers of a file have their data."""
    return Path(tempfile.gettempdir()) / f"woodpecker-{hashlib.sha256(str(state).encode()).hexdigest()[:12]}"


def note(state: Path, servers: Sequence[Server]) -> None:
    """Write servers into a file, so that `down` finds their processes."""
    state.parent.mkdir(parents=True, exist_ok=True)
    state.touch(mode=0o600)
    state.write_text(json.dumps({"servers": [asdict(one) for one in servers]}), "utf-8")


def down(state: Path = STATE) -> None:
    """Stop the servers and throw their data away; nothing happens when none runs.

    Raises:
        NotNoted: as `noted`; nothing was stopped.
    """
    if not state.exists():
        return
    servers = noted(state)
    for server in servers:
        if server.pid:
            system.stop(server.pid)
            system.say(f"{server.name} is down")
    shutil.rmtree(Path(servers[0].folder).parent, ignore_errors=True)
    state.unlink()
