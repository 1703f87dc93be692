"""Where a trap is laid: servers whose logs are judged, and a crawler that walks in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from tests.crawlers import certificates, forum
from tests.crawlers.site import Asked, Reply, Site


class Sprung(AssertionError):
    """A crawler did what it should not have done; the message says what."""


@dataclass(frozen=True)
class Found:
    """A text that a crawler kept, and when it says that it was written."""

    text: str
    published: str | None = None


@dataclass(frozen=True)
class Walk:
    """How a crawler is sent: what an operator would write into its configuration."""

    base_url: str
    hosts: tuple[str, ...] = ()
    start: str = "/list"
    recipe: Mapping[str, Any] = field(default_factory=lambda: forum.HTML_RECIPE)
    delay: float = 0.0
    pages_per_day: int = 1000
    agreed: bool = True
    private: bool = True
    recheck: bool = False
    name: str = "test"
    off: Callable[[], bool] = lambda: False
    """Whether the operator has switched the site off by now."""


class Walker(Protocol):
    """A crawler under test."""

    def crawl(self, *walks: Walk) -> list[Found]:
        """Crawl to the end, several sites at once, and return what was kept."""

    def later(self, seconds: float) -> None:
        """Let time pass, as far as the crawler remembers any."""

    def reasons(self) -> str:
        """Return why something was not read, as the last crawl told."""


@dataclass
class Trap:
    """One trap: how it is laid and judged; `right` says what a polite crawler does, `told` what its report names."""

    name: str
    right: str
    spring: Callable[[Ground], None]
    told: str = ""


TRAPS: list[Trap] = []


def trap(name: str, right: str, told: str = "") -> Callable[[Callable[[Ground], None]], Callable[[Ground], None]]:
    """Put a trap into the table."""

    def put(spring: Callable[[Ground], None]) -> Callable[[Ground], None]:
        TRAPS.append(Trap(name, right, spring, told))
        return spring

    return put


class Ground:
    """A site with a small forum, other sites where a trap needs them, and the crawler."""

    def __init__(self, walker: Walker, site: Site, folder: Path, stack: ExitStack) -> None:
        self.walker, self.site, self.folder = walker, site, folder
        self._stack = stack
        self.forum({"t1": ["一"]})

    def forum(self, threads: dict[str, list[str]], **sizes: int) -> None:
        """Put a forum on the site in place of the one of a single post 一."""
        for path in [path for path in self.site.pages if path != "/robots.txt"]:
            del self.site.pages[path]
        forum.put(self.site, threads, **sizes)

    def another(self, *, secure: bool = False) -> Site:
        """Start a second site; a secure one presents a certificate that nobody trusts."""
        certificate = certificates.context(self.folder) if secure else None
        return self._stack.enter_context(serving(certificate))

    def robots(self, body: str, status: int = 200, **headers: str) -> None:
        """Put a robots.txt on the site."""
        kind = {"Content-Type": "text/plain"} | {name.replace("_", "-"): value for name, value in headers.items()}
        self.site.pages["/robots.txt"] = Reply(body, status, kind)

    def walk(self, **changes: Any) -> Walk:
        """Return how the crawler is sent to the site."""
        return Walk(**{"base_url": self.site.url} | changes)

    def crawl(self, **changes: Any) -> list[str]:
        """Send the crawler and return the texts that it kept."""
        return [found.text for found in self.walker.crawl(self.walk(**changes))]

    def pages(self) -> list[Asked]:
        """Return what was asked for but robots.txt."""
        return [one for one in self.site.log if one.path != "/robots.txt"]


@contextmanager
def serving(certificate: Any = None) -> Iterator[Site]:
    """Serve a site for a while."""
    with Site(certificate) as site:
        yield site
        site.shutdown()


def asked_only(site: Site, *targets: str) -> None:
    """Demand that nothing else was asked for, robots.txt aside."""
    others = [target for target in site.asked() if target not in targets]
    if others:
        raise Sprung(f"fetched {', '.join(dict.fromkeys(others))}")


def apart(log: list[Asked], seconds: float) -> None:
    """Demand that each request came so long after the answer before it (server's clock, 2 ms allowed)."""
    pauses = [after.at - before.answered for before, after in zip(log, log[1:], strict=False)]
    if len(log) < 2:
        raise Sprung("went away after one request")
    if min(pauses) < seconds - 0.002:
        raise Sprung(f"asked again after {max(min(pauses), 0):.2f} s")


def kept(texts: list[str], *wanted: str) -> None:
    """Demand that exactly these posts were kept, each once; titles aside."""
    posts = sorted(text for text in texts if not text.startswith("题目"))
    if posts != sorted(wanted):
        few = "、".join(posts[:3])
        raise Sprung(f"kept {few[:30] or 'nothing'}" if len(posts) <= 3 else f"kept {len(posts)} posts")
