"""Folding keeps every offset true."""

from hypothesis import given
from hypothesis import strategies as st

from casework.folding import fold


@given(st.text())
def test_the_fold_has_as_many_code_points_as_the_text(text: str) -> None:
    assert len(fold(text)) == len(text)


@given(st.text())
def test_folding_twice_changes_nothing_more(text: str) -> None:
    once = fold(text)
    assert fold(once) == once


@given(st.text(), st.text())
def test_a_part_folds_alone_as_it_does_in_the_whole(before: str, after: str) -> None:
    assert fold(before + after) == fold(before) + fold(after)


def test_what_looks_alike_folds_alike() -> None:
    assert fold("ＶＸ：轉帳給Ａ") == fold("vx:转帐给a")
    assert fold("網絡") == "网络"
    assert fold("ﾃｽﾄ") == "テスト"


def test_a_character_whose_lower_case_is_longer_stays() -> None:
    assert fold("İ") == "İ"
