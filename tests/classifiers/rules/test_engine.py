from __future__ import annotations

from pathlib import Path

import pytest

from classifiers.rules.engine import RuleEngine
from classifiers.rules.model import load_rules

RULES = """\
category: gambling
author: test
date: 2026-11-24
rules:
  - {name: near, any: [甲甲], near: [["@contact"]], within: 4, strength: medium, reason: test}
  - {name: not_near, any: [乙乙], not_near: [提醒], not_within: 4, strength: strong, reason: test}
  - {name: pattern, any: [丙], pattern: '丙\\d+', strength: weak, reason: test}
  - {name: latin, any: [sb], strength: certain, reason: test}
"""
CONTEXT = """\
- {name: press, any: [记者, 警方], at_least: 2, factor: 0.5, categories: [gambling], author: t, reason: t,
   date: 2026-01-01}
"""


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> RuleEngine:
    folder = tmp_path_factory.mktemp("rules")
    (folder / "gambling.yaml").write_text(RULES, "utf-8")
    (folder / "classes.yaml").write_text("contact: [联系]\n", "utf-8")
    (folder / "context.yaml").write_text(CONTEXT, "utf-8")
    return RuleEngine(load_rules([folder]))


def spoken(engine: RuleEngine, text: str) -> list[str]:
    return [hit.name.split(".")[1] for hit in engine.match([text])[0]]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("甲甲联系", ["near"]),
        ("甲甲一二三四五六联系", []),
        ("联系一二甲甲", ["near"]),
        ("乙乙", ["not_near"]),
        ("提醒乙乙", []),
        ("乙乙一二三四五六提醒", ["not_near"]),
        ("丙", []),
        ("丙12", ["pattern"]),
        ("usb", []),
        ("你sb", ["latin"]),
    ],
)
def test_a_rule_speaks_when_its_conditions_hold(engine: RuleEngine, text: str, names: list[str]) -> None:
    assert spoken(engine, text) == names


def test_words_do_not_reach_from_one_text_into_the_next(engine: RuleEngine) -> None:
    assert engine.match(["乙", "乙"]) == [[], []]


def test_offsets_quote_the_words_that_spoke(engine: RuleEngine) -> None:
    text = "好的乙乙呀"
    [hit] = engine.match([text])[0]
    assert text[hit.start : hit.end] == "乙乙"


def test_two_words_of_reporting_lower_the_linear_model_and_one_does_not(engine: RuleEngine) -> None:
    assert engine.factors(["记者采访了警方", "记者"]) == [{"gambling": 0.5}, {}]


@pytest.mark.parametrize(
    ("text", "why"),
    [("甲甲", "near list 1"), ("提醒乙乙", "not_near"), ("丙", "pattern")],
)
def test_a_silent_rule_says_what_kept_it_silent(engine: RuleEngine, text: str, why: str) -> None:
    [silent] = engine.silent(text)
    assert why in silent.why


def test_rules_from_a_missing_folder_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="no rule file"):
        load_rules([tmp_path / "nowhere"])
