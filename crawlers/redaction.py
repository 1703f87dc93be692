"""Personal data is taken out of a text before it is written anywhere; where it stood is kept, what it was is not.

Redacted: telephone and identity numbers, bank cards, e-mail, QQ, WeChat and other contact codes, plates, school and
class, addresses, handles, and names that are given as such; also when written to evade (一三八, 1-3-8, ①③⑧, 薇❤信).
Source: 个人信息保护法 Arts 6 and 19; docs/redaction.md.
"""

from __future__ import annotations

import hashlib
import hmac
import unicodedata

from crawlers import numbers, personal
from crawlers.capture import MAX_TEXT_CHARS, Capture, Redaction
from crawlers.figures import count, fold, read_chinese
from crawlers.personal import EMAIL, WORDED

MARKERS = {
    "identity_number": "〔证件号〕",
    "bank_card": "〔银行卡号〕",
    "phone": "〔电话〕",
    "email": "〔邮箱〕",
    "wechat": "〔微信号〕",
    "qq": "〔QQ号〕",
    "contact": "〔联系方式〕",
    "plate": "〔车牌号〕",
    "address": "〔地址〕",
    "school_class": "〔学校班级〕",
    "name": "〔姓名〕",
    "handle": "@〔用户〕",
}
CONTACT_CODES = frozenset({"phone", "wechat", "qq", "email", "contact"})
"""Kinds that may themselves be the harm (an advertiser's number): a keyed hash is kept so that repeats are found."""


def redact(text: str, *, key: bytes) -> tuple[str, tuple[Redaction, ...]]:
    """Return the text with personal data replaced by markers, and where the markers stand.

    Args:
        text: NFC text.
        key: secret for the keyed hashes of contact codes.
    """
    parts: list[str] = []
    redactions: list[Redaction] = []
    at = length = 0
    for start, end, kind, value in spans(text):
        marker = MARKERS[kind]
        parts += [text[at:start], marker]
        length += start - at
        code = keyed(kind, value, key) if kind in CONTACT_CODES else None
        redactions.append(Redaction(kind=kind, start=length, end=length + len(marker), key=code))
        length += len(marker)
        at = end
    if not redactions:
        return text, ()
    return "".join([*parts, text[at:]]), tuple(redactions)


def redact_capture(capture: Capture, *, key: bytes) -> Capture:
    """Return a capture that somebody else supplies, with what its redaction left taken out; its id stays."""
    found = spans(capture.text)
    if not found:
        return capture
    known = [one for one in capture.redactions if not _overlaps(one.start, one.end, found)]
    text, fresh = redact(capture.text, key=key)
    moved = [one.model_copy(update=_moved(one, found)) for one in known]
    kept = sorted((*fresh, *moved), key=lambda one: one.start)
    flags = capture.flags if len(text) <= MAX_TEXT_CHARS or "cut" in capture.flags else (*capture.flags, "cut")
    within = tuple(one for one in kept if one.end <= MAX_TEXT_CHARS)
    return capture.model_copy(update={"text": text[:MAX_TEXT_CHARS], "redactions": within, "flags": flags})


def _moved(one: Redaction, found: list[numbers.Found]) -> dict[str, int]:
    """Return where a marker stands after those before it were put in."""
    by = sum(len(MARKERS[kind]) - (end - start) for start, end, kind, _ in found if end <= one.start)
    return {"start": one.start + by, "end": one.end + by}


def spans(text: str) -> list[numbers.Found]:
    """Return the personal data of a text from left to right: start, end, kind, and the value as it is hashed."""
    letters = fold(text)
    plain, chinese = count(letters)
    figures = read_chinese(letters) if plain + chinese >= numbers.LEAST else letters
    taken: list[numbers.Found] = []
    for source in (
        personal.find(EMAIL, letters, figures, plain + chinese),
        numbers.find(letters, figures) if plain + chinese >= numbers.LEAST else (),
        personal.find(WORDED, letters, figures, plain + chinese),
    ):
        for start, end, kind, value in source:
            if not _overlaps(start, end, taken):
                taken.append((*_whole(letters, start, end), kind, value))
    return sorted(taken)


def _overlaps(start: int, end: int, taken: list[numbers.Found]) -> bool:
    return any(start < stop and begin < end for begin, stop, _, _ in taken)


def _whole(text: str, start: int, end: int) -> tuple[int, int]:
    """Return the span with the marks that belong to its last figure, and with the bracket that it opens with."""
    while end < len(text) and unicodedata.category(text[end]) in {"Mn", "Me"}:
        end += 1
    opens = text[max(0, start - 1) : start] == "(" and ")" in text[start:end] and "(" not in text[start:end]
    return start - opens, end


def keyed(kind: str, value: str, key: bytes) -> str:
    """Return the keyed hash of a value, 32 hex digits."""
    return hmac.new(key, f"{kind}:{value}".encode(), hashlib.sha256).hexdigest()[:32]
