"""Clocks that go wrong: a moment that was noted by one must not hold anything up for as long as it was wrong by."""

from __future__ import annotations

from datetime import datetime, timedelta

CLOCKS_APART = timedelta(minutes=1)
"""How far the clocks of an installation's machines may differ, and how long a transaction of theirs may take."""


def ahead(now: datetime) -> datetime:
    """Return the moment beyond which whatever was noted as past was noted by a clock that was wrong."""
    return now + CLOCKS_APART
