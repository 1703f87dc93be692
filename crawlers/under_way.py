"""What is under way while a site is read: sections, threads, and what each of them still waits for."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from scrapy.http import Response

from config.policy import Section
from config.recipe import ThreadRecipe
from crawlers.frame import Drawn
from crawlers.recheck import Seen, newest_first
from crawlers.sampling import UNKNOWN, Chance
from crawlers.units import Unit

Validator = tuple[str, str, str]
"""Address, ETag and Last-Modified of a page."""


@dataclass
class ThreadVisit:
    """A thread that is being read, from its first open page to its last.

    `url` is its first page as listed, `last_url` the last page that brought units, `before_last` how many units stand
    on the pages before that one; `resumed` says that reading began at the last page known from an earlier run.
    `announced` is how many answers its list says it has.
    `inner` are the pages still to be read of a long thread, where they were drawn, each with the chance `inner_chance`.
    `whole` says that it is read from its first page, `through` that it is to be read to its last, whatever is known;
    `back` are earlier pages that it is still to be read back over, `moved` the keys of threads in which something is
    new: its own, or those whose units stand together on its pages.
    `passed_at` is when the thread last had something unread and was not drawn: what stood there then had another
    chance, which nobody can tell any more.
    """

    section: Section
    key: str
    url: str
    canonical_url: str
    signal: str = ""
    announced: int | None = None
    chance: Chance = UNKNOWN
    inner: list[int] | None = None
    inner_chance: Chance = UNKNOWN
    passed_at: float | None = None
    known: bool = False
    units_before: int = 0
    resumed: bool = False
    last_url: str = ""
    before_last: int = 0
    urls: set[str] = field(default_factory=set)
    keys: set[str] = field(default_factory=set)
    units: int = 0
    fresh: int = 0
    changed: bool = False
    whole: bool = True
    through: bool = False
    truncated: bool = False
    moved: set[str] = field(default_factory=set)
    began: float = field(default_factory=time.time)
    back: list[Seen] = field(default_factory=list)


@dataclass
class SectionVisit:
    """A section that is being read; complete when nothing of it is under way.

    `moved_lists` are the further lists that were asked for, each with the signal by which it is known next time;
    `rested` says that its threads at rest have been asked for.
    """

    section: Section
    was_complete: bool
    open_requests: int = 0
    failed: bool = False
    rested: bool = False
    lists: set[str] = field(default_factory=set)
    validators: list[Validator] = field(default_factory=list)
    moved_lists: dict[str, str] = field(default_factory=dict)


def visit_of(section: Section, drawn: Drawn, canonical_url: str) -> ThreadVisit:
    """Return the visit of a thread that was drawn."""
    return ThreadVisit(
        section, drawn.key, drawn.url, canonical_url, drawn.signal, chance=drawn.chance, passed_at=drawn.passed_at
    )


def chance_of(unit: Unit, thread: ThreadVisit) -> Chance:
    """Return the chance of a unit; unknown for what stood in its thread when that was passed over."""
    if thread.passed_at and not (unit.published_at and unit.published_at.timestamp() > thread.passed_at):
        return UNKNOWN
    return thread.chance if thread.inner is None else thread.inner_chance


def expected_of(thread: ThreadVisit, recipe: ThreadRecipe) -> int:
    """Return how many units a thread that was read as a whole must have: announced by its list, or known before."""
    if thread.resumed or thread.inner is not None or (thread.known and newest_first(recipe)):
        return 0
    return max(thread.announced or 0, thread.units_before)


def validators_of(response: Response) -> list[Validator]:
    """Return (address, ETag, Last-Modified) when the page has either, for a conditional request next time."""
    etag, modified = ((response.headers.get(name) or b"").decode("latin-1") for name in ("ETag", "Last-Modified"))
    return [(response.request.url if response.request else response.url, etag, modified)] if etag or modified else []
