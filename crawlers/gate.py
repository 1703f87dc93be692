"""The one place through which every request passes: may it go, and when.

Allow-list, kill switch, private addresses, robots, daily cap and the site's pauses are decided before a request
goes out; the answer is read for what it says of us: 429, 503, 401, 403, a challenge or a login wall.
Sources: RFC 9309; 反不正当竞争法 (2025) Art 13¶3; docs/crawling.md.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from urllib.parse import SplitResult, urlsplit

import tldextract

from config.policy import PolicyError, SitePolicy
from crawlers.agent import PRODUCT
from crawlers.datetimes import SHANGHAI
from crawlers.robots import MAX_BYTES, OK, Ruling, crawl_delay, deciding_line, max_age, rule, sitemaps
from crawlers.state import Robots, State

STOP_SECONDS = 24 * 3600
"""How long a site rests after 401, 403, a challenge or a login wall."""
BACK_OFF_SECONDS = 60.0
LONGEST_BACK_OFF = 3600.0
LONGEST_WAIT = 900.0
"""A run waits for a site at most so long (seconds); when it asks for more, the run ends and a later one goes on."""
BUSY = frozenset({429, 503})
_LOGIN = re.compile(
    r"^//(?:[\w-]+\.)*(?:login|passport|sso|accounts?|signin)\.|/(?:wp-login|login|log_in|log-in|signin|sign_in|sign-in|passport|sso)\b"
    r"|[?&](?:mod=logging|mode=login|action=login)\b",
    re.IGNORECASE,
)
"""A host, path or query that people sign in at."""
_CHALLENGE = re.compile(
    r"请完成验证|访问过于频繁|安全验证|人机验证|滑动验证|(?:请(?:先)?登录|需要登录)(?!后?(?:才可以|才能|再)?(?:发|回|评|参与))"
    r"|Just a moment"
)
_CHALLENGE_PAGE_CHARACTERS = 600
"""A challenge or login wall says little else; a long page that speaks of one is an ordinary page."""
_registered = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)

Fetch = Callable[[str], Awaitable[tuple[int, str]]]
"""Fetches one robots.txt and returns (status, body); status 0 when there was no answer."""


@dataclass(frozen=True)
class Verdict:
    """Whether a request may go, and the rule that decides."""

    allowed: bool
    rule: str
    lasting: bool = False
    """Of a refusal: whether it will be the same tomorrow, so that asking again soon is no use."""
    stops: bool = False
    """Of a refusal: whether it makes the whole site rest from now on."""


@dataclass(frozen=True)
class Check:
    """One rule of the gate: what it says of a request, and whether that refuses it."""

    name: str
    says: str
    refuses: bool = False
    lasting: bool = False
    stops: bool = False


class Gate:
    """Decides for one site."""

    def __init__(
        self,
        policy: SitePolicy,
        state: State,
        fetch_robots: Fetch,
        reload: Callable[[], SitePolicy | None] = lambda: None,
    ) -> None:
        self._policy = policy
        self._state = state
        self._fetch_robots = fetch_robots
        self._reload = reload
        self._back_off = BACK_OFF_SECONDS

    async def ask(self, url: str, method: str = "GET", *, redirected: bool = False) -> Verdict:
        """Say whether a request may go now; nothing is waited for but a missing robots.txt."""
        return await _verdict(self.checks(url, method, redirected=redirected))

    async def ask_robots(self, url: str, method: str = "GET") -> Verdict:
        """Say whether a robots.txt may be asked for: all rules but those that it will itself say."""
        return await _verdict(self._own_checks(url, method))

    async def checks(self, url: str, method: str = "GET", *, redirected: bool = False) -> AsyncIterator[Check]:
        """Yield what each rule says of a request, in order; after one that refuses there is no other."""
        if redirected and _LOGIN.search(url.partition(":")[2]):
            yield Check("login", self._stop("redirected to a login page"), refuses=True, stops=True)
            return
        async for check in self._own_checks(url, method):
            yield check
            if check.refuses:
                return
        ruling = await self._robots(url)
        yield Check("robots", ruling.rule, refuses=not ruling.allowed, lasting=ruling.lasting)

    async def _own_checks(self, url: str, method: str) -> AsyncIterator[Check]:
        policy = self._current()
        if refusal := unlisted(url, method, policy):
            yield Check("scope", refusal, refuses=True, lasting=True)
            return
        yield Check("scope", f"host {urlsplit(url).netloc} is one of this site's")
        if off := _switched_off(policy):
            yield Check("permission", off, refuses=True)
            return
        yield Check("permission", f"basis {policy.basis.kind}: {policy.basis.document}")
        for check in self._budget(url, policy):
            yield check
            if check.refuses:
                return
        private = await self._private(url)
        yield Check("address", private or _address_rule(policy), refuses=private is not None)

    def robots_line(self, url: str) -> tuple[int, str] | None:
        """Return number and text of the line of robots.txt that decides about a URL, as last read."""
        robots = self._state.robots(origin_of(url))
        return deciding_line(robots, url, self._agent) if robots and robots.status == OK else None

    def sitemaps(self, url: str) -> list[str]:
        """Return the sitemaps that the robots.txt of a URL's origin names, as last read."""
        robots = self._state.robots(origin_of(url))
        return sitemaps(robots) if robots else []

    async def wait(self, url: str, *, robots: bool = False) -> Verdict:
        """Wait until the registered domain may be asked again, and take the turn; the kill switch works meanwhile.

        Whoever took the turn gives it back with `left`, whatever came of the request. With `robots` the request is
        for a robots.txt, which may say another delay than the one that is known.
        """
        domain, delay = registered_domain(url), self._policy.delay_seconds if robots else self._delay(url)
        while (pause := self._state.take_turn(domain, time.time(), delay)) > 0:
            for check in self._budget(url, self._policy):  # what the site asked for meanwhile may be long
                if check.refuses:
                    return Verdict(False, check.says)
            await asyncio.sleep(min(pause, 5.0))
            if refusal := _switched_off(self._current()):
                return Verdict(False, refusal)
        self._state.count_page(_today())
        return Verdict(True, "allowed")

    def left(self, url: str, *, robots: bool = False) -> float:
        """Give the turn back: the answer is there, or there will be none. Returns when there is another turn.

        The pause runs from now on, so that two requests are apart by the delay even when one was slow.
        """
        delay = self._policy.delay_seconds if robots else self._delay(url)
        return self._state.end_turn(registered_domain(url), time.time() + delay)

    def answered(self, url: str, status: int, headers: dict[str, str], text: str) -> str | None:
        """Read what an answer says of us; returns why it must not be used, or None."""
        if status in BUSY:
            asked = retry_after(headers.get("retry-after", ""), now=datetime.now(UTC))
            self._pause(url, self._back_off if asked is None else asked)
            self._back_off = min(self._back_off * 2, LONGEST_BACK_OFF)
            return f"answered {status}"
        if status in {401, 403}:
            return self._stop(f"answered {status}")
        if match := _CHALLENGE.search(text):
            return self._stop(f"challenge or login wall ({match[0]})")
        if status < 400:
            self._back_off = BACK_OFF_SECONDS
        return None

    def robots_answered(self, url: str, status: int, headers: dict[str, str]) -> None:
        """Pause after the answer to a robots.txt, as long as it asks."""
        if status in BUSY:
            self._pause(url, retry_after(headers.get("retry-after", ""), now=datetime.now(UTC)) or self._back_off)

    def barren(self, url: str, text: str, headings: str) -> str | None:
        """Judge a page on which nothing was found; returns why it is a wall, or None when it is merely empty.

        Args:
            url: where it was found.
            text: what a reader sees of it.
            headings: its title and headings, which alone count on a long page: its footer may ask to sign in too.
        """
        match = _CHALLENGE.search(text if len(text) <= _CHALLENGE_PAGE_CHARACTERS else headings)
        return self._stop(f"challenge or login wall ({match[0]}) at {url[:200]}") if match else None

    def _delay(self, url: str) -> float:
        robots = self._state.robots(origin_of(url))
        asked = crawl_delay(robots, self._agent) if robots else 0.0
        return max(self._policy.delay_seconds, asked)

    @property
    def _agent(self) -> str:
        return self._policy.basis.agent or PRODUCT

    def _pause(self, url: str, seconds: float) -> None:
        domain = registered_domain(url)
        self._state.note_next_at(domain, max(self._state.next_at(domain), time.time() + seconds))

    def _stop(self, reason: str) -> str:
        self._state.note_stop(time.time() + STOP_SECONDS, reason)
        return f"{reason}; the site rests for 24 h"

    def _budget(self, url: str, policy: SitePolicy) -> Iterable[Check]:
        resting = self._state.stopped(time.time())
        yield Check("rest", f"the site rests: {resting}" if resting else "no rest", refuses=bool(resting))
        pause = self._state.next_at(registered_domain(url)) - time.time()
        if pause > LONGEST_WAIT:
            yield Check("pause", f"the site asked for a pause of {pause / 60:.0f} more minutes", refuses=True)
        else:
            yield Check("pause", f"{self._delay(url):g} s between two requests, {max(pause, 0):.1f} s still to wait")
        used, cap = self._state.pages_on(_today()), policy.pages_per_day
        if used >= cap:
            yield Check("daily cap", f"daily cap of {cap} pages is used up", refuses=True)
        else:
            yield Check("daily cap", f"{used} of {cap} pages of today are used")

    def _current(self) -> SitePolicy:
        """Read the policy again, so that the kill switch works within one request."""
        try:
            fresh = self._reload()
        except PolicyError:
            fresh = None  # a broken edit keeps the policy that was in force
        if fresh is not None:
            self._policy = fresh
        return self._policy

    async def _private(self, url: str) -> str | None:
        if self._policy.private_hosts_allowed:
            return None
        host = urlsplit(url).hostname or ""
        loop = asyncio.get_running_loop()
        try:
            found = await loop.run_in_executor(None, socket.getaddrinfo, host, None)
        except OSError:
            return f"host {host} cannot be resolved"
        for entry in found:
            if not is_public(address := str(entry[4][0])):
                return f"host {host} has the private address {address}"
        return None

    async def _robots(self, url: str) -> Ruling:
        origin = origin_of(url)
        robots = self._state.robots(origin)
        if robots is None or time.time() - robots.fetched_at > max_age(robots.status):
            status, body = await self._fetch_robots(f"{origin}/robots.txt")
            robots = Robots(time.time(), status, body[:MAX_BYTES])
            self._state.note_robots(origin, robots)
            self._pause(url, self._delay(url))
        return rule(robots, url, self._agent)


