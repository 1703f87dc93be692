"""What may be asked, and when: asserted from the server's own log."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers import gate
from crawlers.state import State
from tests.crawlers.conftest import HTML_RECIPE, Crawls
from tests.crawlers.site import Reply, Site

Forum = Callable[..., None]


def robots(body: str, status: int = 200, kind: str = "text/plain", **headers: str) -> Reply:
    return Reply(
        body, status, {"Content-Type": kind, **{name.replace("_", "-"): text for name, text in headers.items()}}
    )


@pytest.mark.parametrize(
    ("answer", "rule"),
    [
        (robots("", 503), "robots.txt answered 503"),
        (robots("", 500), "robots.txt answered 500"),
        (robots("", 401), "robots.txt answered 401"),
        (robots("", 403), "robots.txt answered 403"),
        (robots("", 429), "robots.txt answered 429"),
        (robots("<!DOCTYPE html><title>首页</title>", kind="text/html"), "robots.txt is a page of HTML"),
        (robots("User-agent: *\nDisallow: /\n"), "robots.txt disallows it"),
        (robots("User-agent: SilverWoodpecker\nDisallow: /l\n\nUser-agent: *\nDisallow:"), "robots.txt disallows it"),
    ],
)  # fmt: skip
def test_nothing_is_fetched_where_robots_does_not_clearly_allow(
    site: Site, forum: Forum, crawls: Crawls, answer: Reply, rule: str
) -> None:
    forum({"t1": ["一"]})
    site.pages["/robots.txt"] = answer

    assert crawls.run() == []
    assert set(site.asked(robots=True)) == {"/robots.txt"}
    assert crawls.report.refused == {rule: 1}


@pytest.mark.parametrize("answer", [robots("", 404), robots("", 410), robots("User-agent: *\nDisallow: /private/\n")])
def test_an_absent_or_permitting_robots_lets_us_in(site: Site, forum: Forum, crawls: Crawls, answer: Reply) -> None:
    forum({"t1": ["一"]})
    site.pages["/robots.txt"] = answer

    assert len(crawls.run()) == 2


def test_a_robots_that_is_cut_off_forbids_everything(site: Site, forum: Forum, crawls: Crawls) -> None:
    forum({"t1": ["一"]})
    site.pages["/robots.txt"] = Reply("User-agent: *\n", headers={"Content-Length": "500", "Connection": "close"})

    assert crawls.run() == []
    assert crawls.report.refused == {"robots.txt did not answer": 1}


def test_a_robots_in_another_place_of_the_site_is_followed(site: Site, forum: Forum, crawls: Crawls) -> None:
    forum({"t1": ["一"]})
    site.pages["/robots.txt"] = Reply("", 301, {"Location": "/rules.txt"})
    site.pages["/rules.txt"] = robots("User-agent: *\nDisallow: /t/\n")

    assert [one.kind for one in crawls.run()] == ["title"]
    assert site.asked() == ["/rules.txt", "/list"]


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
    """Make the kept robots.txt older."""
    state = State(folder, "test")
    origin = gate.origin_of(site.url)
    kept = state.robots(origin)
    assert kept is not None
    state.note_robots(origin, type(kept)(kept.fetched_at - seconds, kept.status, kept.body))
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


def pauses(site: Site) -> list[float]:
    """Seconds from each answer to the next request."""
    return [after.at - before.answered for before, after in zip(site.log, site.log[1:], strict=False)]


def test_requests_are_apart_by_the_policys_delay(site: Site, forum: Forum, crawls: Crawls) -> None:
    forum({"t1": ["一"], "t2": ["二"]})
    site.pages["/list"] = Reply(str(site.pages["/list"]), seconds=0.4)  # the pause begins when the answer is there

    crawls.run(crawls.policy(delay_seconds=0.3))

    assert len(site.log) == 4
    assert min(pauses(site)) >= 0.299


def test_a_crawl_delay_longer_than_the_policys_is_kept(site: Site, forum: Forum, crawls: Crawls) -> None:
    forum({"t1": ["一"]})
    site.pages["/robots.txt"] = robots("User-agent: *\nCrawl-delay: 0.5\nDisallow:\n")

    crawls.run()

    assert len(site.log) == 3
    assert min(pauses(site)) >= 0.499


def test_the_delay_holds_across_runs(site: Site, forum: Forum, crawls: Crawls) -> None:
    forum({"t1": ["一"]})
    policy = crawls.policy(delay_seconds=0.4)
    crawls.run(policy)
    crawls.run(policy)

    assert site.asked(robots=True)[-1] == "/list"
    assert min(pauses(site)) >= 0.399


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_site_is_left_alone_as_long_as_it_asks(site: Site, forum: Forum, crawls: Crawls, status: int) -> None:
    forum({"t1": ["一"]})
    whole = str(site.pages["/list"])
    answers = iter([Reply("", status, {"Retry-After": "1"})])
    site.pages["/list"] = lambda _: next(answers, whole)

    assert len(crawls.run()) == 2
    assert site.asked() == ["/list", "/list", "/t/t1"]
    assert pauses(site)[1] >= 0.999


def test_a_site_that_stays_busy_is_left_for_a_later_run(site: Site, forum: Forum, crawls: Crawls) -> None:
    forum({"t1": ["一"]})
    site.pages["/list"] = Reply("", 429, {"Retry-After": "0"})

    assert crawls.run() == []
    assert site.asked() == ["/list"] * 3


def test_a_pause_longer_than_a_run_waits_ends_the_run(site: Site, forum: Forum, crawls: Crawls) -> None:
    forum({"t1": ["一"]})
    site.pages["/list"] = Reply("", 429, {"Retry-After": "7200"})

    crawls.run()
    crawls.run()

    assert site.asked() == ["/list"]
    assert any("asked for a pause of" in reason for reason in crawls.report.refused)


@pytest.mark.parametrize(
    "wall",
    [
        Reply("", 401),
        Reply("", 403),
        Reply("<title>请稍候</title><p>请完成验证后继续访问</p>"),
        Reply("<p>访问过于频繁，请稍后再试</p>"),
        Reply("<p>请登录后查看</p>"),
        Reply("<title>安全验证</title>" + "<p>页脚里的许多说明文字。</p>" * 200),
        Reply("<p>人机验证</p>", 418),
        Reply("", 302, {"Location": "/login?next=/list"}),
    ],
)
def test_a_wall_stops_the_site_for_a_day(site: Site, forum: Forum, crawls: Crawls, wall: Reply) -> None:
    forum({"t1": ["一"]})
    site.pages["/list"] = wall
    site.pages["/login"] = "<form>登录</form>"

    assert crawls.run() == []
    assert "rests for 24 h" in crawls.report.stopped_by_site
    forum({"t1": ["一"]})
    assert crawls.run() == []
    assert site.asked() == ["/list"]
    assert any(reason.startswith("the site rests: ") for reason in crawls.report.refused)


def test_people_may_write_of_walls(site: Site, forum: Forum, crawls: Crawls) -> None:
    forum({"t1": ["登录时总是弹出安全验证，请登录后看看"]})

    assert len(crawls.run()) == 2


def test_an_empty_board_whose_footer_asks_to_sign_in_is_no_wall(site: Site, forum: Forum, crawls: Crawls) -> None:
    site.pages["/list"] = "<title>摄影版</title><p>本版还没有主题</p><p>您需要登录后才可以发帖</p>"

    assert crawls.run() == []
    assert crawls.report.refused == {}


def test_a_switched_off_site_stops_within_one_request(site: Site, forum: Forum, crawls: Crawls) -> None:
    forum({f"t{n}": ["一"] for n in range(9)})
    on, off = crawls.policy(), crawls.policy(enabled=False)

    crawls.run(reload=lambda: off if len(site.asked()) >= 3 else on)

    assert len(site.asked()) == 3
    assert "the site is switched off in its policy" in crawls.report.refused


def test_the_kill_switch_works_while_a_crawl_waits(site: Site, forum: Forum, crawls: Crawls) -> None:
    forum({"t1": ["一"]})
    on, off = crawls.policy(delay_seconds=0.5), crawls.policy(delay_seconds=0.5, enabled=False)
    asked_at: list[float] = []

    def reload() -> object:
        asked_at.append(time.monotonic())
        return off if site.asked(robots=True) else on

    assert crawls.run(on, reload=reload) == []
    assert site.asked(robots=True) == ["/robots.txt"]


def test_a_policy_that_was_broken_meanwhile_leaves_the_old_one_in_force(
    site: Site, forum: Forum, crawls: Crawls
) -> None:
    from config.problems import one

    forum({"t1": ["一"]})

    def broken() -> None:
        raise one("sites/test.yaml", "(syntax)", "a tab", "valid YAML")

    assert len(crawls.run(reload=broken)) == 2


def test_a_redirect_into_a_disallowed_path_or_another_host_is_not_followed(
    site: Site, forum: Forum, crawls: Crawls
) -> None:
    forum({"t1": ["一"], "t2": ["二"]})
    site.pages["/robots.txt"] = robots("User-agent: *\nDisallow: /private/\n")
    site.pages["/t/t1"] = Reply("", 302, {"Location": "/private/desk"})
    with Site() as other:
        site.pages["/t/t2"] = Reply("", 302, {"Location": other.url})
        crawls.run()
        other.shutdown()

    assert site.asked() == ["/list", "/t/t1", "/t/t2"]
    assert other.log == []
    assert "robots.txt disallows it" in crawls.report.refused
    assert f"host 127.0.0.1:{other.server_port} is not one of this site's" in crawls.report.refused


def test_we_say_who_we_are_and_send_no_cookies(
    site: Site, forum: Forum, crawls: Crawls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9/")
    forum({"t1": ["一"]})
    site.pages["/list"] = Reply(str(site.pages["/list"]), headers={"Set-Cookie": "session=1; Path=/"})

    assert len(crawls.run(contact="https://woodpecker.invalid/about")) == 2
    assert {one.headers["User-Agent"] for one in site.log} == {
        "SilverWoodpecker/0.1.0 (+https://woodpecker.invalid/about)"
    }
    assert not any("Cookie" in one.headers or "Authorization" in one.headers for one in site.log)
    assert {one.method for one in site.log} == {"GET"}


@pytest.mark.parametrize(
    ("said", "basis", "kept"),
    [
        ("noarchive", "owner", False),
        ("noindex", "owner", True),
        ("noindex", "robots", False),
        ("max-image-preview:none", "robots", True),
        ("otherbot: noindex", "robots", True),
        ("otherbot: nofollow, noindex", "robots", True),
        ("SilverWoodpecker: noindex", "robots", False),
    ],
)
def test_a_page_that_asks_not_to_be_kept_is_not(
    site: Site, forum: Forum, crawls: Crawls, said: str, basis: str, kept: bool
) -> None:
    forum({"t1": ["一"]})
    site.pages["/t/t1"] = Reply(str(site.pages["/t/t1"]), headers={"X-Robots-Tag": said})
    policy = crawls.policy().model_copy(update={"basis": crawls.policy().basis.model_copy(update={"kind": basis})})

    assert [one.text for one in crawls.run(policy) if one.kind == "post"] == (["一"] if kept else [])
    assert crawls.report.withheld_pages == (not kept)


def test_a_page_whose_head_asks_not_to_be_kept_is_not(site: Site, forum: Forum, crawls: Crawls) -> None:
    forum({"t1": ["一"]})
    site.pages["/t/t1"] = '<META NAME="Robots" CONTENT="NOARCHIVE">' + str(site.pages["/t/t1"])

    assert [one.kind for one in crawls.run()] == ["title"]
    assert crawls.report.withheld_pages == 1


def test_private_addresses_are_refused_unless_the_policy_names_them(site: Site, forum: Forum, crawls: Crawls) -> None:
    forum({"t1": ["一"]})

    assert crawls.run(crawls.policy(private_hosts_allowed=False)) == []
    assert site.log == []
    assert crawls.report.refused == {"host 127.0.0.1 has the private address 127.0.0.1": 1}


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
