from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifiers.normalise import fold
from classifiers.normalise.guess import MOST_PLACES, load_guesser

GUESSER = load_guesser()


def guess(text: str) -> str | None:
    found = GUESSER.read(fold([text])).get(0)
    return found.text if found else None


@pytest.mark.parametrize(
    ("text", "means", "kinds"),
    [
        ("你这个废侮，全班豆哺想跟你坐沂起", "你这个废物,全班都不想跟你坐一起", {"sound", "look_alike"}),
        ("你这个废wu，全班dou不xiang跟ni坐一qi", "你这个废物,全班都不想跟你坐一起", {"pinyin"}),
        ("亻尔是个广发牛勿，忄夬氵衮开", "你是个废物,快滚开", {"split"}),
        ("全班都不💭跟你坐☝起", "全班都不想跟你坐一起", {"emoji"}),
        ("加wei信领点券", "加微信领点券", {"pinyin"}),
        ("莪们班没亾芣討厭沵", "我们班没人不讨厌你", {"martian"}),
    ],
)
def test_what_is_meant_is_read_though_characters_were_put_in_place_of_others(
    text: str, means: str, kinds: set[str]
) -> None:
    found = GUESSER.read(fold([text]))[0]
    assert {entry.kind for entry in found.undone} <= {"sound", "look_alike", "martian", "split", "pinyin", "emoji"}
    wrong = sum(a != b for a, b in zip(found.text, means, strict=False)) + abs(len(found.text) - len(means))
    assert wrong <= 1
    assert kinds & {entry.kind for entry in found.undone}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "好",
        "今天的作文课真有意思",
        "紫砂壶怎么养才好看",
        "我的app打不开了",
        "第3章我看了5遍",
        "the quick fox",
        "😀😀",
    ],
)
def test_ordinary_texts_are_left_as_they_stand(text: str) -> None:
    assert guess(text) is None


PARTS = ["今天", "废侮", "豆哺", "wei", "💭", "木目", "3", "。", " ", "a", "\ud800", "\u200b"]


@settings(max_examples=50)
@given(st.lists(st.sampled_from(PARTS), max_size=25))
def test_every_character_and_every_undone_place_points_into_the_text_as_given(parts: list[str]) -> None:
    text = "".join(parts)
    found = GUESSER.read(fold([text])).get(0)
    if found is not None:
        assert len(found.text) == len(found.starts) == len(found.ends)
        assert all(0 <= a < b <= len(text) for a, b in zip(found.starts.tolist(), found.ends.tolist(), strict=True))
        assert all(text[entry.start : entry.end] == entry.seen for entry in found.undone)


def test_a_text_is_read_the_same_alone_and_in_any_batch() -> None:
    dice = random.Random(4)
    texts = ["".join(dice.choices(PARTS, k=dice.randint(0, 14))) for _ in range(200)]
    together = GUESSER.read(fold(texts))
    for number, text in enumerate(texts):
        found = together.get(number)
        assert (found.text if found else None) == guess(text)


def test_what_does_not_fit_in_one_text_casts_no_doubt_on_the_next() -> None:
    texts = ["废侮豆哺沂起", "今天天气很好，我们去公园玩，废哺了，侮沂了"]
    doubted, alone = doubts(texts), doubts(texts[1:])
    assert any(alone)
    assert doubted[len(texts[0]) :] == alone


def doubts(texts: list[str]) -> list[bool]:
    folded = fold(texts)
    symbols = GUESSER._neighbours.symbol[folded.points].astype(np.int64)
    return list(GUESSER._doubted(folded, "".join(folded.texts()), symbols)[0].tolist())


def test_a_very_long_text_is_read_up_to_a_limit() -> None:
    found = GUESSER.read(fold(["废侮豆哺沂起" * 3000]))[0]
    assert 0 < len(found.undone) <= MOST_PLACES
