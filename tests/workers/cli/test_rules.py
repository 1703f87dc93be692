"""`woodpecker rules`: check, test and explain, for whoever edits the word rules."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

OWN = """\
category: gambling
author: operator
date: 2026-11-24
rules:
  - {name: own, any: [甲乙丙丁], strength: strong, reason: a test, examples: {hit: [HIT], miss: [好]}}
"""


def own(folder: Path, text: str) -> Path:
    folder.mkdir()
    (folder / "own.yaml").write_text(text, "utf-8")
    return folder


def test_the_shipped_rules_are_read_and_their_examples_hold(woodpecker: Any) -> None:
    assert woodpecker("rules", "check").code == 0
    done = woodpecker("rules", "test", "--json")
    assert done.code == 0
    assert done.json["failing"] == []
    assert done.json["without_examples"] == []


def test_rules_of_ones_own_are_tried_with_the_shipped(woodpecker: Any, tmp_path: Path) -> None:
    good = own(tmp_path / "good", OWN.replace("HIT", "说甲乙丙丁"))
    assert woodpecker("rules", "test", "--rules", str(good)).code == 0
    done = woodpecker("rules", "explain", "说甲乙丙丁", "--rules", str(good))
    assert "gambling.own" in done.out


def test_a_failing_example_ends_with_1_and_names_the_rule(woodpecker: Any, tmp_path: Path) -> None:
    done = woodpecker("rules", "test", "--rules", str(own(tmp_path / "bad", OWN.replace("HIT", "别的"))))
    assert done.code == 1
    assert "gambling.own" in done.err


@pytest.mark.parametrize("text", ["category: nowhere\n", "rules: [", OWN.replace("strong", "huge")])
def test_a_wrong_file_ends_with_2_and_names_the_file(woodpecker: Any, tmp_path: Path, text: str) -> None:
    done = woodpecker("rules", "check", "--rules", str(own(tmp_path / "wrong", text)))
    assert done.code == 2
    assert "own.yaml" in done.err


def test_a_missing_folder_is_named(woodpecker: Any, tmp_path: Path) -> None:
    done = woodpecker("rules", "check", "--rules", str(tmp_path / "nowhere"))
    assert done.code == 2
    assert "nowhere" in done.err


def test_explaining_says_who_speaks_and_what_kept_others_silent(woodpecker: Any) -> None:
    done = woodpecker("rules", "explain", "老师讲了赌博的危害")
    assert done.code == 0
    assert "silent" in done.out
    assert woodpecker("rules", "explain", "真人荷官在线", "--json").json["readings"][0]["spoken"]
