# ruff: noqa: F811 - fixtures are arguments
"""`woodpecker crawl --explain URL`, run as people run it; the site's own log says what was asked for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.crawlers.conftest import site  # noqa: F401 - fixture
from tests.crawlers.site import Reply, Site
from tests.crawlers.test_kills import site_file
from tests.workers.cli.test_crawl import Crawl, crawl, summary  # noqa: F401 - fixture


def explained(crawl: Crawl, *arguments: object) -> dict[str, Any]:
    done = crawl(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    return summary(done)


def test_the_line_of_robots_that_decides_is_named_and_nothing_else_is_asked_for(
    site: Site, crawl: Crawl, tmp_path: Path
) -> None:
    site.pages["/robots.txt"] = Reply("User-agent: *\nDisallow: /t/\n", headers={"Content-Type": "text/plain"})

    said = explained(crawl, "--explain", f"{site.url}t/1", "--site", site_file(site, tmp_path))

    reason = "robots.txt disallows it: line 2, Disallow: /t/"
    assert (said["fetched"], said["rule"], said["reason"]) == (False, "robots", reason)
    assert site.asked(robots=True) == ["/robots.txt"]
    order = ["scope", "permission", "rest", "pause", "daily cap", "address", "robots"]
    assert [one["rule"] for one in said["rules"]] == order


def test_the_rest_after_a_refusal_is_told_in_words(site: Site, crawl: Crawl, tmp_path: Path) -> None:
    path = site_file(site, tmp_path)
    site.pages["/list"] = Reply("", 403)
    assert crawl(path, "-o", "-").returncode == 1

    done = crawl("--explain", f"{site.url}t/1", "--site", path)

    assert done.returncode == 0
    assert "would not be fetched; rest decides" in done.stdout
    assert "the site rests: answered 403" in " ".join(done.stdout.split())


def test_a_host_that_no_site_file_names_is_out_of_scope(woodpecker: Callable[..., Any]) -> None:
    said = woodpecker("crawl", "--explain", "https://forum.example/t/1", "--json").json
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
