"""What every search can do, and the words in which it is asked."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Protocol

from django.utils import timezone

from casework.errors import InvalidInput
from casework.exposure import Scope
from casework.folding import fold
from casework.models import Case

MAX_TEXT = 200
MAX_SIZE = 100
MAX_WINDOW = 10_000
"""Furthest case that a page number reaches; beyond it goes the cursor."""
FACETS = ("platform_class", "site", "section", "category", "severity", "state")
FILTERS = (*FACETS, "kid_zone", "model_version", "day", "score")


class SearchUnavailable(Exception):
    """The search does not answer or cannot be used; the message says why and holds no password."""


class Sort(StrEnum):
    """Orders of a result."""

    URGENCY = "urgency"
    NEWEST = "newest"
    OLDEST = "oldest"
    SCORE = "score"
    RELEVANCE = "relevance"


@dataclass(frozen=True)
class Query:
    """What is looked for.

    Attributes:
        text: words; those between spaces must all occur, "a phrase in quotes" to the letter.
        filters: field → allowed values; `category` fits any category of a case, `day` is YYYY-MM-DD (Asia/Shanghai),
            `score` a band such as 0.5-0.8, its end left out.
        page: from 1; `page * size` reaches at most 10,000.
        after: cursor of the page before, for everything further; `page` is then ignored.
        scope: what the person who asks may meet.
        facets: whether they are wanted; whoever only pages on saves their counting.

    Raises:
        InvalidInput: names what is wrong and what is allowed.
    """

    scope: Scope
    text: str = ""
    filters: Mapping[str, Sequence[str]] = field(default_factory=dict)
    sort: Sort = Sort.URGENCY
    page: int = 1
    size: int = 20
    after: str | None = None
    facets: bool = True

    def __post_init__(self) -> None:
        if len(self.text) > MAX_TEXT:
            raise InvalidInput("text", f"{len(self.text)} 字", f"不超过 {MAX_TEXT} 字")
        for name, values in self.filters.items():
            if name not in FILTERS:
                raise InvalidInput("filter", name, ", ".join(FILTERS))
            if len(values) > 50:
                raise InvalidInput(name, f"{len(values)} 项", "不超过 50 项")
        if not 1 <= self.size <= MAX_SIZE:
            raise InvalidInput("size", self.size, f"1–{MAX_SIZE}")
        if self.page < 1 or (self.after is None and self.page * self.size > MAX_WINDOW):
            raise InvalidInput("page", self.page, f"1–{MAX_WINDOW // self.size}")

    def terms(self) -> list[Term]:
        """Return the folded words and phrases of `text`."""
        found = re.findall(r'"([^"]+)"|(\S+)', self.text.replace("“", '"').replace("”", '"'))
        terms = [Term(fold(phrase or word).strip('"'), exact=bool(phrase)) for phrase, word in found]
        return [term for term in terms if term.text]


def band(value: str) -> tuple[float, float]:
    """Return the ends of a band of scores such as 0.5-0.8.

    Raises:
        InvalidInput: it is none.
    """
    match = re.fullmatch(r"([01](?:\.[0-9]{1,4})?)-([01](?:\.[0-9]{1,4})?)", value)
    if match is None or float(match[1]) >= float(match[2]):
        raise InvalidInput("score", value[:20], "0.5-0.8")
    return float(match[1]), float(match[2])


@dataclass(frozen=True)
class Term:
    """One word, found when all its pieces occur, or one phrase, found to the letter, spaces and signs included."""

    text: str
    exact: bool

    def pieces(self) -> list[str]:
        """Return what must occur somewhere: bigrams of Chinese, whole runs of Latin letters and figures."""
        if self.exact:
            return [self.text]
        pieces: list[str] = []
        for run in re.findall(r"[a-z0-9]+|[^\W_a-z0-9]+", self.text):
            if run.isascii() or len(run) == 1:
                pieces.append(run)
            else:
                pieces += [run[at : at + 2] for at in range(len(run) - 1)]
        return pieces


@dataclass(frozen=True)
class Hit:
    """A case that was found; `highlights` are (start, end) in its text, in code points."""

    case_id: int
    highlights: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Page:
    """One page of a result."""

    hits: list[Hit]
    total: int
    facets: dict[str, list[tuple[str, int]]]
    next_after: str | None
    backend: str
    degraded: str = ""
    """Why the answer comes from the database although an index is configured; empty when all is well."""
    counted_at: datetime | None = None
    """When total and facets were counted, where that was not for this page (`casework.search.counting`)."""


@dataclass(frozen=True)
class SyncReport:
    """What a sync did: documents written, and writes that came too late and changed nothing."""

    written: int
    stale: int = 0


class SearchPort(Protocol):
    """A search over cases."""

    @property
    def backend(self) -> str:
        """`database` or `elasticsearch`."""

    @property
    def is_index(self) -> bool:
        """Whether it holds documents of its own, which have to be written when a case changes."""

    def sync(self, case_ids: Sequence[int]) -> SyncReport:
        """Bring these cases into the index as they are now; an index finds them a moment later."""

    def search(self, query: Query) -> Page:
        """Return one page of cases."""

    def ids(self, query: Query) -> list[int]:
        """Return the cases of one page in their order and nothing else: neither total, facets nor highlights."""

    def similar(self, case: Case, scope: Scope, size: int = 8) -> list[int]:
        """Return cases that share much of this one's wording, the likest first; a case without text has none."""

    def days(self, query: Query, days: int) -> list[tuple[date, int]]:
        """Return how many cases of a question were made on each of the last days, today (Asia/Shanghai) last."""

    def count(self) -> int:
        """Return how many cases the index holds."""

    def behind(self) -> int:
        """Return how many cases the index does not hold as they are."""

    def rebuild(self, progress: Callable[[int], None] = lambda done: None) -> int:
        """Fill a fresh index from the database and put it in place; returns how many cases it holds."""


def last_days(days: int) -> list[date]:
    """Return the last days, today (Asia/Shanghai) last."""
    today = timezone.localdate()
    return [today - timedelta(days=ago) for ago in reversed(range(days))]


def highlights(text: str, terms: Sequence[Term]) -> tuple[tuple[int, int], ...]:
    """Return where the pieces of the terms stand in a folded text, joined where they touch."""
    marks: list[tuple[int, int]] = []
    for piece in {piece for term in terms for piece in term.pieces()}:
        marks += [(match.start(), match.end()) for match in re.finditer(re.escape(piece), text)]
    joined: list[tuple[int, int]] = []
    for start, end in sorted(marks):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return tuple(joined)
