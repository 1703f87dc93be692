"""Rows that somebody supplies are checked one by one; a bad one is named and the rest go on."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.capture import Capture, capture_id
from crawlers.importers import jsonl

ROW = {
    "id": capture_id("demo", "http://forum.invalid/t/1", "p1", "今天的晚自习"),
    "site": "demo",
    "platform_class": "forum_qa",
    "section": "campus",
    "url": "http://forum.invalid/t/1",
    "canonical_url": "http://forum.invalid/t/1",
    "unit": "p1",
    "kind": "post",
    "text": "今天的晚自习",
    "captured_at": "2026-11-24T10:00:00+08:00",
    "method": "latest",
    "inclusion_probability": 1.0,
    "basis": "owner",
    "crawler": "silver-woodpecker/0.1.0",
}


def test_a_good_row_becomes_a_capture() -> None:
    assert [row for _, row in jsonl.read(_stream(ROW))] == [Capture.model_validate(ROW)]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"text": None}, "text"),
        ({"text": "a\x00b"}, "text"),
        ({"text": "字" * 20_001}, "text"),
        ({"captured_at": "2026-11-24T10:00:00"}, "captured_at"),
        ({"inclusion_probability": 1.4}, "inclusion_probability"),
        ({"kind": "postt"}, "kind"),
        ({"unit": "a\x00"}, "unit"),
        ({"url": "forum.invalid/t/1"}, "url"),
        ({"colour": "red"}, "colour"),
        ({"redactions": [{"kind": "phone", "start": 2, "end": 90}]}, "(row)"),
    ],
)
def test_a_bad_field_is_named_and_the_rows_around_it_go_on(change: dict[str, object], field: str) -> None:
    rows = [row for _, row in jsonl.read(_stream(ROW, {**ROW, **change}, ROW))]

    assert isinstance(rows[0], Capture)
    assert isinstance(rows[2], Capture)
    assert [problem.field for problem in rows[1]] == [field]
    assert rows[1][0].line == 2


def test_a_missing_field_is_named() -> None:
    row = {key: value for key, value in ROW.items() if key != "unit"}

    [(_, problems)] = jsonl.read(_stream(row))

    assert str(problems[0]) == "line 1, field unit: found nothing; allowed: Field required"


def test_the_text_never_stands_in_a_message() -> None:
    [(_, problems)] = jsonl.read(_stream({**ROW, "text": "秘密的话\x00"}))

    assert "秘密" not in str(problems)


def test_a_line_of_a_hundred_megabytes_is_passed_over_without_being_held() -> None:
    stream = Endless(100 * 1024 * 1024, after=json.dumps(ROW).encode() + b"\n")

    rows = list(jsonl.read(stream))

    assert [problem.field for problem in rows[0][1]] == ["(line)"]
    assert isinstance(rows[1][1], Capture)
    assert stream.longest_read <= jsonl.MAX_LINE_BYTES + 1


@given(st.binary(max_size=300))
def test_no_bytes_break_the_reader(noise: bytes) -> None:
    stream = io.BytesIO(noise + b"\n" + json.dumps(ROW).encode())

    *_, (_, last) = jsonl.read(stream)

    assert isinstance(last, Capture)


class Endless(io.RawIOBase):
    """A stream whose first line is very long, made as it is read."""

    def __init__(self, length: int, after: bytes) -> None:
        self._left, self._after, self.longest_read = length, after, 0

    def readline(self, size: int = -1) -> bytes:
        assert size > 0, "a bounded reader never asks for a whole line"
        self.longest_read = max(self.longest_read, size)
        if self._left > 0:
            part = min(size, self._left)
            self._left -= part
            return b"x" * part if self._left else b"x" * (part - 1) + b"\n"
        line, self._after = self._after, b""
        return line


def _stream(*rows: dict[str, object]) -> io.BytesIO:
    return io.BytesIO("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode())
