"""Traps below the page: bodies without end, broken connections, certificates, names."""

from __future__ import annotations

import gzip
from functools import lru_cache

from tests.crawlers import certificates, forum
from tests.crawlers.site import Reply
from tests.crawlers.traps.ground import Ground, Sprung, kept, trap

MEGABYTE = 1_000_000
MOST = 16 * MEGABYTE
"""What a server may have sent of a page before a crawler that stops at 5 MB has closed the connection."""


def _others_are_read(ground: Ground, bad: Reply) -> None:
    """Put a bad thread before a good one; the good one must still be read."""
    ground.forum({"t1": ["坏"], "t2": ["好"]})
    ground.site.pages["/t/t1"] = bad
    kept(ground.crawl(), "好")


@trap("a body without end", "closed after 5 MB; the next page is read", "too large")
def _endless(ground: Ground) -> None:
    _others_are_read(ground, Reply("<p>没完没了</p>" * 4000, stream=True))
    if ground.site.sent > MOST:
        raise Sprung(f"took {ground.site.sent // MEGABYTE} MB")


@trap("a line of 10 MB", "not taken; the next page is read", "too large")
def _long_line(ground: Ground) -> None:
    _others_are_read(ground, Reply(forum.post("1", "长" * (10 * MEGABYTE // 3))))
    if ground.site.sent > MOST:
        raise Sprung(f"took {ground.site.sent // MEGABYTE} MB")


@lru_cache
def bomb() -> bytes:
    """Return 50 KB that unpack to 50 MB of posts."""
    return gzip.compress(forum.post("1", "炸").encode() + b" " * (50 * MEGABYTE), 9)


@trap("50 KB that unpack to 50 MB", "not unpacked; the next page is read", "too large, unpacked")
def _bomb(ground: Ground) -> None:
    _others_are_read(ground, Reply(bomb(), headers={"Content-Encoding": "gzip"}))


@trap("a compressed page that is broken", "the next page is read", "the compression is broken")
def _broken(ground: Ground) -> None:
    _others_are_read(ground, Reply(b"\x1f\x8b\x08\x00nonsense" * 9, headers={"Content-Encoding": "gzip"}))


@trap("a body that is cut off", "not taken for the whole, asked again next time", "the body was cut off")
def _cut_off(ground: Ground) -> None:
    ground.forum({"t1": ["一", "二"]})
    whole = str(ground.site.pages["/t/t1"])
    half = whole[: whole.index("<div", 5)]
    ground.site.pages["/t/t1"] = Reply(half, headers={"Content-Length": "9000", "Connection": "close"})
    texts = ground.crawl()
    kept(texts)
    ground.site.pages["/t/t1"] = whole
    kept(ground.crawl(), "一", "二")


@trap("a connection that is closed without an answer", "the next page is read", "the connection broke")
def _closed(ground: Ground) -> None:
    _others_are_read(ground, Reply(silent=True))


@trap("a certificate that nobody trusts", "nothing is read", "robots.txt did not answer")
def _certificate(ground: Ground) -> None:
    other = ground.another(secure=True)
    other.pages.update(ground.site.pages)
    texts = ground.crawl(base_url=other.url_at(certificates.HOST))
    if other.log or texts:
        raise Sprung("read the site all the same")


@trap("a name that cannot be resolved", "it is told, and the crawl ends", "robots.txt did not answer")
def _no_name(ground: Ground) -> None:
    kept(ground.crawl(base_url="http://nowhere.example.com/"))


@trap("a redirect that goes round", "at most 6 requests for it", "redirect")
def _round(ground: Ground) -> None:
    ground.forum({"t1": ["坏"], "t2": ["好"]})
    ground.site.pages["/t/t1"] = Reply("", 302, {"Location": "/t/t1"})
    kept(ground.crawl(), "好")
    if len(ground.pages()) > 8:
        raise Sprung(f"made {len(ground.pages()) - 2} requests for it")
