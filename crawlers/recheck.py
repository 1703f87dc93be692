"""When a thread is looked at again, how far back, and what is missing from it then.

Lists announce answers; edits and removals they do not. So a thread that moved is read on from its last known page and
up to three requests in all go back over its earlier pages, and a thread that rests is read whole now and then.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from config.policy import Section
from config.recipe import ThreadRecipe

HOUR, DAY = 3600.0, 24 * 3600.0
SHORTEST_RECHECK, LONGEST_RECHECK = 600.0, 7 * DAY
SHORTEST_LOOK_BACK, LONGEST_LOOK_BACK = DAY, 30 * DAY
REQUESTS_OF_MOVED = 3
"""Most requests for each thread that moved, unless more pages are new."""
SHARE_OF_LOOK_BACK = 0.1
"""Most threads at rest that one run reads whole, as a share of `pages_per_day`."""
FEW = 2
"""Units that may be missing at once, however few were there."""
TITLE = "#title"
"""End of the key of a title, which stands on the list."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS page (thread TEXT, url TEXT, before INTEGER NOT NULL, looked_at REAL NOT NULL,
  PRIMARY KEY (thread, url)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS whole (thread TEXT PRIMARY KEY, section TEXT NOT NULL, url TEXT NOT NULL,
  looked_at REAL NOT NULL, changed_at REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS gone (thread TEXT, unit TEXT, at REAL NOT NULL, PRIMARY KEY (thread, unit)) WITHOUT ROWID;
"""


@dataclass(frozen=True)
class Seen:
    """A page of a thread that was read before; `before` counts the units on the pages before it."""

    url: str
    before: int


def due(checked_at: float, changed_at: float, gap: float, now: float) -> bool:
    """Whether a thread that no list announces is worth another look.

    It is looked at after half of the time in which it usually changes: half of its mean gap between two answers, or of
    the time for which it has stayed the same when that is longer; at least ten minutes, at most a week.

    Args:
        checked_at: when it was last looked at (seconds since 1970, as all moments here).
        changed_at: when something new was last found in it.
        gap: its mean gap between answers; 0 where only one look is known.
        now: the moment.
    """
    usual = max(gap, checked_at - changed_at) / 2
    return now - checked_at >= min(max(usual, SHORTEST_RECHECK), LONGEST_RECHECK)


def mean_gap(gap: float, waited: float, fresh: int) -> float:
    """Return the mean gap between answers, after `fresh` were found in `waited` seconds; the past counts half."""
    found = waited / fresh
    return (gap + found) / 2 if gap else found


def newest_first(recipe: ThreadRecipe) -> bool:
    """Whether the newest units stand on the first page, so that all others move on when some are added."""
    return recipe.paging is not None and not recipe.paging.last_known


def rolls_off(recipe: ThreadRecipe) -> bool:
    """Whether units leave a page by themselves, so that what is missing was not taken away: feeds, timelines, cuts."""
    cut = recipe.paging is not None and recipe.paging.at_most is not None
    return recipe.format == "feed" or recipe.thread is not None or newest_first(recipe) or cut


class Past:
    """What is remembered of whole threads, of their pages and of what is gone; kept when the state is committed.

    Args:
        db: the memory's connection (crawlers/memory.py).
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def note_page(self, thread: str, page: Seen, now: float) -> None:
        """Remember that a page of a thread was read."""
        self._db.execute("INSERT OR REPLACE INTO page VALUES (?, ?, ?, ?)", (thread, page.url, page.before, now))

    def pages(self, thread: str, *, newest_first: bool = False) -> list[Seen]:
        """Return the pages of a thread that were read, those first that were not looked at for longest.

        Of those that were looked at in the same run the ones with the oldest units come first.
        """
        oldest = "before DESC" if newest_first else "before"
        query = f"SELECT url, before FROM page WHERE thread=? ORDER BY looked_at, {oldest}"  # noqa: S608
        return [Seen(*row) for row in self._db.execute(query, (thread,))]

    def note_whole(self, thread: str, section: str, url: str, changed: bool, now: float) -> None:
        """Remember that a thread was read whole."""
        row = self._db.execute("SELECT changed_at FROM whole WHERE thread=?", (thread,)).fetchone()
        changed_at = now if changed or row is None else row[0]
        self._db.execute("INSERT OR REPLACE INTO whole VALUES (?, ?, ?, ?, ?)", (thread, section, url, now, changed_at))

    def drop_pages(self, thread: str, urls: Iterable[str]) -> None:
        """Forget pages of a thread that are no longer among its pages."""
        self._db.executemany("DELETE FROM page WHERE thread=? AND url=?", [(thread, url) for url in urls])

    def forget(self, thread: str) -> None:
        """Forget a thread that went."""
        self._db.execute("DELETE FROM page WHERE thread=?", (thread,))
        self._db.execute("DELETE FROM whole WHERE thread=?", (thread,))

    def resting(self, section: str, now: float, most: int) -> list[tuple[str, str]]:
        """Return (thread, address) of those that should be read whole again, the longest due first.

        After a day, and then after as long again as the thread has stayed the same, at most thirty days.
        """
        wait = "min(max(looked_at - changed_at, ?), ?)"
        query = f"SELECT thread, url FROM whole WHERE section=? AND looked_at + {wait} <= ?"  # noqa: S608
        limits = (SHORTEST_LOOK_BACK, LONGEST_LOOK_BACK)
        return list(
            self._db.execute(f"{query} ORDER BY looked_at + {wait} LIMIT ?", (section, *limits, now, *limits, most))
        )

    def missing(self, thread: str, met: Collection[str]) -> dict[str, str] | None:
        """Return unit → capture id of what was captured of a thread and is no longer in it.

        None where more than half is missing at once: then it is the page that changed, or what is read of it.

        Args:
            met: keys of the units that were found when the whole thread was read.
        """
        query = "SELECT unit, capture_id FROM unit WHERE thread=? AND unit NOT LIKE ?"
        known = dict(self._db.execute(query, (thread, f"%{TITLE}")))
        told = {row[0] for row in self._db.execute("SELECT unit FROM gone WHERE thread=?", (thread,))}
        lost = {unit: capture for unit, capture in known.items() if unit not in met}
        fresh = len(lost.keys() - told)
        return None if fresh > FEW and 2 * fresh > len(known.keys() - told) else lost

    def all_of(self, thread: str) -> dict[str, str]:
        """Return unit → capture id of everything that was captured of a thread."""
        return dict(self._db.execute("SELECT unit, capture_id FROM unit WHERE thread=?", (thread,)))

    def note_gone(self, thread: str, units: dict[str, str], now: float) -> list[str]:
        """Remember that units are gone; return the capture ids of those of which that was not known."""
        told = {row[0] for row in self._db.execute("SELECT unit FROM gone WHERE thread=?", (thread,))}
        fresh = [unit for unit in units if unit not in told]
        self._db.executemany("INSERT INTO gone VALUES (?, ?, ?)", [(thread, unit, now) for unit in fresh])
        return [units[unit] for unit in fresh]

    def note_there(self, thread: str, units: Iterable[str]) -> None:
        """Remember that units are there, whatever was thought of them before."""
        query = "DELETE FROM gone WHERE thread=? AND unit IN (SELECT value FROM json_each(?))"
        self._db.execute(query, (thread, list(units)))


def section_due(section: Section, begun: float, now: float) -> bool:
    """Whether a scheduled crawl looks at a section that was last begun with at `begun`; times in seconds since 1970."""
    return section.every is None or now - begun >= section.every.total_seconds()
