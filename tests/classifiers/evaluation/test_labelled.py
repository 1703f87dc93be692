from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from classifiers.errors import DataError
from classifiers.evaluation.labelled import Judged, LabelledText, read_labelled, report
from classifiers.evaluation.page import as_html
from config.taxonomy import SLUGS

THRESHOLDS = dict.fromkeys(SLUGS, 0.5)


def judged(*scored: dict[str, float]) -> Judged:
    return Judged("m", np.array([[row.get(slug, 0.0) for slug in SLUGS] for row in scored]))


ROWS = [
    LabelledText(text="甲<b>", labels=("gambling",), slice="forum"),
    LabelledText(text="乙", labels=(), slice="forum"),
    LabelledText(text="丙", labels=("bullying",), slice="shop"),
]


def test_figures_count_what_was_found_and_what_was_missed() -> None:
    found = report(ROWS, judged({"gambling": 0.9}, {"gambling": 0.8}, {}), THRESHOLDS)
    gambling, bullying = found["categories"]["gambling"], found["categories"]["bullying"]
    assert (gambling["precision"], gambling["recall"]) == (0.5, 1.0)
    assert bullying["recall"] == 0.0
    assert {"meant": "none", "said": "gambling", "rows": 1} in found["confusions"]
    assert {"meant": "bullying", "said": "none", "rows": 1} in found["confusions"]
    assert [one["text"] for one in found["worst"]] == ["丙", "乙"]
    assert [one["rows"] for one in found["slices"] if one["slice"] == "forum"] == [2]


def test_another_model_stands_beside_it() -> None:
    one, other = judged({"gambling": 0.9}, {}, {}), judged({}, {}, {"bullying": 0.7})
    found = report(ROWS, one, THRESHOLDS, other)
    assert found["against"]["differing"] == {"only_this_right": 1, "only_other_right": 1}


def test_the_page_escapes_every_text() -> None:
    page = as_html(report(ROWS, judged({}, {}, {}), THRESHOLDS))
    assert "甲&lt;b&gt;" in page
    assert "http" not in page


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("{", "line 2"),
        ('{"labels": []}', "text"),
        ('{"text": "a", "labels": ["gamblign"]}', "gamblign"),
        ('{"text": "a", "labels": "gambling"}', "labels"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, line: str, named: str) -> None:
    file = tmp_path / "own.jsonl"
    file.write_text(json.dumps({"text": "a", "labels": []}) + "\n" + line + "\n", "utf-8")
    with pytest.raises(DataError, match=named):
        read_labelled(file)


def test_an_empty_or_missing_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("", "utf-8")
    for name in ("empty", "nowhere"):
        with pytest.raises(DataError, match=name):
            read_labelled(tmp_path / name)
