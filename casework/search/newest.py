"""The newest cases first, without looking at all of them.

Documents lie in the index in the order in which cases came. Each that Elasticsearch looks at is therefore newer than
the one before, so that it can pass over none. The database knows by an index when the newest few thousand came, and
among these the page is nearly always found.
"""

from __future__ import annotations

from datetime import datetime

from casework.models import Case
from casework.search.port import Query, Sort

SPARE = 2000
"""Newest cases that are looked at beyond those which would fill the page if all fitted."""


def since(query: Query) -> datetime | None:
    """Return when the oldest of the newest cases came; None where the question has another order, or all are few."""
    if query.sort is not Sort.NEWEST or query.after:
        return None
    enough = query.page * query.size + SPARE
    newest = Case.objects.filter(copy_of=None).order_by("-created_at", "-id").values_list("created_at", flat=True)
    return next(iter(newest[enough : enough + 1]), None)
