from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers import stream
from classifiers.assessment import Assessment
from classifiers.cascade import load
from classifiers.errors import InputError
from classifiers.lines import LONGEST_LINE, LONGEST_TEXT
from config.policy import general_thresholds
from config.taxonomy import SLUGS

ASSESSOR = load()


def run(source: bytes, **options: Any) -> tuple[list[dict[str, Any]], stream.StreamReport]:
    target = io.BytesIO()
    report = stream.classify_lines(io.BytesIO(source), target, ASSESSOR, general_thresholds(), **options)
    return [json.loads(line) for line in target.getvalue().splitlines()], report


def lines(*rows: object) -> bytes:
    return b"".join(json.dumps(row, ensure_ascii=True).encode() + b"\n" for row in rows)


def test_each_line_is_answered_in_order_with_its_own_id() -> None:
    answers, report = run(lines(*({"id": f"n{k}", "text": "好" * k} for k in range(50))))
    assert [answer["id"] for answer in answers] == [f"n{k}" for k in range(50)]
    assert (report.lines, report.assessed, report.rejected) == (50, 50, 0)


def test_flagged_follows_the_thresholds() -> None:
    answers, report = run(lines({"id": 1, "text": "真人荷官在线，注册送彩金，提款秒到"}, {"id": 2, "text": "作文课"}))
    assert "gambling" in answers[0]["flagged"]
    assert answers[1]["flagged"] == []
    assert report.flagged["gambling"] == 1


@pytest.mark.parametrize(
    ("line", "named"),
    [
        (b"{broken", "broken JSON"),
        (b"", "nothing"),
        (b"[1]", "list"),
        (b'{"text": "a"}', "id"),
        (b'{"id": "a"}', "text"),
        (b'{"id": "a", "text": 3}', "text"),
        (b'{"id": "a", "text": "\\ud800"}', "surrogate"),
        (b'{"id": "a", "text": "a\\u0000b"}', "NUL"),
        (b'{"id": "a", "text": "\xff"}', "UTF-8"),
        (b'{"id": "a", "text": "' + b"x" * (LONGEST_TEXT + 1) + b'"}', str(LONGEST_TEXT)),
        (b'{"id": "a", "text": "' + b"x" * LONGEST_LINE + b'"}', str(LONGEST_LINE)),
        (b"[" * 100_000, "JSON"),
    ],
)
def test_a_bad_line_is_answered_in_its_place_and_the_stream_goes_on(line: bytes, named: str) -> None:
    good = lines({"id": "ok", "text": "好"})
    answers, report = run(good + line + b"\n" + good)
    assert [answer["id"] for answer in answers] == ["ok", None, "ok"]
    assert answers[1]["line"] == 2
    assert named in answers[1]["error"]
    assert report.rejected == 1


def test_the_longest_text_that_is_allowed_is_assessed() -> None:
    answers, _ = run(lines({"id": "a", "text": "好" * LONGEST_TEXT}))
    assert "scores" in answers[0]


def test_an_error_never_quotes_the_text() -> None:
    answers, _ = run(b'{"id": "a", "text": "secret-words\\u0000"}\n')
    assert "secret-words" not in answers[0]["error"]


def test_two_processes_answer_as_one_does() -> None:
    source = lines(*({"id": k, "text": f"第{k}楼 加微信领点券"} for k in range(5 * stream.BATCH + 7)))
    one, _ = run(source, processes=1)
    two, report = run(source, processes=2)
    assert one == two
    assert report.lines == 5 * stream.BATCH + 7


def test_long_lines_are_answered_in_smaller_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "BYTES", 50_000)
    sizes: list[int] = []
    answer = stream.answer_batch
    monkeypatch.setattr(stream, "answer_batch", lambda batch, *more: sizes.append(len(batch)) or answer(batch, *more))
    answers, _ = run(lines(*({"id": k, "text": "a" * LONGEST_TEXT} for k in range(7)), {"id": "last", "text": "好"}))
    assert [one["id"] for one in answers] == [*range(7), "last"]
    assert sizes == [3, 3, 2]


def test_a_byte_order_mark_and_a_missing_last_newline_are_read() -> None:
    answers, _ = run(b"\xef\xbb\xbf" + lines({"id": "a", "text": "好"}).rstrip(b"\n"))
    assert [answer["id"] for answer in answers] == ["a"]


def test_a_folder_and_a_missing_file_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a folder"):
        stream.open_source(str(tmp_path), io.BytesIO())
    with pytest.raises(InputError, match="nowhere"):
        stream.open_source(str(tmp_path / "nowhere"), io.BytesIO())
    with pytest.raises(InputError, match="a folder"):
        stream.open_target(str(tmp_path), "-", io.BytesIO())


def test_the_input_is_never_its_own_output(tmp_path: Path) -> None:
    file = tmp_path / "texts.jsonl"
    file.write_text("{}\n", "utf-8")
    with pytest.raises(InputError, match="the input itself"):
        stream.open_target(str(file), str(file), io.BytesIO())
    assert file.read_text("utf-8") == "{}\n"


WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
PLACES = st.builds(dict, start=st.integers(0, 9), end=st.integers(1, 9))


@given(
    key=st.one_of(st.integers(), WORDS),
    scores=st.lists(st.floats(0, 1), min_size=len(SLUGS), max_size=len(SLUGS)),
    flagged=st.lists(st.sampled_from(SLUGS), max_size=2),
    spans=st.lists(st.tuples(PLACES, st.sampled_from(SLUGS), WORDS), max_size=2),
    undone=st.lists(st.tuples(PLACES, WORDS, WORDS, WORDS), max_size=2),
)
def test_a_written_answer_says_what_the_assessment_does(
    key: int | str, scores: list[float], flagged: list[str], spans: list[Any], undone: list[Any]
) -> None:
    said = {
        "scores": dict(zip(SLUGS, scores, strict=True)),
        "spans": [{**place, "slug": slug, "reason": reason} for place, slug, reason in spans],
        "undone": [{**place, "seen": seen, "read_as": meant, "kind": kind} for place, seen, meant, kind in undone],
        "model": "100%s",
    }
    line = stream.written(key, Assessment.model_validate(said), flagged)
    assert line == json.dumps(
        {
            "id": key,
            "scores": said["scores"],
            "flagged": flagged,
            "spans": said["spans"],
            "undone": said["undone"],
            "model": "100%s",
        },
        ensure_ascii=False,
    )
