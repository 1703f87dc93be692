"""Traps about how often and when: delays, back-off, caps and the switch."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial

from tests.crawlers.site import Asked, Query, Reply
from tests.crawlers.traps.ground import Ground, Sprung, apart, asked_only, kept, trap

BACK_OFF = 0.6
"""What the crawler under test is told to wait (seconds) when a busy site does not say how long; usually a minute."""


@trap("the operator's delay", "from each answer to the next request, slow answers too")
def _delay(ground: Ground) -> None:
    ground.forum({"t1": ["一"], "t2": ["二"]})
    ground.site.pages["/list"] = Reply(str(ground.site.pages["/list"]), seconds=0.4)
    ground.crawl(delay=0.3)
    apart(ground.site.log, 0.3)


@trap("Crawl-delay: 0.5", "≥ 0.5 s apart")
def _crawl_delay(ground: Ground) -> None:
    ground.robots("User-agent: *\nCrawl-delay: 0.5\nDisallow:\n")
    ground.crawl()
    apart(ground.site.log, 0.5)


@trap("Request-rate: 2/1", "≥ 0.5 s apart")
def _request_rate(ground: Ground) -> None:
    ground.robots("User-agent: *\nRequest-rate: 2/1\nDisallow:\n")
    ground.crawl()
    apart(ground.site.log, 0.5)


@trap("Crawl-delay: 99999999", "it goes away, and is back within a day", "asked for a pause")
def _for_ever(ground: Ground) -> None:
    ground.robots("User-agent: *\nCrawl-delay: 99999999\nDisallow:\n")
    ground.crawl()
    asked_only(ground.site)
    ground.robots("User-agent: *\nDisallow: /nothing\n")
    ground.walker.later(25 * 3600)
    kept(ground.crawl(), "一")


@trap("the delay between two runs", "it is kept")
def _across_runs(ground: Ground) -> None:
    ground.crawl(delay=0.4)
    ground.crawl(delay=0.4)
    apart(ground.site.log, 0.4)


@trap("two hosts of one registered domain", "they share one delay")
def _one_domain(ground: Ground) -> None:
    ground.forum({"t1": ["一"], "t2": ["二"]})
    here, there = ground.site.url_at("bbs.example.com"), ground.site.url_at("www.example.com")
    ground.site.pages["/list"] = str(ground.site.pages["/list"]).replace("/t/t2", f"{there}t/t2")
    kept(ground.crawl(base_url=here, hosts=(there.split("/")[2],), delay=0.3), "一", "二")
    apart(ground.site.log, 0.3)


@trap("two crawls of one domain at once", "they share one delay")
def _together(ground: Ground) -> None:
    _send_two(ground, delay=0.3)
    apart(ground.site.log, 0.3)


@trap("two crawls of one domain, slow answers", "one request at a time")
def _one_at_a_time(ground: Ground) -> None:
    ground.site.pages["/list"] = Reply(str(ground.site.pages["/list"]), seconds=0.5)
    _send_two(ground, delay=0.1)
    most = max(one.in_flight for one in ground.site.log)
    if most > 1:
        raise Sprung(f"had {most} requests under way at once")


def _send_two(ground: Ground, delay: float) -> None:
    one = ground.walk(base_url=ground.site.url_at("bbs.example.com"), delay=delay, name="one")
    other = ground.walk(base_url=ground.site.url_at("www.example.com"), delay=delay, name="other")
    ground.walker.crawl(one, other)


def _busy(ground: Ground, *, status: int, value: str | None, seconds: float) -> None:
    whole = str(ground.site.pages["/list"])
    answers = iter([Reply("", status, {} if value is None else {"Retry-After": value})])
    ground.site.pages["/list"] = lambda _: next(answers, whole)
    texts = ground.crawl()
    asked = ground.pages()
    if len(asked) < 2:
        raise Sprung("did not come back")
    apart(asked[:2], seconds)
    kept(texts, "一")


for _status, _value, _seconds, _name in (
    (429, "1", 1.0, "Retry-After: 1"),
    (503, "1", 1.0, "Retry-After: 1"),
    (429, "-5", BACK_OFF, "a negative Retry-After"),
    (429, None, BACK_OFF, "no Retry-After"),
    (503, "bald", BACK_OFF, "an unreadable Retry-After"),
):
    trap(f"{_status} with {_name}", f"wait ≥ {_seconds:g} s", f"answered {_status}")(
        partial(_busy, status=_status, value=_value, seconds=_seconds)
    )


@trap("429 with Retry-After as a date", "wait until then", "answered 429")
def _date(ground: Ground) -> None:
    whole = str(ground.site.pages["/list"])
    moments: list[datetime] = []

    def page(_: Query) -> str | Reply:
        if moments:
            return whole
        moments.append((datetime.now(UTC) + timedelta(seconds=2)).replace(microsecond=0))
        return Reply("", 429, {"Retry-After": format_datetime(moments[0], usegmt=True)})

    ground.site.pages["/list"] = page
    ground.crawl()
    asked = ground.pages()
    if len(asked) < 2:
        raise Sprung("did not come back")
    early = moments[0].timestamp() - _wall_clock(asked[1])
    if early > 0.01:
        raise Sprung(f"asked again {early:.1f} s too early")


def _wall_clock(one: Asked) -> float:
    """Return when a request came, in seconds since 1970."""
    import time

    return time.time() - (time.monotonic() - one.at)


@trap("503 again and again", "wait twice as long each time, then leave the page", "answered 503")
def _doubled(ground: Ground) -> None:
    ground.site.pages["/list"] = Reply("", 503)
    ground.crawl()
    asked = ground.pages()
    if len(asked) > 3:
        raise Sprung(f"asked {len(asked)} times")
    apart(asked[:2], BACK_OFF)
    apart(asked[1:], 2 * BACK_OFF)


@trap("429 with Retry-After: 7200", "go away, and do not ask before", "asked for a pause")
def _long(ground: Ground) -> None:
    ground.site.pages["/list"] = Reply("", 429, {"Retry-After": "7200"})
    ground.crawl()
    ground.walker.later(6000)
    ground.crawl()
    if len(ground.pages()) > 1:
        raise Sprung(f"asked {len(ground.pages())} times")


@trap("a cap of 6 pages a day, in two runs", "6 requests", "daily cap")
def _cap(ground: Ground) -> None:
    ground.forum({f"t{n}": ["一"] for n in range(9)})
    ground.crawl(pages_per_day=6)
    ground.crawl(pages_per_day=6)
    if len(ground.site.log) > 6:
        raise Sprung(f"made {len(ground.site.log)} requests")


@trap("the site is switched off while it is read", "no request more", "switched off")
def _switch(ground: Ground) -> None:
    ground.forum({f"t{n}": ["一"] for n in range(9)})
    ground.crawl(off=lambda: len(ground.pages()) >= 3)
    if len(ground.pages()) > 3:
        raise Sprung(f"made {len(ground.pages()) - 3} requests more")


@trap("the site is switched off during a pause", "no request more", "switched off")
def _switch_in_pause(ground: Ground) -> None:
    ground.crawl(delay=0.5, off=lambda: bool(ground.site.log))
    asked_only(ground.site)