async def _verdict(checks: AsyncIterator[Check]) -> Verdict:
    """Return what the last check says: the first that refuses, or that all allow."""
    said = "allowed"
    async for check in checks:
        if check.refuses:
            return Verdict(False, check.says, lasting=check.lasting, stops=check.stops)
        said = check.says if check.name == "robots" else "allowed"
    return Verdict(True, said)


def _address_rule(policy: SitePolicy) -> str:
    return "private addresses are allowed to this site" if policy.private_hosts_allowed else "a public address"


def _switched_off(policy: SitePolicy) -> str | None:
    if not policy.enabled:
        return "the site is switched off in its policy"
    return "basis import: this site is never asked" if policy.basis.kind == "import" else None


def unlisted(url: str, method: str, policy: SitePolicy) -> str | None:
    """Return why a request is none of this site's: its method, its scheme or its host; None when it is."""
    parts = urlsplit(url)
    if method != "GET":
        return f"method {method}: only GET is sent"
    if parts.scheme not in {"http", "https"}:
        return f"scheme {parts.scheme or '(none)'}: only http and https are read"
    if "@" in parts.netloc or not _listed(parts, policy.allowed_hosts()):
        return f"host {parts.netloc.rpartition('@')[2]} is not one of this site's"
    return None


def is_public(address: str) -> bool:
    """Whether an address is one that anybody on the internet may have; loopback, private and link-local are not."""
    found = ipaddress.ip_address(address.split("%", maxsplit=1)[0])
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped:
        found = found.ipv4_mapped
    return found.is_global and not found.is_multicast


