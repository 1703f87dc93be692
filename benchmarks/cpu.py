"""CPU seconds of the parts of an installation: unlike seconds on the clock they do not grow when others compute too.

The servers of services mode are told apart by their ports; what another user of the same server does is counted too,
save in PostgreSQL, of which only the connections to this run's database are.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

import psutil

SERVERS = {"WOODPECKER_BROKER_URL": "broker", "WOODPECKER_ELASTICSEARCH_URL": "elasticsearch"}


class Meter:
    """Adds up the CPU time of processes by part, looking twice a second, so that those that end are counted too."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._database = environment.get("WOODPECKER_DATABASE_URL", "")
        self._roots: dict[str, list[int]] = {}
        self._servers: dict[str, int] = {}
        self._first: dict[tuple[str, int], float] = {}
        self._last: dict[tuple[str, int], float] = {}
        self._began = False  # whoever is first seen after the beginning was started since
        for setting, part in SERVERS.items():
            port = urlsplit(environment.get(setting, "").partition(",")[0]).port
            if port and (pid := listener(port)):
                self._servers[part] = pid

    def follow(self, part: str, pid: int) -> None:
        """Count a process and its children as a part."""
        self._roots.setdefault(part, []).append(pid)

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Look again and again while the block runs."""
        ended = threading.Event()
        self._look()
        self._began = True

        def watch() -> None:
            while not ended.wait(0.5):
                self._look()

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            yield
        finally:
            ended.set()
            watcher.join()
            self._look()

    def seconds(self) -> dict[str, float]:
        """Return part → CPU seconds since `running` began."""
        found: dict[str, float] = {}
        for (part, pid), last in self._last.items():
            found[part] = found.get(part, 0.0) + last - self._first[part, pid]
        return found

    def _look(self) -> None:
        for part, pids in self._roots.items():
            for pid in pids:
                for member in _family(pid):
                    self._note(part, member)
        for part, pid in self._servers.items():
            self._note(part, pid)
        for pid in _backends(self._database):
            self._note("postgresql", pid)

    def _note(self, part: str, pid: int) -> None:
        with contextlib.suppress(psutil.Error):
            times = psutil.Process(pid).cpu_times()
            used = times.user + times.system
            self._first.setdefault((part, pid), 0.0 if self._began else used)
            self._last[part, pid] = used


def machine_seconds() -> float:
    """Return the CPU seconds that everybody on this machine has used since it started."""
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - getattr(times, "iowait", 0.0) - getattr(times, "guest", 0.0))


def _family(pid: int) -> list[int]:
    try:
        root = psutil.Process(pid)
        return [pid, *(child.pid for child in root.children(recursive=True))]
    except psutil.Error:
        return []


def listener(port: int) -> int | None:
    """Return the process of this machine that listens at a port, where we may see it."""
    for one in psutil.net_connections("tcp"):
        if one.status == psutil.CONN_LISTEN and one.laddr and one.laddr.port == port:
            return one.pid
    return None


def _backends(database: str) -> list[int]:
    if not database:
        return []
    import psycopg

    parts = urlsplit(database)
    with contextlib.suppress(psycopg.Error), psycopg.connect(database) as connection:
        rows = connection.execute("SELECT pid FROM pg_stat_activity WHERE datname = %s", [parts.path.lstrip("/")])
        return [pid for (pid,) in rows]
    return []
