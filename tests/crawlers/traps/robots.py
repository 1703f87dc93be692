"""Traps about robots.txt (RFC 9309)."""

from __future__ import annotations

from functools import partial

from tests.crawlers import certificates
from tests.crawlers.site import ALLOW_ALL, Reply
from tests.crawlers.traps.ground import Ground, asked_only, kept, trap

NOTHING = "nothing is fetched"


def _answers(ground: Ground, *, status: int) -> None:
    ground.robots("", status)
    ground.crawl()
    asked_only(ground.site)


for _status in (401, 403, 429, 500, 503):
    trap(f"robots.txt answers {_status}", NOTHING, f"robots.txt answered {_status}")(partial(_answers, status=_status))


def _holds(ground: Ground, *, body: str) -> None:
    ground.robots(body)
    ground.crawl()
    asked_only(ground.site)


for _name, _body, _told in (
    ("robots.txt is a page of HTML", "<!DOCTYPE html><title>首页</title>", "is a page of HTML"),
    ("robots.txt is an error in JSON, at 200", '{"code": 500, "msg": "error"}', "holds no rule"),
    ("robots.txt begins with a byte order mark", "\ufeffUser-agent: *\nDisallow: /\n", "disallows"),
    ("robots.txt names our agent alone", f"User-agent: SilverWoodpecker\nDisallow: /\n\n{ALLOW_ALL}", "disallows"),
    ("robots.txt with * and $", "User-agent: *\nDisallow: /*st$\n", "disallows"),
    ("robots.txt in lower case, with blanks", "user-agent : *\ndisallow :/\n", "disallows"),
    ("robots.txt of 800 KB, its rules first", "User-agent: *\nDisallow: /\n" + "# 说明\n" * 80_000, "disallows"),
):  # fmt: skip
    trap(_name, NOTHING, _told)(partial(_holds, body=_body))


@trap("robots.txt answers 404", "everything may be read")
def _absent(ground: Ground) -> None:
    ground.robots("没有", 404)
    kept(ground.crawl(), "一")


@trap("robots.txt is cut off", NOTHING, "robots.txt did not answer")
def _cut_off(ground: Ground) -> None:
    ground.robots("User-agent: *\n", Content_Length="500", Connection="close")
    ground.crawl()
    asked_only(ground.site)


@trap("robots.txt does not answer", NOTHING, "robots.txt did not answer")
def _silent(ground: Ground) -> None:
    ground.site.pages["/robots.txt"] = Reply(silent=True)
    ground.crawl()
    asked_only(ground.site)


@trap("robots.txt redirects for ever", NOTHING, "robots.txt did not answer")
def _round_and_round(ground: Ground) -> None:
    ground.robots("", 302, Location="/robots.txt?again")
    ground.site.pages["/robots.txt?again"] = Reply("", 302, {"Location": "/robots.txt"})
    ground.crawl()
    asked_only(ground.site)


@trap("robots.txt is in another place", "it is followed and obeyed", "disallows")
def _moved(ground: Ground) -> None:
    ground.robots("", 301, Location="/rules.txt")
    ground.site.pages["/rules.txt"] = Reply("User-agent: *\nDisallow: /t/\n", headers={"Content-Type": "text/plain"})
    ground.crawl()
    asked_only(ground.site, "/rules.txt", "/list")


@trap("the longer rule allows", "the page is read")
def _longest(ground: Ground) -> None:
    ground.robots("User-agent: *\nDisallow: /\nAllow: /list\nAllow: /t/\n")
    kept(ground.crawl(), "一")


@trap("a disallowed path in Chinese", "it is not fetched, however it is written", "disallows")
def _chinese(ground: Ground) -> None:
    ground.robots("User-agent: *\nDisallow: /私密/\n")
    ground.site.pages["/list"] = str(ground.site.pages["/list"]).replace("/t/t1", "/%E7%A7%81%E5%AF%86/1")
    ground.crawl()
    asked_only(ground.site, "/list")


@trap("robots.txt is older than 24 h", "it is read again before anything else", "disallows")
def _old(ground: Ground) -> None:
    ground.crawl()
    ground.robots("User-agent: *\nDisallow: /\n")
    ground.site.log.clear()
    ground.walker.later(25 * 3600)
    ground.crawl()
    asked_only(ground.site)


@trap("a robots.txt for each port", "each port's own is obeyed", "disallows")
def _per_port(ground: Ground) -> None:
    other = ground.another()
    other.pages["/robots.txt"] = Reply("User-agent: *\nDisallow: /\n", headers={"Content-Type": "text/plain"})
    other.pages["/t/t1"] = ground.site.pages["/t/t1"]
    ground.site.pages["/list"] = str(ground.site.pages["/list"]).replace("/t/t1", f"{other.url}t/t1")
    ground.crawl(hosts=(f"127.0.0.1:{other.server_port}",))
    asked_only(other)


@trap("a robots.txt for each scheme", "https has its own", "disallows")
def _per_scheme(ground: Ground) -> None:
    other = ground.another(secure=True)
    other.pages["/robots.txt"] = Reply("User-agent: *\nDisallow: /\n", headers={"Content-Type": "text/plain"})
    other.pages["/t/t1"] = ground.site.pages["/t/t1"]
    address = other.url_at(certificates.HOST)
    ground.site.pages["/list"] = str(ground.site.pages["/list"]).replace("/t/t1", f"{address}t/t1")
    with certificates.trusted(ground.folder):
        ground.crawl(hosts=(f"{certificates.HOST}:{other.server_port}",))
    asked_only(other)
    if not other.log:
        raise AssertionError("the certificate was not accepted, so nothing was tried")
