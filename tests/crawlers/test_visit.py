"""A visit passes the same gate as a crawl; the site's own log says what was asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from crawlers.gate import Check
from crawlers.visit import Unreached, Visitor
from tests.crawlers.conftest import Crawls
from tests.crawlers.site import Reply, Site

ROBOTS = "User-agent: *\nDisallow: /t/\nAllow: /t/open\nDisallow: /t/open/not\nSitemap: /map.xml\n"


def explained(crawls: Crawls, url: str, **changes: Any) -> list[Check]:
    found: list[Check] = crawls.visit(lambda visitor: visitor.checks(url), crawls.policy(**changes))
    return found


@pytest.mark.parametrize(
    ("path", "refuses", "says"),
    [
        ("t/1", True, "robots.txt disallows it: line 2, Disallow: /t/"),
        ("t/open/1", False, "robots.txt allows it: line 3, Allow: /t/open"),
        ("t/open/not/1", True, "robots.txt disallows it: line 4, Disallow: /t/open/not"),
        ("list", False, "robots.txt allows it"),
    ],
)
def test_the_line_of_robots_that_decides_is_named(
    site: Site, crawls: Crawls, path: str, refuses: bool, says: str
) -> None:
    site.pages["/robots.txt"] = Reply(ROBOTS, headers={"Content-Type": "text/plain"})
    last = explained(crawls, f"{site.url}{path}")[-1]
    assert (last.name, last.refuses, last.says) == ("robots", refuses, says)
    assert site.asked(robots=True) == ["/robots.txt"]


@pytest.mark.parametrize(
    ("changes", "name", "says"),
    [
        ({"enabled": False}, "permission", "the site is switched off in its policy"),
        ({"base_url": "http://127.0.0.1:1/"}, "scope", "is not one of this site's"),
        ({"private_hosts_allowed": False}, "address", "has the private address 127.0.0.1"),
    ],
)
def test_a_rule_before_robots_refuses_and_robots_is_not_asked_for(
    site: Site, crawls: Crawls, changes: dict[str, Any], name: str, says: str
) -> None:
    last = explained(crawls, f"{site.url}t/1", **changes)[-1]
    assert (last.name, last.refuses) == (name, True)
    assert says in last.says
    assert site.asked(robots=True) == []


def test_what_a_crawl_would_be_refused_a_visit_is_refused_too(site: Site, crawls: Crawls) -> None:
    site.pages["/robots.txt"] = Reply(ROBOTS, headers={"Content-Type": "text/plain"})
    site.pages["/gone"] = Reply("", 404)
    site.pages["/out"] = Reply("", 302, headers={"Location": "/t/1"})

    def fetched(path: str) -> Callable[[Visitor], Any]:
        return lambda visitor: visitor.fetch(f"{site.url}{path}")

    for path, why in (("t/1", "robots.txt disallows it"), ("gone", "answered 404"), ("out", "robots.txt disallows it")):
        with pytest.raises(Unreached, match=why):
            crawls.visit(fetched(path))
    assert site.asked() == ["/gone", "/out"]


def test_an_answer_403_to_a_visit_makes_the_site_rest_for_the_next_crawl(site: Site, crawls: Crawls) -> None:
    site.pages["/list"] = Reply("", 403)
    with pytest.raises(Unreached, match="the site rests for 24 h"):
        crawls.visit(lambda visitor: visitor.fetch(f"{site.url}list"))
    assert crawls.run() == []
    assert site.asked() == ["/list"]
    assert explained(crawls, f"{site.url}list")[-1].name == "rest"
