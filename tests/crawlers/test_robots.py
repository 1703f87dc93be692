"""robots.txt, failing closed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.robots import RETRY_SECONDS, crawl_delay, deciding_line, max_age, rule
from crawlers.state import Robots

URL = "https://forum.example/t/1"


@pytest.mark.parametrize("status", [0, 201, 204, 206, 301, 400, 401, 403, 418, 429, 451, 500, 502, 503, 504])
def test_every_answer_but_200_404_and_410_forbids(status: int) -> None:
    assert not rule(Robots(0, status, ""), URL).allowed
    assert max_age(status) == (24 * 3600 if status in {401, 403} else RETRY_SECONDS)


@pytest.mark.parametrize("status", [404, 410])
def test_no_robots_allows(status: int) -> None:
    assert rule(Robots(0, status, "Disallow: /"), URL).allowed
    assert max_age(status) == 24 * 3600


@pytest.mark.parametrize(
    ("body", "allowed", "delay"),
    [
        ("", True, 0),
        ("User-agent: *\nDisallow: /t/", False, 0),
        ("User-agent: *\nDisallow: /t/\nAllow: /t/1", True, 0),
        ("User-agent: SILVERWOODPECKER\nDisallow: /\n\nUser-agent: *\nAllow: /", False, 0),
        ("User-agent: OtherBot\nDisallow: /", True, 0),
        ("User-agent: *\nDisallow: /*1$", False, 0),
        ("User-agent: *\nCrawl-delay: 7", True, 7),
        ("User-agent: *\nCrawl-delay: 7\nRequest-rate: 1/10s", True, 10),
        ("User-agent: *\nRequest-rate: 0/10s", True, 0),
        ("User-agent: *\nCrawl-delay: 99999999", True, 24 * 3600),
        ("User-agent: *\nCrawl-delay: inf", True, 0),
        ("# 只有注释\n\n", True, 0),
        ("# note\nNot Found", False, 0),
        ('{\n  "code": 404\n}', False, 0),
        ("User-agent: *\nCrawl-delay: bald", True, 0),
        ("\ufeffUser-agent: *\nDisallow: /", False, 0),
        ("\n\n <html>", False, 0),
    ],
)
def test_a_robots_file_is_read_as_rfc_9309_says(body: str, allowed: bool, delay: float) -> None:
    robots = Robots(0, 200, body)
    assert (rule(robots, URL).allowed, crawl_delay(robots)) == (allowed, delay)


def test_the_name_that_an_owner_agreed_to_is_the_one_that_counts() -> None:
    robots = Robots(0, 200, "User-agent: Woodpecker-For-Us\nAllow: /\n\nUser-agent: *\nDisallow: /")
    assert rule(robots, URL, "Woodpecker-For-Us").allowed
    assert not rule(robots, URL).allowed


@given(st.text(max_size=300))
def test_no_robots_file_breaks_the_reader(body: str) -> None:
    robots = Robots(0, 200, body)
    assert rule(robots, URL).rule
    assert crawl_delay(robots) >= 0


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ("User-agent: *\nDisallow: /t/", (2, "Disallow: /t/")),
        ("User-agent: *\nDisallow: /\nDisallow: /t/  # threads", (3, "Disallow: /t/  # threads")),
        ("User-agent: Other\nDisallow: /t/\nUser-agent: *\nDisallow: /t", (4, "Disallow: /t")),
        ("User-agent: SilverWoodpecker\nAllow: /t/\nUser-agent: *\nDisallow: /t/1", (2, "Allow: /t/")),
        ("User-agent: *\nDisallow: /t/1\nAllow: /t/1", (3, "Allow: /t/1")),
        ("User-agent: *\nDisallow: /x", None),
        ("", None),
    ],
)
def test_the_deciding_line_is_the_longest_that_matches_in_our_group(body: str, line: tuple[int, str] | None) -> None:
    assert deciding_line(Robots(0, 200, body), URL) == line


@given(st.text(alphabet="UDAserniglowdta-:*/1$ \n#", max_size=200))
def test_a_deciding_line_is_found_in_whatever_a_site_serves(body: str) -> None:
    found = deciding_line(Robots(0, 200, f"User-agent: *\n{body}"), URL)
    assert found is None or found[0] >= 1
