"""Many rows in few statements, where the ORM's own bulk insert cannot say what it did or is slow.

PostgreSQL gets all rows as one JSON value (`jsonb_populate_recordset`): thousands of parameters cost more time in the
client, which quotes each, than the server needs to store them. SQLite gets plain VALUES.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from django.db import connection, models
from django.db.models.expressions import RawSQL
from pydantic_core import to_json

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
    set_now = [field for field in fields if type(field).pre_save is not models.Field.pre_save]
    for one in objects:
        for field in set_now:
            field.pre_save(one, True)  # moments of writing, which it notes in the object as well
    values = attrgetter(*(field.attname for field in fields))
    rows: list[Sequence[Any]] = [values(one) for one in objects]
    if connection.vendor != "postgresql":
        rows = [
            [field.get_db_prep_save(one, connection) for field, one in zip(fields, row, strict=True)] for row in rows
        ]
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
    """Return rows as a list of JSON objects. A column is `Json` in each of them or in none."""
    ready = [at for at, one in enumerate(rows[0]) if isinstance(one, Json)]
    if ready:
        return f"[{','.join([_object(columns, row, ready) for row in rows])}]"
    return to_json([dict(zip(columns, row, strict=True)) for row in rows], fallback=str).decode()


def _object(columns: Sequence[str], row: Sequence[Any], ready: Sequence[int]) -> str:
    """Return a row as a JSON object; what is JSON already goes in as it is."""
    rest = {column: one for at, (column, one) in enumerate(zip(columns, row, strict=True)) if at not in ready}
    plain = to_json(rest, fallback=str).decode()
    return plain[:-1] + "".join(f',"{columns[at]}":{row[at].text}' for at in ready) + "}"


def _plain(value: Any) -> Any:
    return value.text if isinstance(value, Json) else value
