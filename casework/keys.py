"""Conditions that leave nearly everything, kept from being taken for a way to the rows.

SQLite keeps no statistics here and takes every condition for one that leaves a handful of rows. By an index on what
holds of nearly all of them it would read nearly all of them, one by one.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, TypeVar

from django.db import connection
from django.db.models import Func, Model, QuerySet

M = TypeVar("M", bound=Model)


class NotByKey(Func):
    """A column as SQLite looks nothing up by it; PostgreSQL knows its tables and chooses itself."""

    template = "%(expressions)s"

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """Return the SQL of SQLite: a unary plus keeps an index from being chosen."""
        return self.as_sql(compiler, connection, template="+%(expressions)s", **context)


def among(rows: QuerySet[M], name: str, values: Collection[Any]) -> QuerySet[M]:
    """Return the rows whose field is one of these values; they are found by what else is asked."""
    if connection.vendor != "sqlite":
        return rows.filter(**{f"{name}__in": list(values)})
    found: QuerySet[M] = rows.alias(**{f"plain_{name}": NotByKey(name)})
    return found.filter(**{f"plain_{name}__in": list(values)})