def _listed(parts: SplitResult, allowed: Iterable[str]) -> bool:
    """Whether a host is on the list; an entry without a port means the scheme's own port."""
    usual = {"http": 80, "https": 443}[parts.scheme]
    try:
        port = parts.port or usual
    except ValueError:
        return False
    host = (parts.hostname or "").rstrip(".")
    names = {f"{host}:{port}"} | ({host} if port == usual else set())
    return any(entry.lower() in names for entry in allowed)


def retry_after(value: str, *, now: datetime) -> float | None:
    """Return the seconds that a Retry-After asks for (RFC 9110 §10.2.3); None when it says nothing usable."""
    value = value.strip()
    if value.isdecimal():
        return min(float(value), float(STOP_SECONDS))
    try:
        moment = parsedate_to_datetime(value)
    except (TypeError, ValueError, OverflowError):  # a zone of more hours than can be counted
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max((moment - now).total_seconds(), 0.0), float(STOP_SECONDS))


def origin_of(url: str) -> str:
    """Return scheme, host and port: what a robots.txt speaks for."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def registered_domain(url: str) -> str:
    """Return the domain that shares one delay: its registered domain, or host and port where there is none."""
    return _registered_domain(urlsplit(url).netloc)


@lru_cache(maxsize=1024)
def _registered_domain(netloc: str) -> str:
    return _registered(netloc).top_domain_under_public_suffix or netloc


def _today() -> str:
    return datetime.now(SHANGHAI).date().isoformat()
