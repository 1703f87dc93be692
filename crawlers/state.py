"""What a crawler remembers of one site between runs, in one SQLite file: keys, hashes and times, never a text.

Written page by page, so that a killed crawl goes on where it was.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, ClassVar, Literal
from urllib.parse import quote

from crawlers.frame import SCHEMA as FRAME_SCHEMA
from crawlers.frame import Frame
from crawlers.memory import Memory
from crawlers.recheck import SCHEMA as PAST_SCHEMA
from crawlers.recheck import TITLE, Past
from crawlers.yields import SCHEMA as YIELD_SCHEMA
from crawlers.yields import History

_SCHEMA = f"""
{FRAME_SCHEMA}
{PAST_SCHEMA}
{YIELD_SCHEMA}
CREATE TABLE IF NOT EXISTS unit (thread TEXT, unit TEXT, capture_id TEXT NOT NULL, PRIMARY KEY (thread, unit))
  WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS thread (
  key TEXT PRIMARY KEY, signal TEXT NOT NULL, last_url TEXT NOT NULL, checked_at REAL NOT NULL,
  changed_at REAL NOT NULL, before_last INTEGER NOT NULL, gap REAL NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS validator (url TEXT PRIMARY KEY, etag TEXT NOT NULL, modified TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS section_begun (slug TEXT PRIMARY KEY, at REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS section (slug TEXT PRIMARY KEY, complete INTEGER NOT NULL) WITHOUT ROWID;
"""
HELD_SECONDS = 0.1
"""How soon to ask again for a turn that somebody has, whose end nobody knows."""
_GATE_SCHEMA = """
CREATE TABLE IF NOT EXISTS robots (
  origin TEXT PRIMARY KEY, fetched_at REAL NOT NULL, status INTEGER NOT NULL, body TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS clock (domain TEXT PRIMARY KEY, next_at REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS stop (site TEXT PRIMARY KEY, until REAL NOT NULL, reason TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS pages (site TEXT, day TEXT, count INTEGER NOT NULL, PRIMARY KEY (site, day)) WITHOUT ROWID;
"""


class AlreadyRunning(Exception):
    """Another crawl of the same site uses the same state."""


class Unusable(Exception):
    """The folder of the memory cannot be written, or holds something else."""


@dataclass(frozen=True)
class ThreadState:
    """What is known of a thread: the list page's signal that it moved, its last page, and when it last changed.

    `before_last` counts the units on the pages before the last one, so that places in the thread stay right; `gap` is
    the mean time between its answers.
    """

    signal: str
    last_url: str
    checked_at: float
    changed_at: float
    before_last: int = 0
    gap: float = 0.0


@dataclass(frozen=True)
class Robots:
    """A robots.txt as it was answered."""

    fetched_at: float
    status: int
    body: str


class State:
    """The memory of one site; one crawl at a time holds it.

    `frame` is what it remembers of draws, `past` of whole threads.

    Without `exclusive` it is only looked at, beside a crawl that may be under way: what the gate notes is shared by
    all, the rest must not be written. With a `key` addresses with personal data are sealed (crawlers/memory.py).

    Raises:
        AlreadyRunning: another process holds it.
        Unusable: the folder cannot be written, or its files are not ours.
    """

    def __init__(self, folder: Path, site: str, *, exclusive: bool = True, key: bytes = b"") -> None:
        try:
            self._open(folder, site, exclusive=exclusive)
            self._db.open_with(key)
        except (OSError, sqlite3.Error) as error:
            raise Unusable(f"the crawler's memory in {folder} cannot be used: {error}") from error
        self._site = site

    def _open(self, folder: Path, site: str, *, exclusive: bool) -> None:
        (folder / "turns").mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._turns: dict[str, IO[str]] = {}
        self._robots: dict[str, Robots] = {}
        self._lock: IO[str] = (folder / f"{site}.lock").open("a+")
        try:
            if exclusive:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._lock.close()
            raise AlreadyRunning(f"another crawl of {site} is using {folder}") from None
        # Two files: what was captured is committed together with the captures; what the gate notes is committed at
        # once and shared by all crawls of this folder, so that sites on one domain keep one delay.
        self._db = _opened(folder / f"{site}.sqlite3", _SCHEMA, "DEFERRED")
        _grow(self._db, "thread", "gap", "REAL NOT NULL DEFAULT 0")
        self._shared = _Shared.of(folder)
        self._gate = self._shared.connection
        self.frame, self.past, self.history = Frame(self._db), Past(self._db), History(self._db)

    @property
    def broken(self) -> sqlite3.Error | None:
        """The error after which nothing could be noted any more, such as a full disk."""
        return self._db.broken or self._gate.broken

    def close(self) -> None:
        """Let go; what was not committed is forgotten."""
        self._db.close()
        self._shared.leave()
        for held in (self._lock, *self._turns.values()):
            held.close()

    def commit(self) -> None:
        """Make what was noted so far survive a kill."""
        self._db.commit()

    def known(self, thread: str, units: Iterable[str]) -> dict[str, str]:
        """Return unit → capture id of those units of a thread that were captured before."""
        query = "SELECT unit, capture_id FROM unit WHERE thread=? AND unit IN (SELECT value FROM json_each(?))"
        return dict(self._db.execute(query, (thread, list(units))))

    def units_of(self, thread: str) -> int:
        """Return how many units of a thread were captured before; its title is none."""
        query = "SELECT count(*) FROM unit WHERE thread=? AND unit != ?"
        return int(self._db.execute(query, (thread, f"{thread}{TITLE}")).fetchone()[0])

    def note_unit(self, thread: str, unit: str, capture_id: str) -> None:
        """Remember that a unit was captured with this content."""
        self._db.execute("INSERT OR REPLACE INTO unit VALUES (?, ?, ?)", (thread, unit, capture_id))

    def thread(self, key: str) -> ThreadState | None:
        """Return what is known of a thread."""
        columns = "signal, last_url, checked_at, changed_at, before_last, gap"
        row = self._db.execute(f"SELECT {columns} FROM thread WHERE key=?", (key,)).fetchone()  # noqa: S608
        return ThreadState(*row) if row else None

    def note_thread(self, key: str, state: ThreadState) -> None:
        """Remember how a thread was left when it had been read to its end."""
        row = (key, state.signal, state.last_url, state.checked_at, state.changed_at, state.before_last, state.gap)
        self._db.execute("INSERT OR REPLACE INTO thread VALUES (?, ?, ?, ?, ?, ?, ?)", row)

    def validators(self, url: str) -> dict[str, str]:
        """Return the headers of a conditional request (RFC 9110 §13.1) for a page that was dealt with before."""
        row = self._db.execute("SELECT etag, modified FROM validator WHERE url=?", (url,)).fetchone()
        names = ("If-None-Match", "If-Modified-Since")
        return {name: value for name, value in zip(names, row or (), strict=False) if value}

    def note_validators(self, url: str, etag: str, modified: str) -> None:
        """Remember the ETag and the Last-Modified of a page."""
        self._db.execute("INSERT OR REPLACE INTO validator VALUES (?, ?, ?)", (url, etag, modified))

    def section_complete(self, slug: str) -> bool:
        """Whether the last crawl read this section to its end."""
        row = self._db.execute("SELECT complete FROM section WHERE slug=?", (slug,)).fetchone()
        return bool(row and row[0])

    def section_begun(self, slug: str) -> float:
        """Return when a crawl last began with this section (seconds since 1970), or 0."""
        row = self._db.execute("SELECT at FROM section_begun WHERE slug=?", (slug,)).fetchone()
        return float(row[0]) if row else 0.0

    def note_section_begun(self, slug: str, moment: float) -> None:
        """Remember when a crawl began with a section."""
        self._db.execute("INSERT OR REPLACE INTO section_begun VALUES (?, ?)", (slug, moment))

    def note_section(self, slug: str, complete: bool) -> None:
        """Remember whether a section was read to its end."""
        self._db.execute("INSERT OR REPLACE INTO section VALUES (?, ?)", (slug, int(complete)))

    def robots(self, origin: str) -> Robots | None:
        """Return the robots.txt of an origin (scheme, host and port) as last answered, whoever asked for it.

        Every request asks for it several times, so that its text is read only when it is another.
        """
        row = self._gate.execute("SELECT fetched_at, status FROM robots WHERE origin=?", (origin,)).fetchone()
        if row is None:
            return None
        kept = self._robots.get(origin)
        if kept is None or (kept.fetched_at, kept.status) != row:
            row = self._gate.execute("SELECT fetched_at, status, body FROM robots WHERE origin=?", (origin,)).fetchone()
            kept = self._robots[origin] = Robots(*row)
        return kept

    def note_robots(self, origin: str, robots: Robots) -> None:
        """Remember a robots.txt."""
        row = (origin, robots.fetched_at, robots.status, robots.body)
        self._gate.execute("INSERT OR REPLACE INTO robots VALUES (?, ?, ?, ?)", row)

    def next_at(self, domain: str) -> float:
        """Return the moment (seconds since 1970) from which the domain may be asked again."""
        row = self._gate.execute("SELECT next_at FROM clock WHERE domain=?", (domain,)).fetchone()
        return float(row[0]) if row else 0.0

    def note_next_at(self, domain: str, moment: float) -> None:
        """Remember when the domain may be asked again; kept across runs."""
        self._gate.execute("INSERT OR REPLACE INTO clock VALUES (?, ?)", (domain, moment))

    def take_turn(self, domain: str, now: float, delay: float) -> float:
        """Take the domain's turn and return 0, or return the seconds until it is worth asking again.

        A turn is held until `end_turn`: one request at a time, whoever asks. The kernel takes it back from a process
        that died.
        """
        if self.next_at(domain) > now:
            return self.next_at(domain) - now
        turn = (self._folder / "turns" / quote(domain, safe="")).open("a")
        try:
            fcntl.flock(turn, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            turn.close()
            return HELD_SECONDS
        if (pause := self.next_at(domain) - now) > 0:  # somebody had it in between
            turn.close()
            return pause
        self.note_next_at(domain, now + delay)
        self._turns[domain] = turn
        return 0.0

    def end_turn(self, domain: str, next_at: float) -> float:
        """Give a turn back; nobody has another before `next_at` (seconds since 1970), or later. Returns that moment."""
        with self._turns.pop(domain, None) or contextlib.nullcontext():
            next_at = max(self.next_at(domain), next_at)
            self.note_next_at(domain, next_at)
        return next_at

    def stopped(self, now: float) -> str | None:
        """Return why the site rests, or None when it does not."""
        row = self._gate.execute("SELECT until, reason FROM stop WHERE site=?", (self._site,)).fetchone()
        if row is None or row[0] <= now:
            return None
        return f"{row[1]}, until {datetime.fromtimestamp(row[0]).astimezone().isoformat(timespec='seconds')}"

    def note_stop(self, until: float, reason: str) -> None:
        """Let the site rest."""
        self._gate.execute("INSERT OR REPLACE INTO stop VALUES (?, ?, ?)", (self._site, until, reason))

    def pages_on(self, day: str) -> int:
        """Return how many pages of this site were asked for on a day."""
        row = self._gate.execute("SELECT count FROM pages WHERE site=? AND day=?", (self._site, day)).fetchone()
        return int(row[0]) if row else 0

    def count_page(self, day: str) -> None:
        """Count one page against the daily cap."""
        upsert = "INSERT INTO pages VALUES (?, ?, 1) ON CONFLICT(site, day) DO UPDATE SET count = count + 1"
        self._gate.execute(upsert, (self._site, day))


class _Shared:
    """What the gates of one folder note, by one connection for all sites that a thread reads.

    With one for each of hundreds of sites, what one of them writes makes all others read theirs anew.
    """

    _open: ClassVar[dict[tuple[Path, int, int], _Shared]] = {}

    def __init__(self, key: tuple[Path, int, int]) -> None:
        self._key, self._users = key, 0
        self.connection = _opened(key[0] / "gate.sqlite3", _GATE_SCHEMA, None)

    @classmethod
    def of(cls, folder: Path) -> _Shared:
        """Return that of a folder; each call wants a `leave`."""
        key = folder.resolve(), os.getpid(), threading.get_ident()  # SQLite's connections are for one thread
        shared = cls._open.get(key) or cls._open.setdefault(key, cls(key))
        shared._users += 1
        return shared

    def leave(self) -> None:
        """Let go; the last one closes the connection."""
        self._users -= 1
        if self._users == 0:
            self._open.pop(self._key, None)
            self.connection.close()


def _opened(path: Path, schema: str, isolation: Literal["DEFERRED"] | None) -> Memory:
    new = not path.exists() or not path.stat().st_size
    connection = sqlite3.connect(path, timeout=10, isolation_level=isolation, factory=Memory)
    # To force an empty memory onto the disk takes as long as to read ten pages, and there is nothing in it to lose.
    connection.execute(f"PRAGMA synchronous={'OFF' if new else 'NORMAL'}")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.executescript(f"BEGIN IMMEDIATE; {schema} COMMIT" if new else schema)
    connection.execute("PRAGMA synchronous=NORMAL")
    return connection


def _grow(connection: sqlite3.Connection, table: str, column: str, kind: str) -> None:
    """Give a table of an earlier version a column that it lacks."""
    if column not in {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}:
        connection.execute(f"ALTER TABLE {table} ADD COLUMN {column} {kind}")


def default_folder(data_dir: Path) -> Path:
    """Return where states are kept when no folder is named."""
    return data_dir.expanduser().resolve() / "crawl" if str(data_dir) else Path(os.curdir)
