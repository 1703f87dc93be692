"""Whether a run brings far less than its site's own history says: a sign that the recipe no longer fits the pages.

Three things are compared, each with the same thing in earlier runs, so that a run which only looks for what is new is
not taken for one that finds nothing: threads on a list page, threads in which anything is found, and units found
out of those that the list announced or that an earlier run found there.
"""

from __future__ import annotations

import hashlib
import sqlite3
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from config.recipe import Recipe

SCHEMA = """
CREATE TABLE IF NOT EXISTS yield (
  at REAL NOT NULL, recipe TEXT NOT NULL, kind TEXT NOT NULL, base INTEGER NOT NULL, found INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS amber (kind TEXT PRIMARY KEY, recipe TEXT NOT NULL, since REAL NOT NULL, what TEXT NOT NULL)
  WITHOUT ROWID;
"""
RUNS_COMPARED = 20
RUNS_NEEDED = 2
"""Earlier runs without which there is no history to speak of."""
FAR_FEWER = 0.3
"""Share of the usual yield below which a run is far below it."""
ENOUGH = 10
ENOUGH_FOR_NOTHING = 3
"""So much must have been expected before less of it, or nothing at all of it, says anything."""
MOST_EXAMPLES = 3


@dataclass
class Tally:
    """So much found out of so much looked at."""

    base: int = 0
    found: int = 0

    def add(self, base: int, found: int) -> None:
        """Count more."""
        self.base, self.found = self.base + base, self.found + found


@dataclass
class Yields:
    """What one run found, addresses of pages on which nothing was, and references to such pages where they are kept."""

    lists: Tally = field(default_factory=Tally)
    threads: Tally = field(default_factory=Tally)
    units: Tally = field(default_factory=Tally)
    empty: list[str] = field(default_factory=list)
    evidence: list[str] = field(default_factory=list)

    def tallies(self) -> dict[str, Tally]:
        """Return kind → tally of what was looked at."""
        tallies = {"lists": self.lists, "threads": self.threads, "units": self.units}
        return {kind: tally for kind, tally in tallies.items() if tally.base}

    def note_list(self, number: int, found: int) -> None:
        """Count the threads of a list page; one past the end may be empty."""
        if found or number == 1:
            self.lists.add(1, found)

    def note_thread(self, url: str, found: int, expected: int) -> None:
        """Count a thread that was read: its units, and how many it must have; 0 where nobody knows."""
        self.threads.add(1, bool(found))
        self.units.add(expected, min(found, expected))
        if not found and len(self.empty) < MOST_EXAMPLES:
            self.empty.append(url)


@dataclass(frozen=True)
class Rot:
    """What yields far less than usual, and since when."""

    kind: str
    since: datetime
    what: str


class History:
    """The yields of a site's earlier runs, kept with its memory. A changed recipe begins a new history."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def judge(self, yields: Yields, recipe: Recipe) -> list[Rot]:
        """Compare a run with those before it, remember it when it is healthy, and return what is amber now.

        What was not looked at this time stays as it was.
        """
        now, digest = time.time(), _digest(recipe)
        self._db.execute("DELETE FROM amber WHERE recipe != ?", (digest,))
        for kind, tally in yields.tallies().items():
            past = self._past(kind, digest)
            if what := far_fewer(kind, past, tally):
                self._db.execute(
                    "INSERT INTO amber VALUES (?, ?, ?, ?) ON CONFLICT(kind) DO UPDATE SET what = excluded.what",
                    (kind, digest, now, what),
                )
            elif not _below(past, tally):
                self._db.execute("DELETE FROM amber WHERE kind = ?", (kind,))
                row = (now, digest, kind, tally.base, tally.found)
                self._db.execute("INSERT INTO yield VALUES (?, ?, ?, ?, ?)", row)
        return self.amber()

    def has_begun(self, recipe: Recipe) -> bool:
        """Whether earlier runs with this recipe tell what is usual."""
        query = "SELECT count(DISTINCT at) FROM yield WHERE recipe = ?"
        return bool(self._db.execute(query, (_digest(recipe),)).fetchone()[0] >= RUNS_NEEDED)

    def amber(self) -> list[Rot]:
        """Return what yields far less than usual."""
        rows = self._db.execute("SELECT kind, since, what FROM amber ORDER BY since, kind")
        return [Rot(kind, datetime.fromtimestamp(since, UTC), what) for kind, since, what in rows]

    def _past(self, kind: str, digest: str) -> list[Tally]:
        query = "SELECT base, found FROM yield WHERE kind = ? AND recipe = ? ORDER BY at DESC LIMIT ?"
        return [Tally(base, found) for base, found in self._db.execute(query, (kind, digest, RUNS_COMPARED))]


def far_fewer(kind: str, past: Sequence[Tally], now: Tally) -> str | None:
    """Return in words how far a run is below those before it; None when it is not, or when that cannot be told."""
    if not _below(past, now):
        return None
    usual = _rate(past)
    if usual * now.base < (ENOUGH if now.found else ENOUGH_FOR_NOTHING):
        return None
    rate = now.found / now.base
    if kind == "lists":
        return f"{rate:.1f} threads on a list page, usually {usual:.1f}"
    things = "threads bring anything" if kind == "threads" else "of the units that are there are found"
    return f"{rate:.0%} {things}, usually {usual:.0%}"


def _rate(past: Sequence[Tally]) -> float:
    return statistics.median(one.found / one.base for one in past)


def _below(past: Sequence[Tally], now: Tally) -> bool:
    return len(past) >= RUNS_NEEDED and now.found < FAR_FEWER * _rate(past) * now.base


def _digest(recipe: Recipe) -> str:
    return hashlib.sha256(recipe.model_dump_json().encode()).hexdigest()
