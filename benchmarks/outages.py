"""Outages that last: no Elasticsearch, no room on the disk, an emptied broker, a clock that is wrong."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.supervised import Servers
from benchmarks.system import Installation

DISK_MIB = 3000
"""Size of the servers' own disk; it lies in memory and takes what is written."""
LIBRARIES = Path("/usr/lib")
Clock = Callable[[float], None]


def hold(
    here: Installation, servers: Servers, away: float, full: float, flush: bool, clock: Clock | None, step: float
) -> None:
    """Let the outages that are asked for happen, one after the other, and end."""
    if flush:
        servers.flush(here.environment["WOODPECKER_BROKER_URL"])
    if away:
        servers.kill("elasticsearch", away)
    if clock is not None:
        clock(step)
        time.sleep(20)
        clock(0.0)
    if full:
        with _ballast(servers.folder):
            time.sleep(full)
    if away:
        servers.wait()


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """Lay a small disk under a folder while the block runs."""
    folder.mkdir(mode=0o711, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m,mode=711", "tmpfs", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"--disk-full: {done.stderr.strip()}; needed: root, and the right to mount")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextmanager
def _ballast(folder: Path) -> Iterator[None]:
    """Take all room of a disk while the block runs; what is freed meanwhile is taken too."""
    files = folder / "ballast"
    with files.open("wb", buffering=0) as out:
        try:
            while True:
                out.write(b"\0" * 4096 * 256)
        except OSError:
            print("disk full", os.statvfs(folder).f_bavail, "blocks left", flush=True)
    try:
        yield
    finally:
        files.unlink()


def clock(folder: Path) -> tuple[dict[str, str], Clock]:
    """Return the environment under which a clock can be wrong, and what sets it wrong by so many seconds."""
    library = next(LIBRARIES.glob("*/faketime/libfaketime.so.1"), None)
    if library is None:
        raise SystemExit("--clock-step: needed: libfaketime, e.g. apt-get install libfaketime")
    file = folder / "clock"

    def wrong_by(seconds: float) -> None:
        file.write_text(f"{seconds:+.0f}\n", "ascii")

    wrong_by(0)
    return {
        "LD_PRELOAD": str(library),
        "FAKETIME_TIMESTAMP_FILE": str(file),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }, wrong_by
