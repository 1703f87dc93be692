"""The file of a crawler's memory: addresses with personal data in them stand in it sealed, all else as it is."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from config.sealing import NotOpened, opened, sealed
from crawlers.addresses import masked
from crawlers.recheck import TITLE

T = TypeVar("T")

_LEAD = "sealed:"
_LASTING = frozenset({
    sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
})  # fmt: skip
"""Errors that the next attempt would meet too, unlike a file that somebody else holds for long."""


class Memory(sqlite3.Connection):
    """A connection that seals such values on their way in and opens them on their way out; without a `key` it is plain.

    The same address is sealed alike each time, so that it can be looked for. A parameter that is a list is handed on as
    JSON, for what is looked for together (json_each).

    When the disk is full, or the file is damaged, SQLite may have undone what was noted since the last commit. So from
    the first such error on nothing is noted any more, and every attempt raises that error, `broken`: a thread must not
    be remembered as read when its units are not.
    """

    key = b""
    broken: sqlite3.Error | None = None

    def open_with(self, key: bytes) -> None:
        """Seal and open with this key from now on."""
        self.key, self.row_factory = key, self._opened if key else None

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        """As `sqlite3.Connection.execute`; parameters by place."""
        return self._watched(super().execute, sql, self._sealed(parameters))

    def executemany(self, sql: str, parameters: Iterable[Any], /) -> sqlite3.Cursor:
        """As `sqlite3.Connection.executemany`; parameters by place."""
        return self._watched(super().executemany, sql, [self._sealed(row) for row in parameters])

    def commit(self) -> None:
        """As `sqlite3.Connection.commit`."""
        self._watched(super().commit)

    def _watched(self, act: Callable[..., T], *arguments: Any) -> T:
        if self.broken is not None:
            raise self.broken
        try:
            return act(*arguments)
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF in _LASTING:
                self.broken = error
            raise

    def _sealed(self, row: Sequence[Any]) -> list[object]:
        return [self._bound(value) for value in row]

    def _bound(self, value: object) -> object:
        return json.dumps([self._seal(one) for one in value]) if isinstance(value, list) else self._seal(value)

    def _seal(self, value: object) -> object:
        if not self.key or not isinstance(value, str) or ("/" not in value and "@" not in value):
            return value
        if masked(value, self.key) == value:
            return value
        own = value.removesuffix(TITLE)
        return f"{_LEAD}{sealed(own, self.key)}{value[len(own) :]}"

    def _opened(self, cursor: sqlite3.Cursor, row: Sequence[object]) -> tuple[object, ...]:
        return tuple(self._open(value) if isinstance(value, str) else value for value in row)

    def _open(self, value: str) -> str:
        if not value.startswith(_LEAD):
            return value
        token = value.removesuffix(TITLE)
        try:
            return opened(token.removeprefix(_LEAD), self.key) + value[len(token) :]
        except NotOpened:
            return value
