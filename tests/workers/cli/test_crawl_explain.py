# ruff: noqa: F811 - fixtures are arguments
"""`woodpecker crawl --explain URL`, run as people run it; the site's own log says what was asked for."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.crawlers.conftest import site  # noqa: F401 - fixture
from tests.crawlers.site import Reply, Site
from tests.crawlers.test_kills import site_file
from tests.workers.cli.test_crawl import Crawl, crawl, summary  # noqa: F401 - fixture

ROBOTS = "User-agent: *\nDisallow: /t/\nAllow: /t/open\nDisallow: /t/open/not\n"


def explained(crawl: Crawl, *arguments: object) -> dict[str, Any]:
    done = crawl(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    return summary(done)


@pytest.mark.parametrize(
    ("path", "fetched", "reason"),
    [
        ("t/1", False, "robots.txt disallows it: line 2, Disallow: /t/"),
        ("t/open/1", True, "robots.txt allows it: line 3, Allow: /t/open"),
        ("t/open/not/1", False, "robots.txt disallows it: line 4, Disallow: /t/open/not"),
        ("list", True, "robots.txt allows it"),
    ],
)
def test_the_line_of_robots_that_decides_is_named_and_nothing_else_is_asked_for(
    site: Site,
    crawl: Crawl,
    tmp_path: Path,
    path: str,
    fetched: bool,
    reason: str,
) -> None:
    site.pages["/robots.txt"] = Reply(ROBOTS, headers={"Content-Type": "text/plain"})

    said = explained(crawl, "--explain", f"{site.url}{path}", "--site", site_file(site, tmp_path))

    assert (said["fetched"], said["rule"], said["reason"]) == (fetched, "robots", reason)
    assert site.asked(robots=True) == ["/robots.txt"]
    order = ["scope", "permission", "rest", "pause", "daily cap", "address", "robots"]
    assert [one["rule"] for one in said["rules"]] == order


@pytest.mark.parametrize(
    ("change", "rule", "reason"),
    [
        ({"enabled": False}, "permission", "the site is switched off in its policy"),
        ({"base_url": "http://127.0.0.1:1/"}, "scope", "is not one of this site's"),
        ({"private_hosts_allowed": False}, "address", "has the private address 127.0.0.1"),
    ],
)
def test_a_rule_before_robots_refuses_and_robots_is_not_asked_for(
    site: Site,
    crawl: Crawl,
    tmp_path: Path,
    change: dict[str, Any],
    rule: str,
    reason: str,
) -> None:
    path = site_file(site, tmp_path)
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | change), "utf-8")

    said = summary(
        crawl("--explain", f"{site.url}t/1", "--site", path, "--json", WOODPECKER_CRAWLER_CONTACT="a@b.example")
    )

    assert (said["fetched"], said["rule"]) == (False, rule)
    assert reason in said["reason"]
    assert said["rules"][-1]["refuses"]
    assert site.asked(robots=True) == []


def test_the_rest_after_a_refusal_is_told_in_words(site: Site, crawl: Crawl, tmp_path: Path) -> None:
    path = site_file(site, tmp_path)
    site.pages["/list"] = Reply("", 403)
    assert crawl(path, "-o", "-").returncode == 1

    done = crawl("--explain", f"{site.url}t/1", "--site", path)

    assert done.returncode == 0
    assert "would not be fetched; rest decides" in done.stdout
    assert "the site rests: answered 403" in " ".join(done.stdout.split())


def test_a_host_that_no_site_file_names_is_out_of_scope(crawl: Crawl) -> None:
    said = explained(crawl, "--explain", "https://forum.example/t/1")
    assert (said["site"], said["fetched"], said["rule"]) == (None, False, "scope")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (["--explain", "forum.example"], "--explain: found 'forum.example'; allowed: a whole http or https address"),
        (["--explain", "https://forum.example/", "--site", "demoo"], "Did you mean 'demo'?"),
        (["--site", "demo"], "SITE: found --site without --explain"),
        ([], "SITE: found no site"),
    ],
)
def test_a_wrong_call_says_what_is_allowed(woodpecker: Callable[..., Any], call: list[str], message: str) -> None:
    done = woodpecker("crawl", *call)
    assert done.code == 2
    assert message in done.err
