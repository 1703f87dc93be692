"""What a crawler remembers of its draws: the threads that lists showed, what was drawn, and where the next draw begins.

A draw is remembered before any of it is read, so that a killed crawl reads on and does not draw again.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

from crawlers.sampling import Chance, Listed

SCHEMA = """
CREATE TABLE IF NOT EXISTS listed (
  section TEXT, thread TEXT, url TEXT NOT NULL, signal TEXT NOT NULL, replies INTEGER, moved_at REAL, passed_at REAL,
  PRIMARY KEY (section, thread)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS drawn (
  section TEXT, thread TEXT, url TEXT NOT NULL, probability REAL, stratum TEXT, frame INTEGER,
  tries INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (section, thread)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS cursor (section TEXT, stratum TEXT, at REAL NOT NULL, PRIMARY KEY (section, stratum))
  WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS seed (value INTEGER NOT NULL);
"""
MOST_TRIES = 3
"""Runs in which a drawn page that cannot be read is tried, before it is given up."""


@dataclass(frozen=True)
class Drawn:
    """A thread that was drawn and has not been read yet.

    `signal` is what its list last said of it; `passed_at` when it last had something unread and was not drawn.
    """

    key: str
    url: str
    chance: Chance
    signal: str = ""
    passed_at: float | None = None


class Frame:
    """The draws of one site, in the file of its state; what is noted is kept when the state is committed."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def seed(self) -> int:
        """Return the site's own seed, made at the first call."""
        row = self._db.execute("SELECT value FROM seed").fetchone()
        if row is None:
            row = (secrets.randbits(62),)
            self._db.execute("INSERT INTO seed VALUES (?)", row)
        return int(row[0])

    def note_listed(self, section: str, thread: Listed) -> bool:
        """Remember a thread as its list shows it; return whether that is new."""
        where = (section, thread.key)
        row = self._db.execute("SELECT signal FROM listed WHERE section=? AND thread=?", where).fetchone()
        values = (thread.url, thread.signal, thread.replies, thread.moved_at)
        if row is None:
            self._db.execute("INSERT INTO listed VALUES (?, ?, ?, ?, ?, ?, NULL)", (*where, *values))
            return True
        update = "UPDATE listed SET url=?, signal=?, replies=?, moved_at=? WHERE section=? AND thread=?"
        self._db.execute(update, (*values, *where))
        return bool(row[0] != thread.signal)

    def listed(self, section: str) -> list[Listed]:
        """Return every thread that the section's lists have shown, but those that went away."""
        columns = "thread, url, signal, replies, moved_at"
        rows = self._db.execute(f"SELECT {columns} FROM listed WHERE section=? ORDER BY thread", (section,))  # noqa: S608
        return [Listed(*row) for row in rows]

    def size(self, section: str) -> int:
        """Return how many threads the section's lists have shown."""
        return int(self._db.execute("SELECT count(*) FROM listed WHERE section=?", (section,)).fetchone()[0])

    def note_gone(self, thread: str) -> None:
        """Forget a thread that is no longer there."""
        self._db.execute("DELETE FROM listed WHERE thread=?", (thread,))

    def note_passed(self, section: str, threads: Iterable[str], now: float) -> None:
        """Remember that these threads had something unread, and were not drawn."""
        rows = [(now, section, thread) for thread in threads]
        self._db.executemany("UPDATE listed SET passed_at=? WHERE section=? AND thread=?", rows)

    def passed(self, section: str) -> dict[str, float]:
        """Return when each thread that was passed over with something unread was so last."""
        query = "SELECT thread, passed_at FROM listed WHERE section=? AND passed_at IS NOT NULL"
        return dict(self._db.execute(query, (section,)))

    def cursor(self, section: str, stratum: str) -> float:
        """Return where the next draw of a stratum begins."""
        row = self._db.execute("SELECT at FROM cursor WHERE section=? AND stratum=?", (section, stratum)).fetchone()
        return float(row[0]) if row else 0.0

    def note_cursor(self, section: str, stratum: str, at: float) -> None:
        """Remember where the next draw of a stratum begins."""
        self._db.execute("INSERT OR REPLACE INTO cursor VALUES (?, ?, ?)", (section, stratum, at))

    def note_drawn(self, section: str, threads: Iterable[Drawn]) -> None:
        """Remember a draw; each is forgotten when it was read."""
        rows = [(section, one.key, one.url, *_columns(one.chance)) for one in threads]
        self._db.executemany("INSERT OR REPLACE INTO drawn VALUES (?, ?, ?, ?, ?, ?, 0)", rows)

    def pending(self, section: str) -> list[Drawn]:
        """Return what an earlier run drew and did not read, and note that it is tried again."""
        self._db.execute("DELETE FROM drawn WHERE section=? AND tries>=?", (section, MOST_TRIES - 1))
        self._db.execute("UPDATE drawn SET tries=tries+1 WHERE section=?", (section,))
        columns = "d.thread, d.url, probability, stratum, frame, coalesce(signal, ''), passed_at"
        source = "drawn d LEFT JOIN listed l ON l.section=d.section AND l.thread=d.thread"
        query = f"SELECT {columns} FROM {source} WHERE d.section=? ORDER BY d.thread"  # noqa: S608
        return [Drawn(row[0], row[1], Chance(*row[2:5]), *row[5:]) for row in self._db.execute(query, (section,))]

    def note_read(self, section: str, thread: str) -> None:
        """Remember that a thread was read to its end."""
        self._db.execute("DELETE FROM drawn WHERE section=? AND thread=?", (section, thread))
        self._db.execute("UPDATE listed SET passed_at=NULL WHERE section=? AND thread=?", (section, thread))


def _columns(chance: Chance) -> tuple[float | None, str | None, int | None]:
    return chance.probability, chance.stratum, chance.frame
