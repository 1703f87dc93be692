"""Triage finds what must not wait, by the rules of the gravest categories alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.captures import rows
from classifiers import triage


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
    assert not any(glance.slugs([row["text"] for row in rows(2000, one_in=4)]))


def test_nothing_asked_nothing_found(glance: triage.Triage) -> None:
    assert glance.slugs([]) == []


def test_rules_of_ones_own_count_too(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(
        "category: self_harm\nauthor: us\ndate: 2026-11-24\nrules:\n- name: own\n  any: [蓝色暗号]\n"
        "  strength: strong\n  reason: invented\n  examples: {hit: [今晚蓝色暗号], miss: [今晚蓝色灯光]}\n",
        "utf-8",
    )
    assert triage.load(tmp_path).slugs(["今晚蓝色暗号"]) == [{"self_harm"}]
