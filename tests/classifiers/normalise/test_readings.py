from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.normalise import Reader, fold
from classifiers.normalise.readings import Reading, Variant, load_variants

WORDS = ["加微信", "赌博", "防沉迷", "枪支", "日结兼职"]


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader(WORDS, [Variant(word="微信", kind="sound", seen=("薇信", "薇❤"), unless=("蔷薇",))])


def read(reader: Reader, text: str) -> Reading | None:
    return reader.read(fold([text])).get(0)


@pytest.mark.parametrize(
    ("text", "means", "kind"),
    [
        ("加.微.信", "加微信", "inserted"),
        ("赌 ★ 博", "赌博", "inserted"),
        ("木仓支", "枪支", "split"),
        ("防chen迷", "防沉迷", "pinyin"),
        ("fangchenmi怎么过", "防沉迷怎么过", "pinyin"),
        ("日洁兼职", "日结兼职", "sound"),
        ("薇❤聊", "微信聊", "sound"),
    ],
)
def test_a_hidden_word_is_read(reader: Reader, text: str, means: str, kind: str) -> None:
    found = read(reader, text)
    assert found is not None
    assert found.text == means
    assert [entry.kind for entry in found.undone] == [kind]


@pytest.mark.parametrize(
    "text",
    [
        "加微信",  # said plainly: nothing is hidden
        "他输了赌。博物馆很大",  # the end of a sentence is no insertion
        "蔷薇❤",  # an innocent neighbour
        "今天的作文课真有意思",
    ],
)
def test_innocent_texts_have_no_second_reading(reader: Reader, text: str) -> None:
    assert read(reader, text) is None


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("我觉得他是个废😀物", "我觉得他是个废物"),
        ("今天作🌸🌸业好多", "今天作业好多"),
        ("今天真好😀明天见", None),  # no word is parted
        ("今天作业.好多", None),  # punctuation
        ("作😀a业", None),
    ],
)
def test_a_sign_between_usual_neighbours_is_taken_out(reader: Reader, text: str, means: str | None) -> None:
    found = read(reader, text)
    assert (found.text if found else None) == means
    assert [entry.kind for entry in found.undone] == ["inserted"] if found else True


def test_undone_places_point_into_the_text_as_given(reader: Reader) -> None:
    text = "放学 加.微.信 聊"
    found = read(reader, text)
    assert found is not None
    [entry] = found.undone
    assert text[entry.start : entry.end] == entry.seen == "加.微.信"


@given(
    st.lists(
        st.sampled_from(["加", "微", "信", "赌", "博", "木", "仓", "支", ".", " ", "🎲", "wei", "好", "。"]),
        max_size=25,
    )
)
def test_a_reading_maps_every_character_into_the_text_as_given(parts: list[str]) -> None:
    text = "".join(parts)
    found = _READER.read(fold([text])).get(0)
    if found is not None:
        assert len(found.text) == len(found.starts) == len(found.ends)
        assert all(0 <= a < b <= len(text) for a, b in zip(found.starts.tolist(), found.ends.tolist(), strict=True))


_READER = Reader(WORDS)


def test_the_shipped_spellings_can_all_be_matched() -> None:
    assert len(load_variants()) > 30
    Reader([], load_variants())
