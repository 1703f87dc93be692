"""The broker of embedded mode: kombu's folder transport with messages that appear and are taken atomically.

Kombu writes a message, and the table of which queues there are, into the very file that another process may be
reading, and moves messages through the system's temporary folder, possibly another disk. That loses messages when
processes are killed or merely start together.
"""

from __future__ import annotations

import os
import time
import uuid
from contextlib import suppress
from pathlib import Path
from queue import Empty
from typing import Any

from kombu.transport import TRANSPORT_ALIASES, filesystem
from kombu.utils.json import dumps, loads
from kombu.utils.scheduling import FairCycle


class Channel(filesystem.Channel):
    """A folder in which each message is one file, named by time so that the oldest goes first."""

    supports_fanout = False

    def _queue_bind(self, exchange: str, routing_key: str, pattern: str | None, queue: str) -> None:
        """Nothing to keep: a queue is named by its routing key, so no table to race for."""

    def _lookup(self, exchange: str, routing_key: str, default: str | None = None) -> list[str]:
        return [routing_key]

    def _put(self, queue: str, payload: dict[str, Any], **_options: Any) -> None:  # type: ignore[override]
        folder = Path(self.data_folder_out)
        name = f"{time.time_ns():020d}-{uuid.uuid4().hex}.{queue}"
        hidden = folder / f"{name}.part"
        hidden.write_text(dumps(payload), "utf-8")
        hidden.rename(folder / f"{name}.msg")

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        for path in self._waiting(queue):
            taken = path.with_suffix(".taken")
            try:
                path.rename(taken)  # of several consumers only one succeeds
                content = taken.read_text("utf-8")
                taken.unlink()
            except FileNotFoundError:
                continue
            return loads(content)
        raise Empty()

    def _reset_cycle(self) -> None:
        self._cycle = InOrder(self._get_and_deliver, self._active_queues, Empty)

    def _size(self, queue: str) -> int:
        return len(self._waiting(queue))

    def _purge(self, queue: str) -> int:
        waiting = self._waiting(queue)
        for path in waiting:
            path.unlink(missing_ok=True)
        return len(waiting)

    def _waiting(self, queue: str) -> list[Path]:
        ending = f".{queue}.msg"
        with os.scandir(self.data_folder_in) as entries:
            return sorted(Path(entry.path) for entry in entries if entry.name.endswith(ending))


class InOrder(FairCycle):
    """Asks the queues in the order of their names every time, where kombu's own cycle takes them in turn."""

    def get(self, callback: Any, **options: Any) -> Any:
        """Take one message from the first queue that has any."""
        for queue in sorted(self.resources):
            with suppress(self.predicate):
                return self.fun(queue, callback, **options)
        raise self.predicate()


class Transport(filesystem.Transport):
    """Kombu's folder transport over our channel."""

    Channel = Channel


def register() -> None:
    """Make `folder://` known to kombu."""
    TRANSPORT_ALIASES["folder"] = f"{__name__}:Transport"
