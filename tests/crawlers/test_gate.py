"""What may be asked, and when: asserted from the server's own log."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers import gate
from crawlers.state import State
from tests.crawlers.conftest import Crawls
from tests.crawlers.forum import HTML_RECIPE
from tests.crawlers.site import Reply, Site

Forum = Callable[..., None]


def robots(body: str, status: int = 200, kind: str = "text/plain", **headers: str) -> Reply:
    return Reply(
        body, status, {"Content-Type": kind, **{name.replace("_", "-"): text for name, text in headers.items()}}
    )


def test_robots_is_asked_once_a_day_and_after_an_hour_when_there_was_trouble(
    site: Site, forum: Forum, crawls: Crawls
) -> None:
    forum({"t1": ["一"]})

    def times_asked_after(seconds: float) -> int:
        age(crawls.folder, site, seconds)
        site.log.clear()
        crawls.run()
        return site.asked(robots=True).count("/robots.txt")

    crawls.run()
    assert times_asked_after(0) == 0
    assert times_asked_after(23 * 3600) == 0
    assert times_asked_after(25 * 3600) == 1
    site.pages["/robots.txt"] = robots("", 503)
    assert times_asked_after(25 * 3600) == 1
    assert times_asked_after(1800) == 0
    assert times_asked_after(3700) == 1


def age(folder: Path, site: Site, seconds: float) -> None:
    """Let so much time pass: the kept robots.txt is older, and so is the pause that trouble brought."""
    state = State(folder, "test")
    origin = gate.origin_of(site.url)
    kept = state.robots(origin)
    assert kept is not None
    state.note_robots(origin, type(kept)(kept.fetched_at - seconds, kept.status, kept.body))
    domain = gate.registered_domain(site.url)
    state.note_next_at(domain, state.next_at(domain) - seconds)
    state.close()


def test_a_disallowed_thread_is_passed_over_and_does_not_hold_up_the_rest(
    site: Site, forum: Forum, crawls: Crawls
) -> None:
    forum({"t1": ["一"], "t2": ["二"]}, threads_per_page=1)
    site.pages["/robots.txt"] = robots("User-agent: *\nDisallow: /t/t1\n")

    assert [one.text for one in crawls.run() if one.kind != "title"] == ["二"]
    site.log.clear()
    assert crawls.run() == []
    assert site.asked() == ["/list"]


def test_a_policy_that_was_broken_meanwhile_leaves_the_old_one_in_force(
    site: Site, forum: Forum, crawls: Crawls
) -> None:
    from config.problems import one

    forum({"t1": ["一"]})

    def broken() -> None:
        raise one("sites/test.yaml", "(syntax)", "a tab", "valid YAML")

    assert len(crawls.run(reload=broken)) == 2


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("127.0.0.1", False), ("10.1.2.3", False), ("172.16.0.1", False), ("192.168.1.1", False),
        ("169.254.169.254", False), ("100.64.0.1", False), ("0.0.0.0", False), ("224.0.0.1", False),
        ("::1", False), ("fe80::1%eth0", False), ("fc00::1", False), ("::ffff:10.0.0.1", False),
        ("1.1.1.1", True), ("2606:4700:4700::1111", True),
    ],
)  # fmt: skip
def test_an_address_is_public_when_anybody_may_have_it(address: str, public: bool) -> None:
    assert gate.is_public(address) is public


NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90.0),
        (format_datetime(NOW - timedelta(seconds=90), usegmt=True), 0.0),
        ("-5", None),
        ("", None),
        ("bald", None),
        ("99999999999", 86400.0),
        ("²", None),
        ("Mon, 01 Jan 2024 00:00:00 +99999999999999", None),
    ],
)
def test_retry_after_is_read_in_both_forms(value: str, seconds: float | None) -> None:
    assert gate.retry_after(value, now=NOW) == seconds


@given(st.text())
def test_any_retry_after_is_a_time_within_a_day_or_nothing(value: str) -> None:
    found = gate.retry_after(value, now=NOW)
    assert found is None or 0 <= found <= 86400


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("http://bbs.example.com.cn/a", "https://www.example.com.cn/", True),
        ("http://one.example.com.cn/", "http://two.com.cn/", False),
        ("http://127.0.0.1:8001/", "http://127.0.0.1:8002/", False),
    ],
)
def test_two_hosts_of_one_registered_domain_share_a_delay(one: str, other: str, same: bool) -> None:
    assert (gate.registered_domain(one) == gate.registered_domain(other)) is same


@pytest.mark.parametrize(
    ("url", "rule"),
    [
        ("ftp://127.0.0.1:{port}/", "scheme ftp: only http and https are read"),
        ("http://example.invalid/", "host example.invalid is not one of this site's"),
        ("http://127.0.0.1:1/", "host 127.0.0.1:1 is not one of this site's"),
        ("http://user@127.0.0.1:{port}/", "host 127.0.0.1:{port} is not one of this site's"),
    ],
)
def test_only_the_sites_own_addresses_are_asked(crawls: Crawls, site: Site, url: str, rule: str) -> None:
    state = State(crawls.folder, "test")

    async def none(_: str) -> tuple[int, str]:
        raise AssertionError("robots.txt must not be asked for")

    asked = gate.Gate(crawls.policy(HTML_RECIPE), state, none)
    verdict = asyncio.run(asked.ask(url.format(port=site.server_port)))
    assert (verdict.allowed, verdict.rule) == (False, rule.format(port=site.server_port))
    assert asyncio.run(asked.ask(site.url, "POST")).rule == "method POST: only GET is sent"
    state.close()
