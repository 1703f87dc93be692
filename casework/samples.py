"""Samples: for captures that were drawn with a known probability, the numbers that an estimate needs.

Written in the transaction of the assessment, for texts below the threshold too; nothing of a text is kept.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from hashlib import blake2b

from django.db import connection
from django.utils import timezone

from casework import bulk
from casework.models import SampleCount
from crawlers.capture import Capture

_KEY = ("day", "site", "section", "stratum", "thread", "category")
_COLUMNS = (*_KEY, "units", "weight", "drawn", "frame")
_ON_CONFLICT = (
    f"({', '.join(_KEY)}) DO UPDATE SET units = {{table}}.units + excluded.units, "
    "weight = {table}.weight + excluded.weight, frame = coalesce(excluded.frame, {table}.frame), "
    "drawn = CASE WHEN excluded.drawn < {table}.drawn THEN excluded.drawn ELSE {table}.drawn END"
)


class Tally:
    """Counts of one batch, kept until its transaction writes them."""

    def __init__(self) -> None:
        self._zone = timezone.get_current_timezone()
        self._rows: dict[tuple[str, ...], tuple[int, float, float, int | None]] = {}

    def add(self, capture: Capture, flagged: Iterable[str]) -> None:
        """Count a capture and the categories in which it reached the threshold.

        One without a probability is not counted, nor an edited text, whose unit was counted before.
        """
        if capture.inclusion_probability is None or capture.replaces is not None:
            return
        weight, hits = 1 / capture.inclusion_probability, list(flagged)
        day = str(capture.captured_at.astimezone(self._zone).date())
        place = (day, capture.site, capture.section, capture.stratum or "", _digest(capture))
        for category in (SampleCount.ALL, *([SampleCount.ANY] if hits else []), *hits):
            units, total, drawn, frame = self._rows.get((*place, category), (0, 0.0, weight, None))
            row = units + 1, total + weight, min(drawn, weight), capture.frame or frame
            self._rows[*place, category] = row

    def write(self) -> None:
        """Add to what is there, in one statement and in ascending order, so that transactions never wait in a ring."""
        if not self._rows:
            return
        days = {key[0]: connection.ops.adapt_datefield_value(date.fromisoformat(key[0])) for key in self._rows}
        rows = [(days[key[0]], *key[1:], *values) for key, values in sorted(self._rows.items())]
        bulk.insert(SampleCount, _COLUMNS, rows, on_conflict=_ON_CONFLICT)


def _digest(capture: Capture) -> str:
    key = f"{capture.thread or ''}\x1f{capture.canonical_url if capture.thread is None else ''}"
    return blake2b(key.encode(), digest_size=8).hexdigest()
