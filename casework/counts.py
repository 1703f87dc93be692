"""Counts per section and day: all that remains of captures that nobody needed to look at."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import connection
from django.db.models import Sum
from django.utils import timezone

from casework import bulk
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
    grown = ", ".join(f"{field} = {{table}}.{field} + excluded.{field}" for field in FIELDS)
    conflict = f"(day, site, section) DO UPDATE SET {grown}"
    bulk.insert(DailyCount, ("day", "site", "section", *FIELDS), rows, on_conflict=conflict)


def totals() -> dict[str, int]:
    """Return each count summed over all days and sections."""
    sums = DailyCount.objects.aggregate(**{field: Sum(field) for field in FIELDS})
    return {field: sums[field] or 0 for field in FIELDS}
