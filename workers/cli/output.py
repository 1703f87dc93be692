"""How every command speaks: people read stderr and stdout, machines read the last line of stdout under `--json`."""

from __future__ import annotations

import json
import sys
from enum import IntEnum
from typing import Annotated, Any, NoReturn
from urllib.parse import urlsplit

import typer
from rich.console import Console

console = Console(highlight=False)
errors = Console(stderr=True, highlight=False)

Json = Annotated[bool, typer.Option("--json", help="Print a machine-readable summary as the last line of stdout.")]


class Exit(IntEnum):
    """Exit codes of every command."""

    DONE = 0
    FAILED = 1
    WRONG_INPUT = 2
    PARTLY = 3


def summary(values: dict[str, Any]) -> None:
    """Print one JSON object as the last line of stdout."""
    sys.stdout.write(json.dumps(values, ensure_ascii=False, default=str) + "\n")
    sys.stdout.flush()


def complain(message: str) -> None:
    """Tell a person on stderr what is wrong; square brackets are printed as they are."""
    errors.print(message, markup=False, soft_wrap=True)


def leave(code: Exit, message: str, *, as_json: bool = False, **values: Any) -> NoReturn:
    """Complain and end with `code`; with `as_json` a machine gets `{"error": message, …}` too."""
    complain(message)
    if as_json:
        summary({"error": message, **values})
    raise typer.Exit(int(code))


def whole_address(name: str, value: str, *, as_json: bool = False) -> None:
    """Leave with a clear error unless a value is a whole http or https address."""
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        leave(Exit.WRONG_INPUT, f"{name}: found {value!r}; allowed: a whole http or https address", as_json=as_json)
