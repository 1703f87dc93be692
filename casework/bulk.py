"""Many rows in few statements, where the ORM's own bulk insert cannot say what it did or is slow.

PostgreSQL gets all rows as one JSON value (`jsonb_populate_recordset`): thousands of parameters cost more time in the
client, which quotes each, than the server needs to store them. SQLite gets plain VALUES.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, models
from django.db.models.expressions import RawSQL

ROWS = 2000
"""Rows of one statement at most."""
_PARAMETERS = 32_000
"""SQLite takes 32,766 in one statement."""


@dataclass(frozen=True, slots=True)
class Json:
    """A value that is JSON already."""

    text: str


def insert(
    model: type[models.Model],
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    *,
    on_conflict: str = "",
    returning: Sequence[str] = (),
) -> list[Any]:
    """Insert rows in the order given, in the running transaction; returns what the rows written hold.

    Args:
        model: whose table.
        columns: names of its columns.
        rows: values that the database takes as they are (JSON as `Json`, moments adapted).
        on_conflict: SQL after ON CONFLICT; rows that it skips are not returned. It may name `{table}`.
        returning: columns to return of each row written; default: the first of `columns`, not in a tuple.
    """
    table = connection.ops.quote_name(model._meta.db_table)
    clause = f"ON CONFLICT {on_conflict.format(table=table)}" if on_conflict else ""
    into = f"INSERT INTO {table} ({', '.join(columns)})"
    back = f"{clause} RETURNING {', '.join(returning or columns[:1])}"
    postgresql = connection.vendor == "postgresql"
    size = ROWS if postgresql else max(1, min(ROWS, _PARAMETERS // len(columns)))
    written: list[Any] = []
    with connection.cursor() as cursor:
        for start in range(0, len(rows), size):
            part = rows[start : start + size]
            if postgresql:
                source = f"SELECT {', '.join(columns)} FROM jsonb_populate_recordset(NULL::{table}, %s::jsonb)"  # noqa: S608
                cursor.execute(f"{into} {source} {back}", [_as_json(columns, part)])
            else:
                values = ", ".join([f"({', '.join(['%s'] * len(columns))})"] * len(part))
                cursor.execute(f"{into} VALUES {values} {back}", [_plain(one) for row in part for one in row])
            written += cursor.fetchall() if returning else [one[0] for one in cursor.fetchall()]
    return written


def create(objects: Sequence[models.Model], *, returning: Sequence[str]) -> list[Any]:
    """Insert new rows of one model as they stand; those that a unique column refuses are left out.

    Returns:
        Of each row written, what `returning` names.
    """
    if not objects:
        return []
    model = type(objects[0])
    fields = [field for field in model._meta.concrete_fields if not field.primary_key]
    postgresql = connection.vendor == "postgresql"

    def value(field: Any, one: models.Model) -> Any:
        given = field.pre_save(one, True)
        return given if postgresql else field.get_db_prep_save(given, connection)

    rows = [[value(field, one) for field in fields] for one in objects]
    columns = [str(field.column) for field in fields]
    return insert(model, columns, rows, on_conflict="DO NOTHING", returning=returning)


def among(column: str, kind: str, values: Sequence[Any]) -> tuple[str, list[Any]]:
    """Return the SQL that asks whether a column is one of these values, and its parameters.

    Args:
        column: its name.
        kind: PostgreSQL's type of the column: `bigint`, or `text` of digests alone.
        values: numbers or digests; without quotes, commas or braces in them.
    """
    if connection.vendor == "postgresql":
        return f"{column} = ANY(%s::{kind}[])", ["{" + ",".join(map(str, values)) + "}"]
    return f"{column} IN ({', '.join(['%s'] * len(values))})", list(values)


def numbers(values: Sequence[int]) -> Any:
    """Return whole numbers for a lookup with `__in`: on PostgreSQL one parameter, however many they are."""
    if connection.vendor != "postgresql":
        return values
    return RawSQL("SELECT unnest(%s::bigint[])", ["{" + ",".join(map(str, values)) + "}"])


def _as_json(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    return f"[{','.join([_object(columns, row) for row in rows])}]"


def _object(columns: Sequence[str], row: Sequence[Any]) -> str:
    """Return a row as a JSON object; what is JSON already goes in as it is."""
    ready = [(column, one.text) for column, one in zip(columns, row, strict=True) if isinstance(one, Json)]
    rest = {column: one for column, one in zip(columns, row, strict=True) if not isinstance(one, Json)}
    plain = _ENCODER.encode(rest)
    return plain[:-1] + "".join(f',"{column}":{text}' for column, text in ready) + "}" if ready else plain


def _plain(value: Any) -> Any:
    return value.text if isinstance(value, Json) else value


_ENCODER = json.JSONEncoder(ensure_ascii=False, default=str, check_circular=False)
