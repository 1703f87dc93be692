"""Personal data is taken out of a text before it is written anywhere; where it stood is kept, what it was is not.

Redacted: phone and identity numbers, bank cards, e-mail, QQ, WeChat and other contact codes, addresses, school and
class, plates, handles. Figures are read through full-width, circled and Chinese forms and through separators.
Source: 个人信息保护法 Arts 6 and 19 (docs/retention.md).
"""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from stdnum import luhn
from stdnum.cn import ric

from crawlers.capture import Redaction

MARKERS = {
    "identity_number": "〔证件号〕",
    "bank_card": "〔银行卡号〕",
    "phone": "〔电话〕",
    "email": "〔邮箱〕",
    "wechat": "〔微信号〕",
    "qq": "〔QQ号〕",
    "plate": "〔车牌号〕",
    "address": "〔地址〕",
    "school_class": "〔学校班级〕",
    "handle": "@〔用户〕",
}
CONTACT_CODES = frozenset({"phone", "wechat", "qq", "email"})
"""Kinds that may themselves be the harm (an advertiser's number): a keyed hash is kept so that repeats are found."""

_DIGITS = {
    **dict(zip("零〇一二三四五六七八九", "00123456789", strict=True)),
    **dict(zip("壹贰叁肆伍陆柒捌玖幺", "1234567891", strict=True)),
    **dict(zip("oO", "00", strict=True)),
}
_SEPARATOR = r"[\s\-_.·,，、~*/|—–\ufe0f\u20e3]{0,4}"
"""What people put between figures; the last two make an emoji of a figure."""


@dataclass(frozen=True)
class _Kind:
    name: str
    pattern: re.Pattern[str]
    accept: Callable[[str], bool] = lambda value: True


def redact(text: str, *, key: bytes) -> tuple[str, tuple[Redaction, ...]]:
    """Return the text with personal data replaced by markers, and where the markers stand.

    Args:
        text: NFC text.
        key: secret for the keyed hashes of contact codes.
    """
    parts: list[str] = []
    redactions: list[Redaction] = []
    at = length = 0
    for start, end, kind in _found(text):
        marker = MARKERS[kind]
        parts += [text[at:start], marker]
        length += start - at
        code = _keyed(kind, text[start:end], key) if kind in CONTACT_CODES else None
        redactions.append(Redaction(kind=kind, start=length, end=length + len(marker), key=code))
        length += len(marker)
        at = end
    return "".join([*parts, text[at:]]), tuple(redactions)


