"""Lines of a stream of any size, and what they must say: `{"id": …, "text": …}`.

A line is never held beyond its limit: the rest of a longer one is read and thrown away.
"""

from __future__ import annotations

import json
import select
from collections.abc import Iterator
from dataclasses import dataclass
from io import UnsupportedOperation
from typing import BinaryIO

LONGEST_LINE = 1_000_000  # bytes
LONGEST_TEXT = 20_000  # code points, as a capture's
_CHUNK = 1 << 16
_PAUSE = 0.01  # seconds without input after which what is there is answered


@dataclass(frozen=True, slots=True)
class Wanted:
    """A line that asks for an assessment."""

    number: int
    id: str | int
    text: str


@dataclass(frozen=True, slots=True)
class Bad:
    """A line that cannot be assessed, and why; the reason quotes none of its text."""

    number: int
    error: str


Line = Wanted | Bad


def read_lines(source: BinaryIO) -> Iterator[tuple[int, bytes | None]]:
    """Yield (line number, its bytes) without line ends; None in place of a line that is too long.

    Also yields (0, b"") where nothing more is ready for now, so that the caller can answer what it has.
    """
    number, held, too_long = 1, b"", False
    read = getattr(source, "read1", source.read)
    while chunk := read(_CHUNK):
        *whole, rest = chunk.split(b"\n")
        for part in whole:
            line = held + part
            yield number, None if too_long or len(line) > LONGEST_LINE else line
            number, held, too_long = number + 1, b"", False
        if too_long or len(held) + len(rest) > LONGEST_LINE:
            held, too_long = b"", True
        else:
            held += rest
        if not _ready(source):
            yield 0, b""
    if held or too_long:
        yield number, None if too_long else held


def _ready(source: BinaryIO) -> bool:
    """Tell whether more can be read without waiting; sources that cannot be asked never make anybody wait."""
    try:
        return bool(select.select([source.fileno()], [], [], _PAUSE)[0])
    except (OSError, UnsupportedOperation, ValueError, AttributeError):
        return True


def parse(number: int, line: bytes | None) -> Line:
    """Read one line; what is wrong with it is said, never raised."""
    if line is None:
        return Bad(number, f"line: found more than {LONGEST_LINE} bytes; allowed: at most {LONGEST_LINE}")
    if not line.strip():
        return Bad(number, "line: found nothing; allowed: one JSON object")
    try:
        raw = json.loads(line.decode("utf-8-sig" if number == 1 else "utf-8"))
    except UnicodeDecodeError as error:
        return Bad(number, f"line: found invalid UTF-8 at byte {error.start}; allowed: UTF-8")
    except json.JSONDecodeError as error:
        what = "a NUL byte" if b"\x00" in line else "broken JSON"
        return Bad(number, f"line: found {what} at character {error.pos} ({error.msg}); allowed: one JSON object")
    except (ValueError, RecursionError) as error:
        return Bad(number, f"line: found JSON that cannot be read ({type(error).__name__}); allowed: one JSON object")
    if not isinstance(raw, dict):
        return Bad(number, f"line: found a JSON {_kind(raw)}; allowed: an object with id and text")
    return _checked(number, raw.get("id"), raw.get("text"), escaped=b"\\u" in line)


def _checked(number: int, key: object, text: object, *, escaped: bool) -> Line:
    """`escaped`: whether there are characters written by their number, since NUL and surrogates can only be so."""
    if isinstance(key, bool) or not isinstance(key, str | int) or key == "":
        return Bad(number, f"id: found {_kind(key)}; allowed: a string that is not empty")
    if escaped and isinstance(key, str) and _first_unwritable(key) >= 0:
        return Bad(number, "id: found a lone surrogate or NUL; allowed: Unicode text")
    if not isinstance(text, str):
        return Bad(number, f"text: found {_kind(text)}; allowed: a string")
    if len(text) > LONGEST_TEXT:
        return Bad(number, f"text: found {len(text)} characters; allowed: at most {LONGEST_TEXT}")
    place = _first_unwritable(text) if escaped else -1
    if place >= 0:
        what = "NUL" if text[place] == "\x00" else "a lone surrogate"
        return Bad(number, f"text: found {what} at character {place}; allowed: Unicode text")
    return Wanted(number, key, text)


def _first_unwritable(text: str) -> int:
    """Place of the first NUL or lone surrogate, which no database keeps; −1 without one."""
    try:
        text.encode("utf-8")
        surrogate = len(text)
    except UnicodeEncodeError as error:
        surrogate = error.start
    nul = text.find("\x00")
    first = min(surrogate, nul if nul >= 0 else len(text))
    return first if first < len(text) else -1


def _kind(value: object) -> str:
    if value is None:
        return "nothing"
    kinds = {bool: "true or false", int: "number", float: "number", str: "string", list: "list", dict: "object"}
    name = kinds.get(type(value), type(value).__name__)
    return "an empty string" if value == "" else name
