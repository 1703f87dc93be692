"""Many rows in few statements, where the ORM's own bulk insert cannot say what it did or is slow.

On PostgreSQL the ORM sends columns as arrays, whose JSON values psycopg escapes character by character: plain VALUES
are five times as fast for the inbox.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import connection, models

ROWS = 500
"""Rows of one statement; bounds its parameters, of which SQLite takes 32,766."""


def insert(
    model: type[models.Model], columns: Sequence[str], rows: Sequence[Sequence[Any]], *, on_conflict: str = ""
) -> list[Any]:
    """Insert rows in the order given, in the running transaction; returns the first column of each row written.

    Args:
        model: whose table.
        columns: names of its columns; the first is returned.
        rows: values that the database takes as they are (JSON as text, moments adapted).
        on_conflict: SQL after ON CONFLICT; rows that it skips are not returned. It may name `{table}`.
    """
    table = connection.ops.quote_name(model._meta.db_table)
    clause = f"ON CONFLICT {on_conflict.format(table=table)}" if on_conflict else ""
    row = f"({', '.join(['%s'] * len(columns))})"
    written: list[Any] = []
    with connection.cursor() as cursor:
        for start in range(0, len(rows), ROWS):
            part = rows[start : start + ROWS]
            cursor.execute(
                f"INSERT INTO {table} ({', '.join(columns)}) VALUES {', '.join([row] * len(part))} "  # noqa: S608
                f"{clause} RETURNING {columns[0]}",
                [value for values in part for value in values],
            )
            written += (one[0] for one in cursor.fetchall())
    return written
