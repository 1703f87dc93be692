"""Personal data in addresses of pages: what people see and what is logged has a keyed mark in its place.

A title with a number in it becomes part of an address (/t/call-13800001234/55), a search is one (?q=…), and so is
whose page it is (/users/name/…). A list needs the address as it is, so that is kept sealed (config/sealing.py).
Source: 个人信息保护法 Art 6; docs/redaction.md.
"""

from __future__ import annotations

import functools
import re
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from config.sealing import sealed
from crawlers.capture import Capture
from crawlers.numbers import Found
from crawlers.redaction import keyed, spans

PEOPLE = frozenset({"u", "user", "users", "member", "members", "people", "profile", "author", "space"})
"""Parts of a path after which a person's account stands."""
_NAMED = {
    "phone": "phone", "mobile": "phone", "tel": "phone", "telephone": "phone", "email": "email", "mail": "email",
    "qq": "qq", "wechat": "wechat", "weixin": "wechat", "idcard": "identity_number", "realname": "name",
    "username": "handle", "nickname": "handle", "nick": "handle",
}  # fmt: skip
"""Names of values in a query that are personal whatever they look like, however they are divided: user_name too."""
_NAMES = "|".join("_*".join(name) for name in _NAMED)
_HINT = re.compile(
    rf"\d{{5}}|\d{{3}}-\d{{4}}|[%@]|(?:^|[/=])(?:{'|'.join(PEOPLE)})/|[?&]_*(?:{_NAMES})_*=",
    re.IGNORECASE,
)
"""What an address must have in it to be looked at closely."""
_WORTH_READING = re.compile(r"\d{5}|\d{3}-\d{4}|@|[^\x00-\x7f]")
_SAFE = "-._~@!$'()*+,;:"
"""What stands in a part of a path as it is (RFC 3986 §3.3)."""
IDENTITY = 18
"""Characters of an identity number."""
_MARK = re.compile(r"(~[a-z]+-[a-p]{10})")
_MOBILE = re.compile(r"(?<!\d)1[3-9]\d{9}(?!\d)")
_AS_DIALLED = re.compile(
    r"\D*(?:86\W?)?1[3-9]\d\W?\d{4}\W?\d{4}\D*|\D*0\d{2,3}\W?\d{7,8}\D*|\D*[48]00\W?\d{3,4}\W?\d{3,4}\D*"
)
"""How a number is written that is one: 18202764-29-1 is a thread of a forum."""
_TOKEN = re.compile(r"(?=[^-_.]*\d)(?=[^-_.]*[a-z])[0-9a-z-]{16,}", re.IGNORECASE)


@functools.lru_cache(maxsize=8192)
def masked(address: str, key: bytes) -> str:
    """Return an address, whole or relative, with a mark like `~phone-abcdefghij` for each piece of personal data.

    The mark is made with the key: the same number has the same one, so that two addresses stay two.
    """
    if not _HINT.search(address):
        return address
    try:
        parts = urlsplit(address)
    except ValueError:
        return address
    path = _path(parts.path, key)
    query = "&".join(_pair(pair, key) for pair in parts.query.split("&"))
    netloc = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, netloc, path, query, _piece(parts.fragment, key)))


def mask_capture(capture: Capture, *, key: bytes) -> Capture:
    """Return a capture that somebody else supplies, with its addresses masked; its id stays."""
    url = masked(capture.url, key)
    return capture.model_copy(
        update={
            "url": url,
            "canonical_url": masked(capture.canonical_url, key),
            "sealed_url": sealed(capture.url, key) if url != capture.url else capture.sealed_url,
            "unit": masked_key(capture.unit, key),
            "thread": masked_key(capture.thread, key) if capture.thread else capture.thread,
        }
    )


def masked_key(value: str, key: bytes) -> str:
    """Return a site's own key of a unit or a thread, masked where it is an address or names somebody."""
    return masked(value, key) if "/" in value or "@" in value else value


def _path(path: str, key: bytes) -> str:
    pieces, before = [], ""
    for piece in path.split("/"):
        account = before in PEOPLE and piece and not _MARK.fullmatch(piece)
        pieces.append(_mark("handle", unquote(piece), key) if account else _piece(piece, key))
        before = piece.lower()
    return "/".join(pieces)


def _pair(pair: str, key: bytes) -> str:
    name, equals, value = pair.partition("=")
    kind = _NAMED.get(name.lower().replace("_", ""))
    if kind and value and not _MARK.fullmatch(value):
        return f"{name}{equals}{_mark(kind, unquote(value), key)}"
    return f"{_piece(name, key)}{equals}{_path(value, key)}"


def _piece(piece: str, key: bytes) -> str:
    """Return a part of an address with marks in it; what is marked already, and where nothing is to mark, stays."""
    return "".join(one if _MARK.fullmatch(one) else _unmarked(one, key) for one in _MARK.split(piece))


def _unmarked(piece: str, key: bytes) -> str:
    text = _unquoted(piece)
    if text.startswith("@") and len(text) > 1:
        return f"@{_mark('handle', text[1:], key)}"
    found = _found(text) if _WORTH_READING.search(text) else []
    parts, at = [], 0
    for start, end, kind, value in found:
        parts += [quote(text[at:start], safe=_SAFE), _mark(kind, value, key)]
        at = end
    return "".join([*parts, quote(text[at:], safe=_SAFE)]) if found else piece


def _found(text: str) -> list[Found]:
    """Return the personal data of a part; what is nothing but figures or a token is mostly the site's own number."""
    if text.isascii() and (text.isdecimal() or _TOKEN.fullmatch(text)):
        identity = spans(text) if len(text) == IDENTITY else []
        return [one for one in identity if one[2] == "identity_number"] or [
            (*one.span(), "phone", one[0]) for one in _MOBILE.finditer(text)
        ]
    return [
        (start, end, kind, value)
        for start, end, kind, value in spans(text)
        if kind != "phone" or not text[start:end].isascii() or _AS_DIALLED.fullmatch(text[start:end])
    ]


def _unquoted(piece: str) -> str:
    try:
        return unquote(piece, errors="strict")
    except UnicodeDecodeError:
        return unquote(piece, encoding="gb18030", errors="replace")


def _mark(kind: str, value: str, key: bytes) -> str:
    letters = keyed(kind, value.casefold(), key)[:10].translate(_LETTERS)
    return f"~{kind.replace('_', '')}-{letters}"


_LETTERS = str.maketrans("0123456789abcdef", "abcdefghijklmnop")
"""A mark holds no figure, so that it is never taken for a number."""
