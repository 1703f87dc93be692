"""What large results count, kept for a moment: total and facets of many cases cost more than a page of them.

A small result is counted for every page, so that each decision shows in it at once. Of a large one nobody needs to know
whether a number is one less: it is counted anew when `FRESH` is over, by the first who asks, while others are shown the
numbers that there are. When they were counted is told with them.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta

from django.core.cache import cache
from django.utils import timezone

from casework.search.port import Query

MANY = 5_000
"""Cases beyond which a result's counts are kept; not fewer than an export holds, which has to be counted exactly."""
FRESH = timedelta(seconds=30)
OLDEST = timedelta(seconds=60)
"""Age that no number on a page is beyond, however many wait for new ones."""
_COUNTING_SECONDS = 10
_UNCOUNTED = ("sort", "page", "size", "after")
"""What of a question changes nothing about how many cases fit it."""


@dataclass(frozen=True)
class Counts:
    """How many cases fit a question.

    Attributes:
        total: number of cases.
        facets: facet → (value, number of cases), most frequent first; empty where they were not asked for.
        at: when it was counted; None: for this very page.
    """

    total: int
    facets: dict[str, list[tuple[str, int]]]
    at: datetime | None = None


def kept(query: Query, where: str) -> Counts | None:
    """Return what was counted a moment ago, or None where whoever asks has to count.

    Args:
        query: the question; what of it decides which cases fit is the key, the scope of whoever asks with it.
        where: names the adapter and its index.
    """
    key = _key(query, where)
    counts: Counts | None = cache.get(key)
    if counts is None or counts.at is None:
        return None
    age = timezone.now() - counts.at
    if not timedelta() <= age < OLDEST:  # a clock that was set back makes nothing younger
        return None
    return None if age >= FRESH and cache.add(f"{key}:counting", True, _COUNTING_SECONDS) else counts


def keep(query: Query, where: str, counts: Counts) -> Counts:
    """Keep what has just been counted, where it is many; returns it."""
    if counts.total > MANY:
        key = _key(query, where)
        cache.set(key, replace(counts, at=timezone.now()), OLDEST.total_seconds())
        cache.delete(f"{key}:counting")
    return counts


def _key(query: Query, where: str) -> str:
    """Return a name for a question: its digest, so that no words that somebody looked for stand in a cache."""
    asked = {name: value for name, value in asdict(query).items() if name not in _UNCOUNTED}
    return "counts:" + hashlib.sha256(json.dumps([where, asked], sort_keys=True).encode()).hexdigest()
