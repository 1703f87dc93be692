from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from classifiers.normalise.words import WordFinder

WORDS = ["微信", "加微信", "信", "sb", "😀好"]
FINDER = WordFinder(WORDS)


@given(st.text(alphabet="加微信sb😀好 \ud800", max_size=30))
def test_every_place_of_every_word_is_found_in_code_points(text: str) -> None:
    wanted = {
        (start, start + len(word), number)
        for number, word in enumerate(WORDS)
        for start in range(len(text))
        if text.startswith(word, start)
    }
    assert set(FINDER.find(text)) == wanted


def test_without_words_nothing_is_found() -> None:
    assert WordFinder([]).find("加微信") == []
