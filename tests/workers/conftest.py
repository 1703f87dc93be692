"""The broker of these tests: a folder, whose messages can be read."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from config.settings import get_settings
from workers import tasks  # noqa: F401 - connects the tasks to casework's signals


@dataclass(frozen=True)
class Message:
    """One task in the broker: its name, its arguments, and every byte of it."""

    task: str
    arguments: list[Any]
    raw: str


@pytest.fixture
def messages() -> Callable[[], list[Message]]:
    """Give what reads the messages that have been sent since the test began, oldest first."""
    folder = get_settings().path("broker", "messages")
    lose_messages()
    return lambda: [_message(path) for path in sorted(folder.glob("*.msg"))]


def lose_messages() -> None:
    """Empty the broker."""
    for path in get_settings().path("broker", "messages").glob("*.msg"):
        path.unlink()


def _message(path: Path) -> Message:
    raw = path.read_text("utf-8")
    content = json.loads(raw)
    body = base64.b64decode(content["body"]).decode()
    return Message(content["headers"]["task"], json.loads(body)[0], raw + body)
