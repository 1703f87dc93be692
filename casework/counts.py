"""Counts per section and day: all that remains of captures that nobody needed to look at."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import connection
from django.db.models import Sum
from django.utils import timezone

from casework.models import DailyCount

FIELDS = ("accepted", "duplicate", "rejected", "assessed", "flagged")


def add(tally: Mapping[tuple[str, str], Mapping[str, int]]) -> None:
    """Add to today's counts (Asia/Shanghai) of each (site, section).

    One statement, rows in ascending order and last in its transaction: a hot row is held for a moment only, and two
    transactions never wait for each other in a ring.
    """
    if not tally:
        return
    day = connection.ops.adapt_datefield_value(timezone.localdate())
    rows = [(day, *place, *(count.get(field, 0) for field in FIELDS)) for place, count in sorted(tally.items())]
    table = connection.ops.quote_name(DailyCount._meta.db_table)
    values = ", ".join([f"({', '.join(['%s'] * (3 + len(FIELDS)))})"] * len(rows))
    grown = ", ".join(f"{field} = {table}.{field} + excluded.{field}" for field in FIELDS)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} (day, site, section, {', '.join(FIELDS)}) VALUES {values} "  # noqa: S608
            f"ON CONFLICT (day, site, section) DO UPDATE SET {grown}",
            [value for row in rows for value in row],
        )


def totals() -> dict[str, int]:
    """Return each count summed over all days and sections."""
    sums = DailyCount.objects.aggregate(**{field: Sum(field) for field in FIELDS})
    return {field: sums[field] or 0 for field in FIELDS}
