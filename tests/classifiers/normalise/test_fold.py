from __future__ import annotations

from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.normalise import fold, undone
from classifiers.normalise.fold import as_given
from classifiers.normalise.listed import read_listed
from classifiers.normalise.tables import DIGIT, HAN, LATIN, OTHER, SPACE

TEXT = st.text(alphabet=st.characters(codec="utf-8"), max_size=60)


@pytest.mark.parametrize(
    ("given_", "read"),
    [
        ("ＡＢＣ１２３", "abc123"),
        ("𝘍𝘛𝘈675", "fta675"),
        ("①③⑧", "138"),
        ("ⓥⓧ", "vx"),
        ("賭博網站", "赌博网站"),
        ("赌\u200b博", "赌博"),
        ("赌\u0335博\u0335", "赌博"),
        ("раураl", "paypal"),
        ("哈哈哈哈哈哈哈", "哈哈哈"),
        ("好   的", "好 的"),
        ("13800000000", "13800000000"),
    ],
)
def test_forms_of_a_character_are_read_as_the_character(given_: str, read: str) -> None:
    assert fold([given_]).text(0) == read


@given(st.lists(TEXT, max_size=5))
def test_folding_twice_gives_what_folding_once_gives(texts: list[str]) -> None:
    once = fold(texts)
    again = fold([once.text(k) for k in range(len(once))])
    assert [again.text(k) for k in range(len(again))] == [once.text(k) for k in range(len(once))]


@given(st.lists(TEXT, min_size=1, max_size=5))
def test_every_character_points_into_its_own_text_as_given(texts: list[str]) -> None:
    folded = fold(texts)
    for number, text in enumerate(texts):
        part = slice(int(folded.bounds[number]), int(folded.bounds[number + 1]))
        starts, ends = folded.source[part].tolist(), folded.ends[part].tolist()
        assert all(0 <= start < end <= len(text) for start, end in zip(starts, ends, strict=True))
        assert starts == sorted(starts)


@given(st.lists(TEXT, min_size=2, max_size=5))
def test_a_text_is_folded_the_same_alone_and_in_a_batch(texts: list[str]) -> None:
    together = fold(texts)
    assert [together.text(k) for k in range(len(texts))] == [fold([text]).text(0) for text in texts]


@given(st.lists(TEXT, min_size=1, max_size=3))
def test_what_was_undone_quotes_the_text_as_given(texts: list[str]) -> None:
    for number, entries in undone(fold(texts)).items():
        for entry in entries:
            assert texts[number][entry.start : entry.end] == entry.seen


def test_an_accent_on_a_foreign_word_and_an_emoji_are_no_evasion() -> None:
    assert undone(fold(["caf\u0065\u0301 👨\u200d👩\u200d👧 ❤\ufe0f"])) == {}


def test_traditional_characters_are_named_as_one_stretch() -> None:
    [entry] = undone(fold(["在線賭場"]))[0]
    assert (entry.seen, entry.read_as, entry.kind) == ("線賭場", "线赌场", "traditional")


def test_variant_characters_are_read_as_what_every_reader_takes_them_for() -> None:
    folded = fold(["氷妳伱髙亊覇売単銭様県譲"])
    assert folded.text(0) == "冰你你高事霸卖单钱样县让"
    assert {entry.kind for entry in undone(folded)[0]} == {"variant"}


def test_characters_of_modern_chinese_are_no_variants_though_they_are_of_others_too() -> None:
    text = "芸芸众生给予弁浜欠着喆欸"
    assert fold([text]).text(0) == text
    assert undone(fold([text])) == {}


def test_no_listed_variant_is_a_character_of_gb_2312_and_each_means_one_that_stays() -> None:
    for read, others in read_listed("same.tsv").items():
        assert fold([read]).text(0) == read
        assert fold(list(others)).texts() == [read] * len(others)
        assert not [other for other in others if other.encode("gb2312", "ignore")]


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("丢 死 人", "丢死人"),
        ("往 死 罚，，", "往死罚,,"),
        ("十 十 十 十 十 十", "十十十"),
        ("我 和", "我 和"),
        ("你好 我 好", "你好 我 好"),
        ("新 年 快乐", "新 年 快乐"),
    ],
)
def test_a_short_text_is_letter_spaced_where_no_two_characters_stand_together(text: str, read: str) -> None:
    assert fold([text]).text(0) == read
    assert fold([read]).text(0) == read


def test_a_lone_surrogate_is_folded_like_any_character() -> None:
    assert fold(["\ud800好"]).text(0) == "\ud800好"


def test_texts_as_given_have_the_shape_of_folded_ones_and_nothing_folded() -> None:
    texts = ["ＡＢ\u200b賭", "", "加 微 信"]
    found = as_given(texts)
    assert [found.text(k) for k in range(3)] == texts
    assert found.source.tolist() == [0, 1, 2, 3, 0, 1, 2, 3, 4]
    assert (found.ends == found.source + 1).all()


@given(st.lists(st.text("a😀。1 \t\n", max_size=12), min_size=1, max_size=4))
def test_runs_are_shortened_to_three_blanks_to_one_and_digits_not_at_all(texts: list[str]) -> None:
    for text, folded in zip(texts, fold(texts).texts(), strict=True):
        runs = [(char, len(list(run))) for char, run in groupby(" " if char.isspace() else char for char in text)]
        most = {" ": 1, "1": 12}
        assert folded == "".join(char * min(count, most.get(char, 3)) for char, count in runs)


def test_texts_know_whose_their_characters_are_and_of_what_kind() -> None:
    folded = fold(["好1", "", "a。 "])
    assert folded.owner.tolist() == [0, 0, 2, 2, 2]
    assert folded.shape.tolist() == [HAN, DIGIT, LATIN, OTHER, SPACE]
    assert folded.texts() == [folded.text(number) for number in range(3)] == ["好1", "", "a。 "]
