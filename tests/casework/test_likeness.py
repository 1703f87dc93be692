"""Likeness: what counts as the same text, and how well copies are told from what merely sounds alike."""

from __future__ import annotations

import random
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.clusters import EDITS, chance_joined, edited_pairs, recall
from casework import likeness
from casework.folding import fold

AD = "加微信领游戏点券，先到先得，每天只有十个名额"


@pytest.mark.parametrize(
    ("text", "undone"),
    [
        ("加微信 领游戏点券!! 先到先得~ 每天只有十个名额", ()),
        ("加微信領遊戲點券🎮先到先得🔥每天只有十個名額。", ()),
        ("加薇信领游戏点券先到先得每天只有十个名额", [{"start": 1, "end": 3, "read_as": "微信"}]),
    ],
)
def test_signs_emoji_traditional_letters_and_undone_evasions_make_no_difference(text: str, undone: object) -> None:
    assert likeness.normal_form(fold(text), undone) == likeness.normal_form(fold(AD))  # type: ignore[arg-type]


def test_what_is_undone_outside_the_text_is_passed_over() -> None:
    marks = [{"start": 90, "end": 99, "read_as": "甲"}, {"start": 0, "end": 1, "read_as": "乙"}]
    assert likeness.normal_form("丙丁", marks) == "乙丁"


def test_short_texts_have_no_band_keys() -> None:
    short, long_enough = "一二三四五六七八九十甲", "一二三四五六七八九十甲乙"
    assert likeness.band_keys([short, long_enough, ""])[0::2] == [None, None]
    assert len(likeness.band_keys([long_enough])[0] or ()) == likeness.BANDS
    assert likeness.band_keys([]) == []


def test_keys_depend_on_the_secret_of_the_installation(settings: object) -> None:
    before = likeness.band_keys([AD])[0], likeness.digest(AD)
    settings.SECRET_KEY = "another-secret"  # type: ignore[attr-defined]
    after = likeness.band_keys([AD])[0], likeness.digest(AD)
    assert before[1] != after[1]
    assert not set(before[0] or ()) & set(after[0] or ())


def test_keys_are_those_that_the_database_holds(settings: object) -> None:
    """A library that hashes otherwise would not find the cases of yesterday."""
    settings.SECRET_KEY = "only-for-this-test"  # type: ignore[attr-defined]
    assert likeness.band_keys([fold("这一句用来核对键值没有变")])[0] == EXPECTED_KEYS


EXPECTED_KEYS = (
    -3594364547856738574,
    -8959683008091987721,
    -5452215625565338529,
    6390310241561343137,
    -3028930476362245474,
    -1258360186351289968,
    6883516634806247173,
    -5100055366209775082,
    4739364063539117147,
    7749157823047530293,
    4830781163993394821,
    9105350399109016389,
)


@given(st.text(max_size=60), st.text(max_size=60))
def test_likeness_is_one_only_for_equal_texts_and_the_same_both_ways(one: str, other: str) -> None:
    found = likeness.likeness(one, other)
    assert 0 <= found <= 1
    assert found == likeness.likeness(other, one)
    assert found == likeness.likeness(one, other, cache(likeness.pairs))
    assert (found == 1.0) == (one == other)


@given(st.lists(st.text(alphabet=st.characters(codec=None), max_size=40), max_size=5))
def test_a_text_has_the_same_keys_alone_and_among_others(forms: list[str]) -> None:
    assert likeness.band_keys(forms) == [likeness.band_keys([form])[0] for form in forms]


@pytest.mark.parametrize("edit", list(EDITS))
def test_copies_by_known_edits_are_found(edit: str) -> None:
    pairs = edited_pairs(edit, 1500, random.Random(5))
    assert len(pairs) > 100
    assert recall(pairs) >= 0.95


def test_ordinary_comments_are_not_joined() -> None:
    joined, compared = chance_joined(2000, random.Random(6))
    assert joined / compared <= 1e-4
