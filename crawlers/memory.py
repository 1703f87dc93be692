"""The file of a crawler's memory: addresses with personal data in them stand in it sealed, all else as it is."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any

from config.sealing import NotOpened, opened, sealed
from crawlers.addresses import masked
from crawlers.recheck import TITLE

_LEAD = "sealed:"


class Memory(sqlite3.Connection):
    """A connection that seals such values on their way in and opens them on their way out; without a `key` it is plain.

    The same address is sealed alike each time, so that it can be looked for.
    """

    key = b""

    def open_with(self, key: bytes) -> None:
        """Seal and open with this key from now on."""
        self.key, self.row_factory = key, self._opened if key else None

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        """As `sqlite3.Connection.execute`."""
        return super().execute(sql, self._sealed(parameters))

    def executemany(self, sql: str, parameters: Iterable[Any], /) -> sqlite3.Cursor:
        """As `sqlite3.Connection.executemany`."""
        return super().executemany(sql, [self._sealed(row) for row in parameters])

    def _sealed(self, row: Any) -> Any:
        return [self._seal(value) for value in row] if self.key and isinstance(row, tuple | list) else row

    def _seal(self, value: object) -> object:
        if not isinstance(value, str) or ("/" not in value and "@" not in value):
            return value
        if value.startswith("[") and value.endswith("]"):  # keys that are looked for together (json_each)
            with suppress(ValueError):
                return json.dumps([self._seal(one) for one in json.loads(value)])
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
