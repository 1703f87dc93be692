"""robots.txt (RFC 9309), failing closed: what cannot be read forbids everything."""

from __future__ import annotations

import math
import re
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
_OK = 200


@dataclass(frozen=True)
class Ruling:
    """Whether a URL may be fetched, which rule decided, and the pause that the site asks for.

    `lasting` when the file itself was read and says so.
    """

    allowed: bool
    rule: str
    crawl_delay: float = 0.0
    lasting: bool = False


def rule(robots: Robots, url: str, agent: str = PRODUCT) -> Ruling:
    """Say whether a URL may be fetched under this answer for its origin's robots.txt.

    200 is parsed; 404 and 410 mean that there is none; everything else, and a page of something else in its place,
    forbids all.
    """
    if robots.status in _ABSENT:
        return Ruling(True, f"no robots.txt ({robots.status})")
    if robots.status != _OK:
        return Ruling(False, f"robots.txt answered {robots.status}" if robots.status else "robots.txt did not answer")
    body = robots.body.removeprefix("\ufeff")
    if body.lstrip().startswith("<"):
        return Ruling(False, "robots.txt is a page of HTML")
    if _COMMENT.sub("", body).strip() and not _RULE.search(body):
        return Ruling(False, "robots.txt holds no rule, but something else")
    parsed = _parsed(body)
    allowed = parsed.can_fetch(url, agent)
    verdict = "allows" if allowed else "disallows"
    return Ruling(allowed, f"robots.txt {verdict} it", _delay(parsed, agent), lasting=True)


def max_age(status: int) -> float:
    """Return for how many seconds an answer counts: a day; an hour when it neither says anything nor turns us away."""
    return MAX_AGE_SECONDS if status == _OK or status in _ABSENT | _TURNED_AWAY else RETRY_SECONDS


def _delay(parsed: Protego, agent: str) -> float:
    """Return the longer of Crawl-delay and what Request-rate (requests per time) comes to, in seconds."""
    rate = parsed.request_rate(agent)
    seconds = max(float(parsed.crawl_delay(agent) or 0), rate.seconds / rate.requests if rate and rate.requests else 0)
    return min(seconds, LONGEST_DELAY) if math.isfinite(seconds) else 0.0


@lru_cache(maxsize=32)
def _parsed(body: str) -> Protego:
    return Protego.parse(body)
