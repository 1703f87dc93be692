"""Pages that are wrong in every way that a seeded die finds."""

from __future__ import annotations

import gzip
import random
from collections.abc import Callable

from tests.crawlers import forum
from tests.crawlers.site import Reply, Site

HTML = "text/html; charset=utf-8"


def put(site: Site, pages: int) -> set[str]:
    """Put malformed threads on a site, a good one after every tenth; return the texts of the good ones."""
    names = [f"m{n}" for n in range(pages)]
    rows, good = [], set()
    for number, name in enumerate(names):
        rows.append(forum.listed(name, f"/t/{name}", 1))
        site.pages[f"/t/{name}"] = page(number)
        if number % 10 == 9:
            text = f"好帖 {number}"
            rows.append(forum.listed(f"g{number}", f"/t/g{number}", 0))
            site.pages[f"/t/g{number}"] = forum.post(f"g{number}", text)
            good.add(text)
    site.pages["/list"] = "".join(rows)
    return good


def page(number: int) -> Reply:
    """Return the `number`-th malformed page, the same each time."""
    dice = random.Random(number)
    good = "".join(forum.post(f"{number}-{n}", f"第 {n} 层") for n in range(3)).encode()
    return dice.choice(_KINDS)(good, dice)


def _cut(good: bytes, dice: random.Random) -> Reply:
    return Reply(good[: dice.randrange(len(good))])


def _noise(good: bytes, dice: random.Random) -> Reply:
    return Reply(dice.randbytes(dice.randrange(2000)))


def _flipped(good: bytes, dice: random.Random) -> Reply:
    body = bytearray(good)
    for _ in range(20):
        body[dice.randrange(len(body))] = dice.randrange(256)
    return Reply(bytes(body))


def _mislabelled(good: bytes, dice: random.Random) -> Reply:
    kinds = (
        "application/pdf",
        "image/png",
        "text/html; charset=klingon",
        "",
        "application/json",
        "text/html; charset=utf-16",
    )
    return Reply(good, headers={"Content-Type": dice.choice(kinds)})


def _deep(good: bytes, dice: random.Random) -> Reply:
    return Reply(b"<div>" * dice.randrange(200, 20_000) + good)


def _unclosed(good: bytes, dice: random.Random) -> Reply:
    return Reply(good.replace(b"</p>", b"<table><tr><p").replace(b">", b"", dice.randrange(3)))


def _nulls(good: bytes, dice: random.Random) -> Reply:
    return Reply(good.replace(b" ", b"\x00" * dice.randrange(1, 4)))


def _not_packed(good: bytes, dice: random.Random) -> Reply:
    return Reply(good, headers={"Content-Encoding": dice.choice(("gzip", "br", "zstd", "deflate", "rot13"))})


def _half_packed(good: bytes, dice: random.Random) -> Reply:
    packed = gzip.compress(good)
    return Reply(packed[: dice.randrange(5, len(packed))], headers={"Content-Encoding": "gzip"})


def _odd_status(good: bytes, dice: random.Random) -> Reply:
    return Reply(good, dice.choice((204, 206, 226, 300, 305, 400, 402, 418, 451, 500, 520, 599)))


def _lying_length(good: bytes, dice: random.Random) -> Reply:
    return Reply(good, headers={"Content-Length": str(len(good) + dice.choice((1, 500))), "Connection": "close"})


def _nowhere(good: bytes, dice: random.Random) -> Reply:
    targets = (
        "http://",
        "//",
        "http://[::1",
        "javascript:void(0)",
        "\x80",
        "http://127.0.0.1:99999/",
        "/t/" + "a" * 9000,
    )
    return Reply(b"", 302, {"Location": dice.choice(targets).encode("latin-1", "replace").decode("latin-1")})


def _strange_key(good: bytes, dice: random.Random) -> Reply:
    key = dice.choice(("", " ", "\U0001f426" * 400, "'; DROP TABLE unit; --", "../../etc", "\ud7ff"))
    return Reply(
        forum.post(key, dice.choice(("", "\u202e\u200b", "字" * 50_000, "&#0;&#xD800;&amp", "<![CDATA[x]]>")), "昨昨昨")
    )


_KINDS: list[Callable[[bytes, random.Random], Reply]] = [
    _cut, _noise, _flipped, _mislabelled, _deep, _unclosed, _nulls, _not_packed, _half_packed, _odd_status,
    _lying_length, _nowhere, _strange_key,
]  # fmt: skip
