"""The outbox: which cases the index does not hold as they are.

Every change of a case that shows in the index puts it here in its own transaction (`signals.announce_cases`), with a
mark drawn anew. Whoever writes to the index reads case and mark in one statement, and afterwards takes the row away
only if it still has that mark. So a case that changes meanwhile stays, a process that is killed leaves what it had not
finished, and nobody waits: rows that somebody is just changing are passed over, and stay.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import connection, models
from django.utils import timezone

from casework import bulk
from casework.models import Case, Outbox, Visible

_ANEW = "(case_id) DO UPDATE SET mark = excluded.mark"
_TAKE = """
WITH told AS (
    SELECT case_id FROM {outbox} JOIN unnest(%s::bigint[], %s::bigint[]) AS read (case_id, mark) USING (case_id, mark)
    FOR UPDATE OF {outbox} SKIP LOCKED
), taken AS (
    DELETE FROM {outbox} USING told WHERE {outbox}.case_id = told.case_id
)
INSERT INTO {visible} (case_id, at) SELECT case_id, %s FROM told ON CONFLICT DO NOTHING
"""


def put(case_ids: Iterable[int]) -> None:
    """Note that the index has to be told of these cases, in the running transaction."""
    mark = _mark()
    bulk.insert(Outbox, ("case_id", "mark"), [(one, mark) for one in sorted(case_ids)], on_conflict=_ANEW)


def put_all() -> None:
    """Note it of every case that is no copy of another."""
    _put("copy_of_id IS NULL", [])


def put_since(moment: datetime) -> None:
    """Note it of every case that has changed since."""
    _put("updated_at >= %s", [connection.ops.adapt_datetimefield_value(moment)])


def take(marks: Sequence[tuple[int, int]]) -> None:
    """Take away what the index has been told of, and note of each case when it was the first time.

    Args:
        marks: cases, each with the mark that was read together with it.
    """
    if not marks:
        return
    now = connection.ops.adapt_datetimefield_value(timezone.now())
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            case_ids, read = ("{" + ",".join(map(str, one)) + "}" for one in zip(*marks, strict=True))
            cursor.execute(_TAKE.format(outbox=_name(Outbox), visible=_name(Visible)), [case_ids, read, now])
            return
        by_mark: dict[int, list[int]] = {}
        for case_id, mark in marks:
            by_mark.setdefault(mark, []).append(case_id)
        for mark, cases in by_mark.items():
            among, values = bulk.among("case_id", "bigint", cases)
            there = f"FROM {_name(Outbox)} WHERE {among} AND mark = %s"
            first = f"INSERT INTO {_name(Visible)} (case_id, at) SELECT case_id, %s {there} ON CONFLICT DO NOTHING"
            cursor.execute(first, [now, *values, mark])
            cursor.execute(f"DELETE {there}", [*values, mark])


def count() -> int:
    """Return how many cases the index does not hold as they are."""
    return Outbox.objects.count()


def _put(condition: str, parameters: Sequence[Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {_name(Outbox)} (case_id, mark) SELECT id, %s FROM {_name(Case)} "  # noqa: S608
            f"WHERE {condition} ORDER BY id ON CONFLICT {_ANEW}",
            [_mark(), *parameters],
        )


def _name(model: type[models.Model]) -> str:
    return connection.ops.quote_name(model._meta.db_table)


def _mark() -> int:
    return secrets.randbits(62)
