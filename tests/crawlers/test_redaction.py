"""Personal data is taken out of a text; what only looks like it stays."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.captures import rows
from benchmarks.redaction import Score, cases, score
from crawlers.capture import Capture
from crawlers.redaction import CONTACT_CODES, MARKERS, redact, redact_capture

KEY = b"only-for-tests"


@pytest.mark.parametrize("measured", score(), ids=lambda one: one.kind)
def test_each_kind_is_found_and_what_only_looks_like_it_is_not(measured: Score) -> None:
    assert measured.recall >= 0.98, measured.wrong
    assert measured.precision >= 0.95, measured.wrong


def test_the_cases_are_many_and_cover_every_kind() -> None:
    written = list(cases())

    assert len(written) >= 600
    assert len({case.text for case in written}) == len(written)
    for kind in MARKERS:
        assert sum(case.kind == kind for case in written) >= 25
        assert sum(case.kind == f"-{kind}" for case in written) >= 12


def test_only_contact_codes_leave_a_keyed_hash() -> None:
    found = [one for case in cases() for one in redact(case.text, key=KEY)[1]]

    assert {one.kind for one in found} == set(MARKERS)
    assert all((one.key is not None) is (one.kind in CONTACT_CODES) for one in found)


def test_a_contact_code_has_one_key_however_it_is_written_and_another_secret_gives_another() -> None:
    forms = ["13800001234", "138-0000-1234", "１３８ ００００ １２３４", "一三八零零零零一二三四", "138oooo1234"]
    keys = {redact(form, key=KEY)[1][0].key for form in forms}

    assert len(keys) == 1
    assert redact(forms[0], key=b"another")[1][0].key not in keys


def test_several_in_one_text_keep_their_places() -> None:
    redacted, spans = redact("a@b.example 或 13800001234，QQ 1234567", key=KEY)

    assert redacted == "〔邮箱〕 或 〔电话〕，QQ 〔QQ号〕"
    assert [redacted[one.start : one.end] for one in spans] == ["〔邮箱〕", "〔电话〕", "〔QQ号〕"]


FIGURES = {
    "plain": "0123456789",
    "full width": "０１２３４５６７８９",
    "circled": "⓪①②③④⑤⑥⑦⑧⑨",
    "black circles": "⓿❶❷❸❹❺❻❼❽❾",
    "Chinese": "零一二三四五六七八九",
    "Chinese with a circle": "〇一二三四五六七八九",
    "financial": "零壹贰叁肆伍陆柒捌玖",
    "spoken": "洞幺两三四五六拐八勾",
    "keycaps": [f"{figure}\ufe0f\u20e3" for figure in range(10)],
    "superscript": "⁰¹²³⁴⁵⁶⁷⁸⁹",
    "bold": "𝟎𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖𝟗",
    "letters": "o123456789",
}
BETWEEN = [
    "", " ", "-", ".", "·", "—", "、", "~", "  ", "*", "/", "_", "❤", "😂", "\u200b", "…", "，", "|", "+",
    "加", "x", "你",
]  # fmt: skip
IDENTITIES = ["11010519000101001X", "110105190312310028", "310101190506150001", "310101190208080017"]
CARDS = ["4111111111111111", "6222000000000009", "6217000000000000004"]
MOBILE = st.from_regex(r"1[3-9]\d{9}", fullmatch=True).filter(str.isascii)
QQ = st.from_regex(r"[1-9]\d{5,9}", fullmatch=True).filter(str.isascii)
PLANTED = st.one_of(
    st.tuples(st.just("手机"), MOBILE),
    st.tuples(st.just("联系我"), MOBILE),
    st.tuples(st.just("他是"), st.sampled_from(IDENTITIES)),
    st.tuples(st.just("打到"), st.sampled_from(CARDS)),
    st.tuples(st.just("QQ："), QQ),
)


def figures_of(text: str) -> str:
    """Every figure of a text in every writing, in order, with nothing between."""
    values = {form[value]: str(value) for form in FIGURES.values() for value in range(10) if len(form[value]) == 1}
    return "".join(values.get(char, "") for char in text)


AFTER = ["谢谢", "", "！快来", " 晚上在"]
WRITTEN = st.tuples(st.sampled_from(sorted(FIGURES)), st.sampled_from(BETWEEN)).filter(
    lambda one: one[0] != "letters" or one[1] not in BETWEEN[-3:]  # o among other letters is a letter
)


@given(PLANTED, WRITTEN, st.sampled_from(AFTER))
@settings(max_examples=400)
def test_no_planted_number_survives_in_any_writing(
    planted: tuple[str, str], written: tuple[str, str], after: str
) -> None:
    (before, number), (form, between) = planted, written
    text = between.join(FIGURES[form][int(one)] if one.isdigit() else one for one in number)
    redacted, found = redact(unicodedata.normalize("NFC", f"{before}{text}{after}"), key=KEY)

    assert found
    assert len(figures_of(redacted)) < 4


@given(MOBILE, st.data())
@settings(max_examples=200)
def test_no_planted_number_survives_when_each_figure_is_written_its_own_way(number: str, data: st.DataObject) -> None:
    forms = st.sampled_from(sorted(FIGURES.keys() - {"letters"}))
    marks = st.sampled_from(BETWEEN[1:-3])
    written = "".join(FIGURES[data.draw(forms)][int(figure)] + data.draw(marks) for figure in number)
    redacted, _ = redact(unicodedata.normalize("NFC", f"联系我{written}谢谢"), key=KEY)

    assert len(figures_of(redacted)) < 4


def test_a_capture_of_somebody_else_is_redacted_again_and_its_markers_keep_their_places() -> None:
    row = next(rows(1)) | {
        "text": "打 13800001234 或写 〔邮箱〕 问",
        "redactions": [{"kind": "email", "start": 17, "end": 21}],
    }
    capture = Capture.model_validate(row)
    again = redact_capture(capture, key=KEY)

    assert again.id == capture.id
    assert again.text == "打 〔电话〕 或写 〔邮箱〕 问"
    assert [(one.kind, again.text[one.start : one.end]) for one in again.redactions] == [
        ("phone", "〔电话〕"), ("email", "〔邮箱〕"),
    ]  # fmt: skip
    assert redact_capture(again, key=KEY) is again


@given(st.text(max_size=200))
def test_offsets_name_the_markers_and_the_rest_is_untouched(text: str) -> None:
    redacted, spans = redact(text, key=KEY)

    assert all(redacted[one.start : one.end] == MARKERS[one.kind] for one in spans)
    at, kept = 0, []
    for one in spans:
        kept.append(redacted[at : one.start])
        at = one.end
    pattern = ".+?".join(re.escape(part) for part in [*kept, redacted[at:]])
    assert re.fullmatch(pattern, text, re.DOTALL)
