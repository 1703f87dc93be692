"""Tables that a platform supplies: headings, encodings, and every wrong row named."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.policy import SitePolicy, load_class
from crawlers.capture import Capture, capture_id
from crawlers.importers import table
from crawlers.importers.jsonl import NotReadable, Problem

KEY = b"only-for-tests"


def policy(**changes: Any) -> SitePolicy:
    values: dict[str, Any] = {
        "name": "supplied",
        "title": "供稿站",
        "platform_class": load_class("forum_qa"),
        "basis": {"kind": "import", "document": "平台按约定提供的表"},
        "base_url": "https://supplied.example/",
        "thresholds": load_class("forum_qa").thresholds,
        "pages_per_day": 1,
        "delay_seconds": 5,
        "sections": [{"slug": "all", "title": "全部"}, {"slug": "kids", "title": "儿童区", "kid_zone": True}],
    }
    return SitePolicy.model_validate(values | changes)


def read(content: str | bytes, site: SitePolicy | None = None, **options: Any) -> list[Any]:
    data = content.encode() if isinstance(content, str) else content
    return [row for _, row in table.read(io.BytesIO(data), site or policy(), key=KEY, **options)]


def told(rows: list[Any]) -> list[tuple[int, str]]:
    return [(one.line, one.field) for row in rows if isinstance(row, list) for one in row]


def test_a_row_becomes_the_capture_that_a_crawl_would_bring() -> None:
    rows = read("内容,链接,编号,发布时间,板块\n加微信 abc_12345 领,/t/1?page=2,c7,2026-11-20 08:00,儿童区\n")
    capture = rows[0]

    assert isinstance(capture, Capture)
    assert capture.text == "加微信 〔微信号〕 领"
    assert capture.redactions[0].key
    assert (capture.section, capture.flags, capture.basis) == ("kids", ("kid_zone",), "import")
    assert capture.url == "https://supplied.example/t/1?page=2"
    assert capture.id == capture_id("supplied", capture.canonical_url, "c7", capture.text)
    assert capture.published_at is not None
    assert capture.published_at.isoformat() == "2026-11-20T08:00:00+08:00"
    assert capture.inclusion_probability is None


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030"])
def test_the_encoding_is_told_from_the_table(encoding: str) -> None:
    rows = read("内容,链接\n今天的晚自习，很安静,/t/1\n".encode(encoding))
    assert rows[0].text == "今天的晚自习，很安静"


def test_columns_are_named_by_the_command_then_by_the_site_file_then_by_their_headings() -> None:
    site = policy(**{"import": {"columns": {"text": "说的话", "url": "在哪"}}})

    assert read("说的话,在哪\n好,/t/1\n", site)[0].text == "好"
    assert read("话,在哪\n好,/t/1\n", site, columns={"text": "话"})[0].text == "好"
    assert read("内容\t链接\n好\t/t/1\n")[0].text == "好"


@pytest.mark.parametrize(
    ("content", "columns", "said"),
    [
        ("标题,链接\n", {}, "column text: found 标题, 链接; allowed: a heading text or 内容"),
        ("", {}, "found nothing"),
        ("内容,链接\n", {"unit": "序号"}, "column unit: found 内容, 链接; allowed: a heading 序号"),
    ],
)
def test_headings_that_are_missing_are_named(content: str, columns: Mapping[Any, str], said: str) -> None:
    with pytest.raises(NotReadable) as error:
        read(content, columns=columns)
    assert said in str(error.value)


def test_every_wrong_row_is_named_and_the_others_go_on() -> None:
    rows = read(
        "内容,链接,形态,类型,发布时间,楼层,板块\n"
        "好,/t/1,,comment,2026-11-20,1,all\n"
        ",/t/1,,,,,\n"
        "好,,,,,,\n"
        "好,https://elsewhere.example/t,,,,,\n"
        "好,/t/1,,diary,,,\n"
        "好,/t/1,,,某一天,,\n"
        "好,/t/1,,,,第三,\n"
        "好,/t/1,,,,,阁楼\n"
        "\n"
        "好,/t/2,,,,,\n"
    )

    assert told(rows) == [
        (3, "text"), (4, "url"), (5, "url"), (6, "kind"), (7, "published_at"), (8, "position"), (9, "section"),
    ]  # fmt: skip
    assert sum(isinstance(row, Capture) for row in rows) == 2


def test_bytes_of_another_encoding_are_told_and_not_guessed() -> None:
    rows = read("内容,链接\n".encode() + b"\xff\xfe\xff,/t/1\n" + "好,/t/1\n".encode(), encoding="utf-8")
    assert told(rows) == [(2, "text")]
    assert rows[1].text == "好"


def test_a_cell_that_is_too_long_is_told() -> None:
    rows = read("内容,链接\n" + "长" * (table.MAX_CELL_CHARS + 1) + ",/t/1\n好,/t/1\n")
    assert told(rows)[0] == (2, "(row)")
    assert rows[-1].text == "好"


def test_rows_without_a_key_have_the_same_one_again_and_copies_are_apart() -> None:
    content = "内容,链接\n好,/t/1\n好,/t/1\n好,/t/2\n"
    first, again = read(content), read("内容,链接\n另一条,/t/9\n" + content.split("\n", 1)[1])

    assert len({one.id for one in first}) == 3
    assert {one.id for one in first} < {one.id for one in again}


@given(st.text(max_size=300), st.binary(max_size=100))
def test_no_table_brings_more_than_captures_and_problems(text: str, noise: bytes) -> None:
    rows = read("内容,链接\n".encode() + text.encode("utf-8", "replace") + noise)
    assert all(isinstance(row, Capture) or all(isinstance(one, Problem) for one in row) for row in rows)
