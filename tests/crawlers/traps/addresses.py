"""Traps about where requests go, and what they carry."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from tests.crawlers import forum
from tests.crawlers.site import Reply
from tests.crawlers.traps.ground import Ground, Sprung, asked_only, kept, trap

SITEMAP = {
    "list": {"format": "feed", "items": [{"css": "url"}], "url": [{"css": "loc::text", "as": "url"}]},
    "thread": forum.HTML_RECIPE["thread"],
}


@trap("a redirect into a disallowed path", "it is not followed", "disallows")
def _disallowed(ground: Ground) -> None:
    ground.robots("User-agent: *\nDisallow: /private/\n")
    ground.site.pages["/t/t1"] = Reply("", 302, {"Location": "/private/desk"})
    ground.crawl()
    asked_only(ground.site, "/list", "/t/t1")


@trap("a page that moves itself into a disallowed path", "it is not followed", "disallows")
def _refreshed(ground: Ground) -> None:
    ground.robots("User-agent: *\nDisallow: /private/\n")
    ground.site.pages["/t/t1"] = '<meta http-equiv="refresh" content="0; url=/private/desk">'
    ground.crawl()
    asked_only(ground.site, "/list", "/t/t1")


@trap("a redirect to another host", "it is not followed", "is not one of this site's")
def _other_host(ground: Ground) -> None:
    other = ground.another()
    ground.site.pages["/t/t1"] = Reply("", 302, {"Location": other.url})
    ground.crawl()
    asked_only(other)


@trap("a redirect to a private address", "it is not followed", "is not one of this site's")
def _inside(ground: Ground) -> None:
    other = ground.another()
    ground.site.pages["/t/t1"] = Reply("", 302, {"Location": f"http://[::ffff:127.0.0.1]:{other.server_port}/"})
    ground.crawl()
    if other.log:
        raise Sprung("asked a private address")


@trap("a name that leads to a private address", "it is not asked", "has the private address")
def _by_name(ground: Ground) -> None:
    ground.crawl(base_url=ground.site.url_at("localhost"), private=False)
    if ground.site.log:
        raise Sprung("asked a private address")


@trap("a private address itself", "it is not asked", "has the private address")
def _by_number(ground: Ground) -> None:
    ground.crawl(private=False)
    if ground.site.log:
        raise Sprung("asked a private address")


@trap("a private address written as one number", "it is not asked", "has the private address")
def _as_one_number(ground: Ground) -> None:
    ground.crawl(base_url=ground.site.url_at("2130706433"), private=False)
    if ground.site.log:
        raise Sprung("asked a private address")


@trap("a list that leads to another host", "only the site's own are asked", "is not one of this site's")
def _led_away(ground: Ground) -> None:
    other = ground.another()
    ground.site.pages["/list"] = forum.listed("t1", "/t/t1", 0) + forum.listed("t2", f"{other.url}t/t2", 0)
    kept(ground.crawl(), "一")
    asked_only(other)


@trap("a sitemap with addresses on another host", "only the site's own are asked", "is not one of this site's")
def _sitemap(ground: Ground) -> None:
    other = ground.another()
    entries = "".join(f"<url><loc>{root}t/t1</loc></url>" for root in (other.url, ground.site.url))
    ground.site.pages["/sitemap.xml"] = Reply(f"<urlset>{entries}</urlset>", headers={"Content-Type": "text/xml"})
    kept(ground.crawl(start="/sitemap.xml", recipe=SITEMAP), "一")
    asked_only(other)


@trap("an address with a name and password", "it is not asked", "is not one of this site's")
def _credentials(ground: Ground) -> None:
    address = ground.site.url.replace("//", "//guest:guest@") + "t/t1"
    ground.site.pages["/list"] = forum.listed("t1", address, 0)
    ground.crawl()
    if any("Authorization" in one.headers for one in ground.site.log) or len(ground.pages()) > 1:
        raise Sprung("signed in")


@trap("a cookie is set", "it is never sent back")
def _cookies(ground: Ground) -> None:
    ground.site.pages["/list"] = Reply(str(ground.site.pages["/list"]), headers={"Set-Cookie": "session=1; Path=/"})
    kept(ground.crawl(), "一")
    if any("Cookie" in one.headers for one in ground.site.log):
        raise Sprung("sent it back")


@trap("who is asking", "one name with a contact address, GET only")
def _who(ground: Ground) -> None:
    ground.crawl()
    names = {one.headers.get("User-Agent", "") for one in ground.site.log}
    if {one.method for one in ground.site.log} != {"GET"}:
        raise Sprung("used another method")
    if len(names) != 1 or not any("SilverWoodpecker/" in name and "+https://" in name for name in names):
        raise Sprung(f"said {'; '.join(sorted(names))}")


@trap("a proxy in the environment", "it is not used: it would hide who asks")
def _proxy(ground: Ground) -> None:
    with _proxied(ground.another().url):
        kept(ground.crawl(base_url=ground.site.url_at("bbs.example.com")), "一")


@contextlib.contextmanager
def _proxied(url: str) -> Iterator[None]:
    before = {name: os.environ.pop(name, None) for name in ("http_proxy", "no_proxy")}
    os.environ["http_proxy"] = url
    try:
        yield
    finally:
        del os.environ["http_proxy"]
        os.environ.update({name: value for name, value in before.items() if value is not None})
