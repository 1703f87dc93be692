from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifiers.normalise import Reading, fold
from classifiers.normalise.swapped import load_swaps

SWAPS = load_swaps()


def read(text: str) -> Reading | None:
    return SWAPS.read(fold([text])).get(0)


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("三楼那个弹琴的女生，钢是琴假的", "三楼那个弹琴的女生,钢琴是假的"),
        ("一元万八钻", "一元八万钻"),
    ],
)
def test_characters_that_changed_places_are_put_back(text: str, means: str) -> None:
    found = read(text)
    assert found is not None
    assert found.text == means
    assert {entry.kind for entry in found.undone} == {"swapped"}


@pytest.mark.parametrize(
    "text", ["", "好", "今天的作文课真有意思", "我的app打不开了", "人人为我，我为人人", "哈哈哈", "好 不好"]
)
def test_ordinary_texts_are_left_as_they_stand(text: str) -> None:
    assert read(text) is None


PARTS = ["钢是琴假的", "这女就生", "万八", "今天", "。", "a", " ", "😀", "\ud800"]


@settings(max_examples=50)
@given(st.lists(st.sampled_from(PARTS), max_size=12))
def test_what_was_swapped_points_into_the_text_as_given(parts: list[str]) -> None:
    text = "".join(parts)
    found = read(text)
    if found is not None:
        assert len(found.text) == len(found.starts) == len(found.ends)
        assert all(text[entry.start : entry.end] == entry.seen for entry in found.undone)


def test_a_text_is_read_the_same_alone_and_in_any_batch() -> None:
    dice = random.Random(4)
    texts = ["".join(dice.choices(PARTS, k=dice.randint(0, 9))) for _ in range(200)]
    together = SWAPS.read(fold(texts))
    assert together
    for number, text in enumerate(texts):
        alone, among = read(text), together.get(number)
        assert (alone.text if alone else None) == (among.text if among else None)
