"""Captures appended to a file as JSON Lines, each once, whatever was killed meanwhile."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from types import TracebackType
from typing import IO

from crawlers.capture import Capture

_TAIL_BYTES = 16 * 1024 * 1024
"""How far back a capture may stand that was written but not yet remembered: more than any single page can bring."""
SYNC_SECONDS = 1.0
"""How often what was written is forced onto the disk."""
_LEAD = b'{"id":"'
"""What every line of ours begins with."""


class NotCaptures(Exception):
    """Captures would be mixed with something else."""


class CaptureFile:
    """A file that grows page by page: what was added is in it when `flush` returns.

    A crawl that is killed between the file and its memory reads the last page again; what already stands in the file
    is then not written twice. A line that was cut off by a kill or a full disk is removed.

    Raises:
        NotCaptures: the file holds something else.
        OSError: the file cannot be opened, read or written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        plain = path.is_file() or not path.exists()
        self._file: IO[bytes] = path.open("a+b" if plain else "wb")  # a pipe or a device is only written to
        try:
            self._written = self._mend()
        except BaseException:
            self._file.close()
            raise
        self._waiting: list[Capture] = []
        self._synced = 0.0

    def __enter__(self) -> CaptureFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._file:
            self._file.flush()
            self._sync()

    def add(self, capture: Capture) -> None:
        """Take a capture; it is written by the next `flush`."""
        self._waiting.append(capture)

    def flush(self) -> None:
        """Write what was added; when it returns, it survives a kill, and within a second of crawling a power cut.

        Many sites in one process bring a hundred pages a second: each forced onto the disk would hold up all others.
        """
        fresh = [one for one in self._waiting if one.id not in self._written]
        if fresh:
            self._file.write(b"".join(one.model_dump_json().encode() + b"\n" for one in fresh))
            self._file.flush()
            if time.monotonic() - self._synced >= SYNC_SECONDS:
                self._sync()
        self._waiting.clear()

    def _sync(self) -> None:
        if self._file.readable():  # a pipe or a device cannot be forced
            os.fsync(self._file.fileno())
        self._synced = time.monotonic()

    def _mend(self) -> set[str]:
        """Cut a torn last line off and return the ids of the last captures."""
        if not self._file.readable():
            return set()
        end = self._file.seek(0, os.SEEK_END)
        start = self._file.seek(max(0, end - _TAIL_BYTES))
        lines = self._file.read().splitlines(keepends=True)
        ids = [_id(line) for line in lines]
        torn = [line for line in lines[-1:] if line[: len(_LEAD)] == _LEAD[: len(line)] and not line.endswith(b"\n")]
        # The first line of the tail may be a half, and so may the last.
        if None in ids[start > 0 : len(ids) - len(torn)]:
            raise NotCaptures(f"{self._path} holds something that is no capture; allowed: a new file, or captures")
        if lines and ids[-1] is None:
            self._file.truncate(end - len(lines[-1]))
        elif lines and not lines[-1].endswith(b"\n"):
            self._file.write(b"\n")
        self._file.seek(0, os.SEEK_END)
        return {one for one in ids if one}


def _id(line: bytes) -> str | None:
    try:
        row = json.loads(line)
    except ValueError:
        return None
    found = row.get("id") if isinstance(row, dict) else None
    return found if isinstance(found, str) else None
