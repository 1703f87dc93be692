"""Whether the broker answers: asked over a short connection, and not again for some seconds."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from threading import Lock

from kombu import Connection

from config.settings import FOLDER_BROKER, get_settings

TIMEOUT = 1.5
"""Seconds that a broker has to take the connection, and again to answer."""
REMEMBERED = 5.0
"""Seconds for which an answer holds, so that whoever asks often does not open a connection each time."""


@dataclass(frozen=True)
class Answer:
    """What the broker runs on (`folder`, `redis`, `amqp`), and why it does not answer; empty: it does."""

    kind: str
    fault: str = ""


def ask() -> Answer:
    """Ask the broker of this installation; no address or password is told."""
    return _memory.answer(get_settings().effective_broker_url())


class _Memory:
    """The last answer, by address; of several threads that ask at once, one opens a connection."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._url = ""
        self._at = 0.0
        self._answer = Answer("")

    def answer(self, url: str) -> Answer:
        with self._lock:
            if url != self._url or time.monotonic() > self._at + REMEMBERED:
                self._answer = _folder() if url == FOLDER_BROKER else _server(url)
                self._url, self._at = url, time.monotonic()
            return self._answer


_memory = _Memory()


def _folder() -> Answer:
    folder = get_settings().path("broker", "messages")
    # A folder that nothing was ever sent through is made by whoever sends first.
    there = folder if folder.exists() else folder.parent
    return Answer("folder", "" if os.access(there, os.W_OK | os.X_OK) else f"{there} cannot be written")


def _server(url: str) -> Answer:
    kind = url.partition(":")[0]
    short = {"socket_connect_timeout": TIMEOUT, "socket_timeout": TIMEOUT}
    connection = Connection(url, connect_timeout=TIMEOUT, transport_options=short if kind.startswith("redis") else {})
    try:
        # One try for each address: Redis is sent a PING, RabbitMQ shakes hands and checks the password.
        connection.ensure_connection(max_retries=url.count(";"), interval_start=0, interval_step=0)
    except Exception as error:  # each transport has errors of its own, and here all mean the same
        return Answer(kind, type(error.__cause__ or error).__name__)
    finally:
        connection.release()
    return Answer(kind)
