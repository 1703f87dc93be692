"""What can befall the machine underneath: a disk that fills up, and a clock that is set wrong."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import libfaketime
import typer

from benchmarks.supervised import Servers
from benchmarks.system import Installation

LOOK_SECONDS = 0.1
SIZE = "3g"
"""Room for the servers' data, which are some hundred megabytes, and for the messages that PostgreSQL sets aside."""


class Disk:
    """A file system of its own on which everything lies that is written, and which can be filled to its last byte."""

    def __init__(self, folder: Path) -> None:
        self._filler = folder / "filler"
        self._thread: threading.Thread | None = None

    def fill(self, seconds: float) -> None:
        """Leave no room for so many seconds, whatever is deleted meanwhile; returns at once."""
        self._thread = threading.Thread(target=self._hold, args=(seconds,), daemon=True)
        self._thread.start()

    def wait(self) -> None:
        """Wait until there is room again."""
        if self._thread is not None:
            self._thread.join()

    def _hold(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        with self._filler.open("wb") as filler:
            while time.monotonic() < until:
                _take_what_is_left(filler.fileno())
                time.sleep(LOOK_SECONDS)
        self._filler.unlink()


def _take_what_is_left(descriptor: int) -> None:
    while True:
        found = os.fstatvfs(descriptor)
        if not found.f_bavail:
            return
        try:
            os.posix_fallocate(descriptor, os.fstat(descriptor).st_size, found.f_bavail * found.f_frsize)
        except OSError as error:  # somebody else was quicker
            if error.errno != errno.ENOSPC:
                raise
            os.posix_fallocate(descriptor, os.fstat(descriptor).st_size, found.f_frsize)


@contextmanager
def small_disk() -> Iterator[Disk]:
    """Give a disk of limited size, in memory, on which all temporary folders of this process lie from now on.

    Raises:
        typer.BadParameter: file systems cannot be mounted here.
    """
    before = tempfile.tempdir
    with tempfile.TemporaryDirectory(prefix="woodpecker-disk-", ignore_cleanup_errors=True) as name:
        mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=755", "tmpfs", name]
        done = subprocess.run(mount, capture_output=True, text=True, check=False)
        if done.returncode:
            raise typer.BadParameter(f"needs to mount a small file system: {done.stderr.strip()}")
        try:
            tempfile.tempdir = name
            yield Disk(Path(name))
        finally:
            tempfile.tempdir = before
            subprocess.run(["umount", "--lazy", name], check=True)


class Clock:
    """The clock of every process that is started with its environment; a file says how far it is wrong.

    The time of day alone is wrong, as when an administrator sets it: timeouts are counted by another clock.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self.set(0)

    @property
    def environment(self) -> Mapping[str, str]:
        """What a process needs to follow this clock; it looks at the file once a second."""
        _needed, found = libfaketime.get_reload_information()
        return found | {
            "FAKETIME_NO_CACHE": "0",
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
        }

    def set(self, seconds: float) -> None:
        """Set it so many seconds ahead of the true time."""
        fresh = self._file.with_suffix(".new")
        fresh.write_text(f"{seconds:+.0f}\n", "ascii")
        fresh.rename(self._file)


@dataclass
class Outages:
    """What befalls an installation besides being killed: once half-way, and a wrong clock in the middle third.

    Attributes:
        servers: its servers.
        elasticsearch_away: seconds.
        flush_redis: whether its broker is emptied.
        disk: where everything lies, when it is to be full.
        disk_full: seconds.
        clock_ahead: seconds by which the clock is wrong; 0: it stays right.
    """

    servers: Servers
    elasticsearch_away: float = 0
    flush_redis: bool = False
    disk: Disk | None = None
    disk_full: float = 0
    clock_ahead: float = 0
    _clock: Clock | None = None
    _broker: str = ""
    _to_come: list[tuple[float, str]] = field(default_factory=list)

    def prepare(self, here: Installation) -> None:
        """Let every process that starts from now on follow the clock that will be wrong."""
        self._broker = here.environment.get("WOODPECKER_BROKER_URL", "")
        if self.clock_ahead:
            self._clock = Clock(here.folder / "clock")
            here.environment |= self._clock.environment
            self._to_come += [(1 / 3, "clock wrong"), (2 / 3, "clock right")]
        if self.flush_redis or self.elasticsearch_away or self.disk:
            self._to_come.append((1 / 2, "outages"))
        self._to_come.sort()

    def by_true_clock(self, here: Installation) -> Installation:
        """Return the installation for what follows the true clock all the time: a crawl.

        It would wait until the hour is over: nobody can tell a pause that a wrong clock noted from one that the site
        asked for, and a site is never asked too early.
        """
        wrong = self._clock.environment if self._clock else {}
        return replace(here, environment={name: one for name, one in here.environment.items() if name not in wrong})

    def come(self, share: float) -> None:
        """Let come what is due after this share of the load."""
        while self._to_come and self._to_come[0][0] <= share:
            what = self._to_come.pop(0)[1]
            print(what, file=sys.stderr, flush=True)
            if what == "outages":
                self._half_way()
            elif self._clock:
                self._clock.set(self.clock_ahead if what == "clock wrong" else 0)

    def _half_way(self) -> None:
        if self.flush_redis:
            self.servers.flush(self._broker)
        if self.elasticsearch_away:
            self.servers.kill("elasticsearch", self.elasticsearch_away)
        if self.disk:
            self.disk.fill(self.disk_full)

    def wait(self) -> None:
        """Let come what has not come, and wait until there is room again."""
        self.come(1)
        if self.disk:
            self.disk.wait()