def _found(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield spans from left to right; where kinds overlap the earlier in the list of kinds wins."""
    figures, letters = _as_figures(text), _as_letters(text)
    taken: list[tuple[int, int, str]] = []
    for kind in _KINDS:
        source = figures if kind.name in _READ_AS_FIGURES else letters
        for match in kind.pattern.finditer(source):
            start, end = match.span("code" if "code" in kind.pattern.groupindex else 0)
            if kind.accept(source[start:end]) and not any(start < stop and begin < end for begin, stop, _ in taken):
                taken.append((start, end, kind.name))
    yield from sorted(taken)


def _as_figures(text: str) -> str:
    """Fold every form of a figure to ASCII, code point by code point, so that offsets stay."""
    return "".join(_DIGITS.get(char) or _one(char) for char in text)


def _as_letters(text: str) -> str:
    return "".join(_one(char) for char in text)


def _one(char: str) -> str:
    folded = unicodedata.normalize("NFKC", char)
    return folded if len(folded) == 1 else char


def _figures_of(value: str) -> str:
    return re.sub(r"[^0-9Xx]", "", value)


def _keyed(kind: str, value: str, key: bytes) -> str:
    normal = re.sub(r"[\W_]", "", _as_figures(value)).casefold()
    return hmac.new(key, f"{kind}:{normal}".encode(), hashlib.sha256).hexdigest()[:32]


def _spaced(*groups: int) -> str:
    """A pattern of figures with up to three separators between any two."""
    return _SEPARATOR.join([r"\d"] * sum(groups))


_READ_AS_FIGURES = {"identity_number", "bank_card", "phone", "qq"}
_AFTER = r"(?!\d)"
_BEFORE = r"(?<!\d)"
_CODE = r"[A-Za-z][A-Za-z0-9_-]{5,19}"
_PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
_KINDS = (
    _Kind(
        "identity_number",
        re.compile(_BEFORE + r"[1-9]" + _SEPARATOR + _spaced(16) + _SEPARATOR + r"[\dXx]" + _AFTER),
        lambda value: ric.is_valid(_figures_of(value).upper()),
    ),
    _Kind(
        "bank_card",
        re.compile(_BEFORE + r"[3-6]" + r"(?:[ \-]?\d){15,18}" + _AFTER),
        lambda value: luhn.is_valid(_figures_of(value)),
    ),
    _Kind(
        "phone",
        re.compile(
            _BEFORE + r"(?:\+?86" + _SEPARATOR + r")?1" + _SEPARATOR + r"[3-9]" + _SEPARATOR + _spaced(9) + _AFTER
        ),
    ),
    _Kind("phone", re.compile(_BEFORE + r"0\d{2,3}[- ]\d{7,8}" + _AFTER)),
    _Kind("phone", re.compile(_BEFORE + r"[48]00-?\d{3}-?\d{4}" + _AFTER)),
    _Kind("email", re.compile(r"[A-Za-z0-9][A-Za-z0-9._%+-]{0,60}\s?@\s?[A-Za-z0-9-]{1,60}(?:\.[A-Za-z]{2,12}){1,3}")),
    _Kind(
        "qq",
        re.compile(
            r"(?:[Qq]{2}|扣扣|企鹅|秋秋|[Qq]群|裙号?|群号?|[Qq])\s*(?:号码?|群号?|群)?\s*[:：是为加]?\s*"
            r"(?P<code>[1-9]" + _SEPARATOR + r"(?:\d" + _SEPARATOR + r"){3,9}\d)" + _AFTER
        ),
    ),
    _Kind(
        "wechat",
        re.compile(
            r"(?:微信|威信|薇信|卫星|v信|V信|VX|vx|Vx|wx|WX|weixin|[加+][vV薇微威]|[薇微威][❤♥心芯]?\ufe0f?信?|扣)\s*(?:号码?|号)?"
            r"\s*[:：是为]?\s*(?P<code>" + _CODE + r")(?![A-Za-z0-9])"
        ),
    ),
    _Kind("plate", re.compile(rf"[{_PROVINCES}][A-HJ-NP-Z][·\s]?[A-HJ-NP-Z0-9]{{5,6}}(?![A-Za-z0-9])")),
    _Kind(
        "school_class",
        re.compile(
            r"[\u4e00-\u9fff]{2,10}(?:小学|中学|一中|二中|三中|实验学校|附中|附小|幼儿园)(?:分校|[东西南北]校区)?"
            r"[\s,，]*(?:[小初高]?[一二三四五六七八九\d]{1,2}年级|[初高][一二三])[\s,，]*"
            r"(?:[（(]?[一二三四五六七八九十\d]{1,2}[)）]?班)?"
        ),
    ),
    _Kind(
        "address",
        re.compile(
            r"(?:[\u4e00-\u9fff]{2,6}[省市区县])?[\u4e00-\u9fff]{2,8}(?:路|街|弄|巷|大道|新村|小区|花园)"
            r"\s*\d{1,5}\s*(?:号|弄|幢|栋|单元|室|支弄)(?:\s*\d{1,5}\s*(?:号楼?|幢|栋|单元|室|层))*"
        ),
    ),
    _Kind("handle", re.compile(r"(?<![A-Za-z0-9._%+-])@[\w\u4e00-\u9fff-]{2,30}")),
)
