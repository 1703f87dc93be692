"""Triage finds what must not wait, by the rules and the linear model's columns of the gravest categories."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.captures import rows
from benchmarks.glance import written
from classifiers import triage
from classifiers.errors import ModelError
from classifiers.linear import newest


@pytest.fixture(scope="module")
def glance() -> triage.Triage:
    return triage.load()


def test_the_categories_that_can_be_s0_are_urgent() -> None:
    assert triage.urgent_slugs() == {"self_harm", "sexual_exploitation"}


def test_a_text_about_ending_ones_life_is_urgent_and_an_advertisement_is_not(glance: triage.Triage) -> None:
    texts = ["有没有人相约自杀", "代练上分包赢，私聊下单", "今天的晚自习有点难"]
    found = glance.slugs(texts)
    assert found == [{"self_harm"}, frozenset(), frozenset()]


def test_ordinary_comments_do_not_push_forward(glance: triage.Triage) -> None:
    found = glance.slugs([row["text"] for row in rows(2000, one_in=4)])
    assert sum(map(bool, found)) < 0.01 * 2000


def test_what_no_rule_names_is_urgent_too(glance: triage.Triage) -> None:
    """Of our own texts about self-harm that no model was trained on a rule names two in a hundred."""
    about, harmless = written(20261124)

    found, pushed = ([bool(slugs) for slugs in glance.slugs(texts)] for texts in (about, harmless[:2000]))

    assert sum(found) > 0.5 * len(about)  # a third of these do not reach the threshold either
    assert sum(pushed) < 0.08 * 2000  # hard negatives: of ordinary talk it is a third as many


def test_a_text_has_the_same_urgency_alone_and_among_others(glance: triage.Triage) -> None:
    texts = written(20261124)[0][:50]
    assert glance.slugs(texts) == [glance.slugs([text])[0] for text in texts]


def test_how_likely_it_must_be_can_be_set() -> None:
    about = written(20261124)[0][:200]
    strict, lenient = (triage.load(at_least=level).slugs(about) for level in (0.9, 0.05))
    assert sum(map(bool, strict)) < sum(map(bool, lenient))


def test_it_asks_the_linear_model_of_the_folder_that_assesses(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="manifest"):
        triage.load(model_dir=tmp_path)
    assert triage.load(model_dir=newest()).slugs(["有没有人相约自杀"]) == [{"self_harm"}]


def test_nothing_asked_nothing_found(glance: triage.Triage) -> None:
    assert glance.slugs([]) == []


def test_rules_of_ones_own_count_too(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(
        "category: self_harm\nauthor: us\ndate: 2026-11-24\nrules:\n- name: own\n  any: [蓝色暗号]\n"
        "  strength: strong\n  reason: invented\n  examples: {hit: [今晚蓝色暗号], miss: [今晚蓝色灯光]}\n",
        "utf-8",
    )
    assert triage.load(tmp_path).slugs(["今晚蓝色暗号"]) == [{"self_harm"}]
