"""`woodpecker classify`, `train` and `evaluate` as somebody uses them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

INVITATION = "真人荷官在线，注册送彩金，提款秒到"


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    file = tmp_path / "texts.jsonl"
    rows = [{"id": "a", "text": INVITATION}, {"id": "b", "text": "今天的作文课真有意思"}]
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return file


def test_a_stream_is_answered_line_by_line(woodpecker: Any) -> None:
    done = woodpecker("classify", stdin=json.dumps({"id": "a", "text": INVITATION}).encode() + b"\n")
    assert done.code == 0
    assert done.json["flagged"][0] == "gambling"


def test_a_bad_line_is_answered_in_place_and_the_exit_code_is_3(woodpecker: Any, texts: Path, tmp_path: Path) -> None:
    texts.write_text(texts.read_text("utf-8") + "{broken\n", "utf-8")
    done = woodpecker("classify", "-i", str(texts), "-o", str(tmp_path / "out"), "--json")
    assert done.code == 3
    assert (done.json["assessed"], done.json["rejected"]) == (2, 1)
    assert "texts.jsonl:3" in done.err
    answers = [json.loads(line) for line in (tmp_path / "out").read_text("utf-8").splitlines()]
    assert [answer["id"] for answer in answers] == ["a", "b", None]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--input", "."], "a folder"),
        (["--input", "nowhere.jsonl"], "nowhere.jsonl"),
        (["--model", "nowhere"], "nowhere"),
        (["--site", "nowhere"], "nowhere"),
        (["--json"], "--output"),
    ],
)
def test_a_wrong_call_changes_nothing_and_says_what_is_allowed(
    woodpecker: Any, arguments: list[str], named: str
) -> None:
    done = woodpecker("classify", *arguments)
    assert done.code == 2
    assert named in done.err


def test_a_site_flags_by_its_own_thresholds(woodpecker: Any, texts: Path) -> None:
    done = woodpecker("classify", "-i", str(texts), "--site", "demo")
    assert done.code == 0
    assert "gambling" in json.loads(done.out.splitlines()[0])["flagged"]


def test_one_text_is_explained_stage_by_stage(woodpecker: Any) -> None:
    done = woodpecker("classify", "--explain", "信.誉.博.彩，注册送彩金")
    assert done.code == 0
    for expected in ("undone", "信誉博彩", "rule:gambling.", "threshold", "gambling"):
        assert expected in done.out
    assert woodpecker("classify", "--explain", INVITATION, "--json").json["flagged"][0] == "gambling"
    assert woodpecker("classify", "--explain", "好").code == 0


def test_an_explanation_through_a_pipe_marks_the_spans_and_tells_the_stages_apart(woodpecker: Any) -> None:
    done = woodpecker("classify", "--explain", "信.誉.博.彩，注册送彩金")
    assert re.search("gambling +【信.誉.博.彩】，注册送彩金  rule:gambling", done.out)
    assert re.search("^reading 2  信誉博彩", done.out, re.MULTILINE)
    [heading] = (line.split() for line in done.out.splitlines() if line.startswith("category"))
    row = next(line.split() for line in done.out.splitlines() if re.match(r"gambling +\d ", line))
    shown = dict(zip(heading, row, strict=True))
    said = woodpecker("classify", "--explain", "信.誉.博.彩，注册送彩金", "--json").json
    stage = said["stages"][int(shown["reading"]) - 1]
    for column in ("linear", "encoder", "blend"):
        assert shown[column] == f"{stage[column]['gambling']:.2f}"
    assert shown["score"] == f"{said['scores']['gambling']:.2f}"
    assert (shown["context"], shown["human"]) == ("–", "yes")


def test_where_the_encoder_was_not_asked_an_explanation_shows_a_dash(woodpecker: Any) -> None:
    from classifiers.linear import newest

    done = woodpecker("classify", "--explain", INVITATION, "--model", str(newest()))
    heading, row = (
        next(line.split() for line in done.out.splitlines() if re.match(start, line))
        for start in ("category", r"gambling +\d")
    )
    assert dict(zip(heading, row, strict=True))["encoder"] == "–"


def test_a_text_that_is_too_long_to_explain_is_refused(woodpecker: Any) -> None:
    done = woodpecker("classify", "--explain", "好" * 20_001)
    assert done.code == 2
    assert "20000" in done.err


def test_own_labels_are_measured_and_written_as_a_page(woodpecker: Any, tmp_path: Path) -> None:
    file, page = tmp_path / "own.jsonl", tmp_path / "page.html"
    rows = [{"text": INVITATION, "labels": ["gambling"]}, {"text": "今天的作文课真有意思", "labels": []}]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    done = woodpecker("evaluate", "--input", str(file), "--html", str(page), "--json")
    assert done.code == 0
    assert done.json["categories"]["gambling"]["recall"] == 1.0
    assert "gambling" in page.read_text("utf-8")
    assert "gambling" in woodpecker("evaluate", "--input", str(file)).out


def test_a_model_is_compared_with_another(woodpecker: Any, tmp_path: Path) -> None:
    from classifiers.linear import newest

    file = tmp_path / "own.jsonl"
    file.write_text(json.dumps({"text": INVITATION, "labels": ["gambling"]}) + "\n", "utf-8")
    done = woodpecker("evaluate", "--input", str(file), "--against", str(newest()), "--json")
    assert done.code == 0
    assert set(done.json["against"]["differing"]) == {"only_this_right", "only_other_right"}


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ([], "--input"),
        (["--input", "x", "--data", "y"], "one of them"),
        (["--input", "nowhere.jsonl"], "nowhere.jsonl"),
    ],
)
def test_evaluate_called_wrongly_says_what_is_allowed(woodpecker: Any, arguments: list[str], named: str) -> None:
    done = woodpecker("evaluate", *arguments)
    assert done.code == 2
    assert named in done.err


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["train", "nowhere", "--data", "."], "linear"),
        (["train", "linear", "--data", "nowhere"], "no such file"),
        (["ablate", "--data", ".", "--card"], "--model"),
        (["ablate", "nowhere", "--data", "."], "ablation"),
        (["ablate", "--data", "nowhere"], "no such file"),
        (["train", "linear", "--data", ".", "--tier", "gold"], "open, limited"),
        (["train", "labels", "--data", "."], "an encoder's recipe"),
    ],
)
def test_training_called_wrongly_says_what_is_allowed(woodpecker: Any, arguments: list[str], named: str) -> None:
    done = woodpecker(*arguments)
    assert done.code == 2
    assert named in done.err
