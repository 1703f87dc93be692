"""Personal data is taken out of a text; what only looks like it stays."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.redaction import CONTACT_CODES, MARKERS, redact

KEY = b"only-for-tests"


def kinds(text: str) -> list[str]:
    return [one.kind for one in redact(text, key=KEY)[1]]


# Numbers here are invented: valid in form, and belonging to nobody we know.
@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("打 13800001234 找我", "phone"),
        ("电话：138-0000-1234", "phone"),
        ("138 0000 1234", "phone"),
        ("+86 138 0000 1234", "phone"),
        ("１３８００００１２３４", "phone"),
        ("①③⑧⓪⓪⓪⓪①②③④", "phone"),
        ("1️⃣3️⃣8️⃣0️⃣0️⃣0️⃣0️⃣1️⃣2️⃣3️⃣4️⃣", "phone"),
        ("一三八零零零零一二三四", "phone"),
        ("壹叁捌零零零零壹贰叁肆", "phone"),
        ("幺三八〇〇〇〇幺二三四", "phone"),
        ("1-3-8-0-0-0-0-1-2-3-4", "phone"),
        ("1.3.8.0.0.0.0.1.2.3.4", "phone"),
        ("138oooo1234", "phone"),
        ("021-55501234", "phone"),
        ("400-555-0123", "phone"),
        ("我的号是11010519491231002X，别外传", "identity_number"),
        ("110105 19491231 002X", "identity_number"),
        ("卡号 4111 1111 1111 1111", "bank_card"),
        ("写信到 nobody@mail.example", "email"),
        ("ｎｏｂｏｄｙ＠ｍａｉｌ.ｅｘａｍｐｌｅ", "email"),
        ("加QQ：1234567890", "qq"),
        ("扣扣 1234567890", "qq"),
        ("企鹅号一二三四五六七八九", "qq"),
        ("QQ群 987654321", "qq"),
        ("q1 2 3 4 5 6 7 8 9", "qq"),
        ("加微信 abc_12345", "wechat"),
        ("加薇 abc_12345", "wechat"),
        ("薇❤信：abc_12345", "wechat"),
        ("薇❤️信：abc_12345", "wechat"),
        ("VX:abc_12345", "wechat"),
        ("＋V abc_12345", "wechat"),
        ("车牌沪A12B34", "plate"),
        ("沪A·D12345", "plate"),
        ("我住虚构市梧桐路12号3单元402室", "address"),
        ("他在虚构实验小学三年级2班", "school_class"),
        ("虚构中学初二（3）班", "school_class"),
        ("@小满同学 你看", "handle"),
        ("＠nobody_1 你看", "handle"),
    ],
)
def test_personal_data_is_replaced_by_its_marker(text: str, kind: str) -> None:
    redacted, spans = redact(unicodedata.normalize("NFC", text), key=KEY)

    assert [one.kind for one in spans] == [kind]
    assert redacted[spans[0].start : spans[0].end] == MARKERS[kind]
    assert (spans[0].key is not None) is (kind in CONTACT_CODES)


@pytest.mark.parametrize(
    "text",
    [
        "订单号 20261124000138000012345678",
        "比分 3:2，第 90 分钟",
        "2026年11月24日 13:80",
        "2026-11-24 08:00:00",
        "游戏ID 10086",
        "π 是 3.14159265358979",
        "价格 1999 元，涨了 13%",
        "编号 110105194912310021",
        "4111111111111112",
        "第十三届，一三五值日，二四六休息",
        "他跑了 100 米用了 13.8 秒",
        "我在三年级，成绩还行",
        "加油！加一勺糖",
        "微信支付很方便",
        "看了 3 集 第 12 话",
        "坐 13 路公交到二年级教室",
        "1/2 + 3/4 = 5/4",
        "微信公众号 关注一下",
        "北京路很热闹",
        "12345678901234567890",
    ],
)
def test_what_only_looks_like_it_stays(text: str) -> None:
    assert redact(text, key=KEY) == (text, ())


def test_a_contact_code_has_one_key_however_it_is_written_and_another_secret_gives_another() -> None:
    forms = ["13800001234", "138-0000-1234", "１３８ ００００ １２３４", "一三八零零零零一二三四", "138oooo1234"]
    keys = {redact(form, key=KEY)[1][0].key for form in forms}

    assert len(keys) == 1
    assert redact(forms[0], key=b"another")[1][0].key not in keys


def test_several_in_one_text_keep_their_places() -> None:
    redacted, spans = redact("a@b.example 或 13800001234，QQ 1234567", key=KEY)

    assert redacted == "〔邮箱〕 或 〔电话〕，QQ 〔QQ号〕"
    assert [redacted[one.start : one.end] for one in spans] == ["〔邮箱〕", "〔电话〕", "〔QQ号〕"]


SEPARATORS = st.sampled_from(["", " ", "-", ".", "·", "—", "、", "~", "  "])
FORMS = ["0123456789", "０１２３４５６７８９", "⓪①②③④⑤⑥⑦⑧⑨", "零一二三四五六七八九", "〇壹贰叁肆伍陆柒捌玖"]


@given(st.data(), st.from_regex(r"1[3-9]\d{9}", fullmatch=True).filter(str.isascii))
def test_no_planted_phone_number_survives(data: st.DataObject, number: str) -> None:
    form = data.draw(st.sampled_from(FORMS))
    written = "".join(form[int(digit)] + data.draw(SEPARATORS) for digit in number)
    redacted, _ = redact(f"联系我{written}谢谢", key=KEY)

    figures = "".join(str(form.index(char)) for char in redacted if char in form)
    assert number not in figures
    assert len(figures) < 4


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
