"""The command line in this process, over the test's database."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import structlog
from typer.testing import CliRunner

from workers.cli import build


@dataclass(frozen=True)
class Done:
    """What a command did: its exit code, what it said to machines, and what it said to people."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The last line of stdout."""
        return dict(json.loads(self.out.splitlines()[-1]))


@pytest.fixture
def woodpecker(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Run `woodpecker` with arguments; `stdin` gives it bytes to read."""
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("NO_COLOR", "1")

    def run(*arguments: str, stdin: bytes = b"") -> Done:
        result = CliRunner().invoke(build(), list(arguments), input=stdin)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Done(result.exit_code, result.stdout, result.stderr)

    yield run
    structlog.reset_defaults()  # the command has turned the log to a stream that is closed by now
