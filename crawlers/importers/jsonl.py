"""Captures as JSON Lines: one object a line, UTF-8."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, Literal

from pydantic import ValidationError

from crawlers.capture import Capture

MAX_LINE_BYTES = 256 * 1024
"""Longest line that is read: a capture of 20,000 characters, all escaped, and its other fields."""


@dataclass(frozen=True)
class Problem:
    """Why a row was rejected: where, which field, what was found and what is allowed. Never the text itself.

    `line` counts lines, or the records of an archive, as `counted` says.
    """

    line: int
    field: str
    found: str
    allowed: str
    counted: Literal["line", "record"] = "line"

    def __str__(self) -> str:
        return f"{self.counted} {self.line}, field {self.field}: found {self.found}; allowed: {self.allowed}"


class NotReadable(Exception):
    """A file is not what it is taken for: says what was found and what is allowed. Nothing was read of it."""


Row = Capture | list[Problem]
"""A row as it was read, or what is wrong with it."""


def read(stream: BinaryIO) -> Iterator[tuple[int, Capture | list[Problem]]]:
    """Yield (line number, capture or its problems) for each line that is not blank; never holds a long line."""
    for number, line in _bounded_lines(stream):
        if line is None:
            yield number, [Problem(number, "(line)", f"more than {MAX_LINE_BYTES} bytes", "a shorter line")]
        elif line.strip():
            yield number, _parse(number, line)


def _bounded_lines(stream: BinaryIO) -> Iterator[tuple[int, bytes | None]]:
    number = 0
    while line := stream.readline(MAX_LINE_BYTES + 1):
        number += 1
        if len(line) > MAX_LINE_BYTES and not line.endswith(b"\n"):
            while (rest := stream.readline(MAX_LINE_BYTES)) and not rest.endswith(b"\n"):
                pass
            yield number, None
        else:
            yield number, line


def _parse(number: int, line: bytes) -> Capture | list[Problem]:
    try:
        return Capture.model_validate_json(line)
    except ValidationError:
        return _wrong(number, line)


def _wrong(number: int, line: bytes) -> Capture | list[Problem]:
    """Say what is wrong with a line: read step by step, which takes longer and tells the steps apart."""
    try:
        content = line.decode("utf-8")
    except UnicodeDecodeError as error:
        return [Problem(number, "(line)", f"a byte that is not UTF-8 at offset {error.start}", "UTF-8")]
    try:
        row = json.loads(content)
    except (ValueError, RecursionError) as error:
        return [Problem(number, "(line)", f"not JSON ({_where(error)})", "one JSON object")]
    if not isinstance(row, dict):
        return [Problem(number, "(line)", f"a JSON {type(row).__name__}", "one JSON object")]
    try:
        return Capture.model_validate(row)
    except ValidationError as error:
        return [_problem(number, detail) for detail in error.errors(include_url=False)]


def _where(error: Exception) -> str:
    return f"{error.msg} at column {error.colno}" if isinstance(error, json.JSONDecodeError) else "nested too deeply"


def _problem(number: int, detail: Any) -> Problem:
    """Say what is wrong; a value is quoted only where it cannot be a text that somebody wrote."""
    field = ".".join(str(part) for part in detail["loc"]) or "(row)"
    quotable = field.split(".")[0] in _QUOTABLE
    match detail["type"]:
        case "missing":
            found = "nothing"
        case _ if quotable:
            found = repr(detail["input"])[:120]
        case _:
            found = f"a {type(detail['input']).__name__}"
    return Problem(number, field, found, detail["msg"])


_QUOTABLE = {
    "id", "site", "platform_class", "section", "kind", "published_at", "captured_at", "flags", "method",
    "inclusion_probability", "stratum", "frame", "basis", "position", "crawler",
}  # fmt: skip
