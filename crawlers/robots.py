"""robots.txt (RFC 9309), failing closed: what cannot be read forbids everything."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from protego import Protego

from crawlers.agent import PRODUCT
from crawlers.state import Robots

MAX_AGE_SECONDS = 24 * 3600
RETRY_SECONDS = 3600
"""How long a robots.txt that could not be read forbids everything before it is asked for again."""
LONGEST_DELAY = 24 * 3600.0
"""A longer Crawl-delay counts as a day, so that a slip of the pen does not last for years."""
_TURNED_AWAY = frozenset({401, 403})
_RULE = re.compile(r"(?im)^\s*(?:user-agent|allow|disallow|crawl-delay|request-rate|sitemap|host|clean-param)\s*:")
_COMMENT = re.compile(r"#.*")
MAX_BYTES = 512 * 1024
_ABSENT = frozenset({404, 410})
OK = 200
_RULE_LINE = re.compile(r"^\s*(?P<field>allow|disallow)\s*:\s*(?P<value>[^#\s]+)", re.IGNORECASE)
MOST_LINES_TRIED = 2000
MOST_KEPT = 256
"""Files that are kept parsed: one process reads hundreds of sites, and each request asks its own."""


@dataclass(frozen=True)
class Ruling:
    """Whether a URL may be fetched, and which rule decided; `lasting` when the file itself was read and says so."""

    allowed: bool
    rule: str
    lasting: bool = False


def rule(robots: Robots, url: str, agent: str = PRODUCT) -> Ruling:
    """Say whether a URL may be fetched under this answer for its origin's robots.txt.

    200 is parsed; 404 and 410 mean that there is none; everything else, and a page of something else in its place,
    forbids all.
    """
    if robots.status in _ABSENT:
        return Ruling(True, f"no robots.txt ({robots.status})")
    if robots.status != OK:
        return Ruling(False, f"robots.txt answered {robots.status}" if robots.status else "robots.txt did not answer")
    if (trouble := _is_none(robots.body)) is not None:
        return Ruling(False, trouble)
    allowed = _parsed(robots.body).can_fetch(url, agent)
    return Ruling(allowed, f"robots.txt {'allows' if allowed else 'disallows'} it", lasting=True)


def crawl_delay(robots: Robots, agent: str = PRODUCT) -> float:
    """Return the pause that a site asks for, in seconds: the longer of Crawl-delay and what Request-rate comes to."""
    if robots.status != OK or _is_none(robots.body) is not None:
        return 0.0
    parsed = _parsed(robots.body)
    rate = parsed.request_rate(agent)
    seconds = max(float(parsed.crawl_delay(agent) or 0), rate.seconds / rate.requests if rate and rate.requests else 0)
    return min(seconds, LONGEST_DELAY) if math.isfinite(seconds) else 0.0


def sitemaps(robots: Robots) -> list[str]:
    """Return the sitemaps that a robots.txt names."""
    return list(_parsed(robots.body).sitemaps) if robots.status == OK else []


def deciding_line(robots: Robots, url: str, agent: str = PRODUCT) -> tuple[int, str] | None:
    """Return number and text of the line that decides about a URL: of those that match it, the longest.

    None when no line speaks of it: then it may be fetched.
    """
    lines = robots.body.removeprefix("\ufeff").splitlines()
    allowed = _parsed("\n".join(lines)).can_fetch(url, agent)
    matching = [
        (len(value), -number)
        for number, (permits, value) in _rule_lines(lines)
        if permits == allowed and _speaks_of(lines, number, value, url, agent)
    ]
    if not matching:
        return None
    number = -max(matching)[1]
    return number + 1, lines[number].strip()


def _rule_lines(lines: list[str]) -> Iterator[tuple[int, tuple[bool, str]]]:
    for number, line in enumerate(lines[:MOST_LINES_TRIED]):
        if match := _RULE_LINE.match(line):
            yield number, (match["field"].lower() == "allow", match["value"])


def _speaks_of(lines: list[str], number: int, value: str, url: str, agent: str) -> bool:
    """Whether one rule, alone in its group, is about the URL; the other rules stay as lines that say nothing."""
    alone = [f"Disallow: {value}" if at == number else _muted(line) for at, line in enumerate(lines)]
    return not Protego.parse("\n".join(alone)).can_fetch(url, agent)


def _muted(line: str) -> str:
    return "Crawl-delay: 0" if _RULE_LINE.match(line) else line


def max_age(status: int) -> float:
    """Return for how many seconds an answer counts: a day; an hour when it neither says anything nor turns us away."""
    return MAX_AGE_SECONDS if status == OK or status in _ABSENT | _TURNED_AWAY else RETRY_SECONDS


@lru_cache(maxsize=MOST_KEPT)
def _is_none(body: str) -> str | None:
    """Return what stands in the place of a robots.txt, or None when it is one."""
    body = body.removeprefix("\ufeff")
    if body.lstrip().startswith("<"):
        return "robots.txt is a page of HTML"
    if _COMMENT.sub("", body).strip() and not _RULE.search(body):
        return "robots.txt holds no rule, but something else"
    return None


@lru_cache(maxsize=MOST_KEPT)
def _parsed(body: str) -> Protego:
    return Protego.parse(body.removeprefix("\ufeff"))
