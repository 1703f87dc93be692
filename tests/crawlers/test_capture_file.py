"""A file of captures grows by whole lines, each capture once."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.capture import Capture, capture_id
from crawlers.capture_file import CaptureFile, NotCaptures


def capture(text: str) -> Capture:
    url = "http://forum.example/t/1"
    return Capture(
        id=capture_id("test", url, text, text), site="test", platform_class="forum_qa", section="all", url=url,
        canonical_url=url, unit=text, kind="comment", text=text, captured_at=datetime.now(UTC), method="latest",
        basis="owner", crawler="test",
    )  # fmt: skip


def texts(path: Path) -> list[str]:
    return [json.loads(line)["text"] for line in path.read_text("utf-8").splitlines()]


def add(path: Path, *several: str) -> None:
    with CaptureFile(path) as file:
        for text in several:
            file.add(capture(text))
        file.flush()


def test_a_file_goes_on_where_it_was_and_takes_each_capture_once(tmp_path: Path) -> None:
    path = tmp_path / "captures.jsonl"
    add(path, "一", "二")
    add(path, "二", "三")

    assert texts(path) == ["一", "二", "三"]


def test_what_was_not_flushed_is_not_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "captures.jsonl"
    with CaptureFile(path) as file:
        file.add(capture("一"))

    assert path.read_bytes() == b""


@given(st.data())
def test_a_line_torn_at_any_byte_is_written_again_whole(data: st.DataObject) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "captures.jsonl"
        add(path, "一", "二", "三")
        whole = path.read_bytes()
        path.write_bytes(whole[: data.draw(st.integers(0, len(whole)))])
        add(path, "一", "二", "三")

        assert texts(path) == ["一", "二", "三"]


@pytest.mark.parametrize(
    "content", ["title: 一个站点\n", "no newline", '{"colour": 1}', '{"colour": 1}\n', '{"colour": 1}\n{"id": "x"}\n']
)
def test_a_file_of_something_else_is_left_as_it_is(tmp_path: Path, content: str) -> None:
    path = tmp_path / "site.yaml"
    path.write_text(content)

    with pytest.raises(NotCaptures, match=r"site\.yaml holds something that is no capture"):
        CaptureFile(path)
    assert path.read_text() == content


def test_a_device_is_only_written_to() -> None:
    add(Path("/dev/null"), "一")
