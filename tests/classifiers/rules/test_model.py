from __future__ import annotations

from pathlib import Path

import pytest

from classifiers.errors import RuleError
from classifiers.rules.engine import RuleEngine
from classifiers.rules.model import RULES_DIR, load_rules

RULE = """\
category: {category}
author: operator
date: 2026-11-24
rules:
  - name: {name}
    any: [{words}]
    strength: {strength}
    reason: a test
"""


def write(folder: Path, file: str = "own", **values: str) -> Path:
    folder.mkdir(exist_ok=True)
    given = {"category": "gambling", "name": "own", "words": "甲乙丙丁", "strength": "strong"} | values
    (folder / f"{file}.yaml").write_text(RULE.format(**given), "utf-8")
    return folder


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"category": "gamblign"}, "gambling"),
        ({"strength": "huge"}, "strength"),
        ({"words": ""}, "any"),
        ({"name": "Not A Name"}, "name"),
    ],
)
def test_a_wrong_rule_names_its_file_and_what_is_allowed(tmp_path: Path, values: dict[str, str], named: str) -> None:
    with pytest.raises(RuleError) as raised:
        load_rules([write(tmp_path / "rules", **values)])
    assert "own.yaml" in str(raised.value)
    assert named in str(raised.value)


@pytest.mark.parametrize("body", ["rules: [", "- a list", "category: gambling\nrules: none"])
def test_a_file_that_is_no_rule_file_is_refused(tmp_path: Path, body: str) -> None:
    (tmp_path / "broken.yaml").write_text(body, "utf-8")
    with pytest.raises(RuleError, match=r"broken\.yaml"):
        load_rules([tmp_path])


def test_an_unknown_word_class_is_named(tmp_path: Path) -> None:
    book = load_rules([write(tmp_path / "rules", words='"@nowhere"')])
    with pytest.raises(RuleError, match="@nowhere"):
        RuleEngine(book)


def test_a_folder_of_ones_own_adds_rules_and_silences_shipped_ones(tmp_path: Path) -> None:
    own = write(tmp_path / "rules")
    write(own, "off", name="house", strength="off")
    shipped, both = load_rules(), load_rules([RULES_DIR, own])
    names = {f"{slug}.{rule.name}" for slug, rule, _ in both.rules}
    assert "gambling.own" in names
    assert "gambling.house" not in names
    assert len(both.rules) == len(shipped.rules)


def test_word_classes_of_ones_own_are_joined_to_the_shipped(tmp_path: Path) -> None:
    own = write(tmp_path / "rules")
    (own / "classes.yaml").write_text("contact: [甲乙]\n", "utf-8")
    words = load_rules([RULES_DIR, own]).classes["contact"]
    assert "甲乙" in words
    assert "加微信" in words
