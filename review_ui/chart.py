"""A chart of days: one column a day, drawn by `days.html` for every page that has one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Column:
    """One day of a chart: its number, its height as a share of the greatest in per cent, whether it is labelled."""

    day: date
    n: int
    height: int
    labelled: bool

    @property
    def top(self) -> int:
        """Where the column begins, from above."""
        return 100 - self.height


def columns(days: Sequence[tuple[date, int]], labelled: Iterable[int]) -> list[Column]:
    """Return the columns of days in order; `labelled` are the places that carry their date."""
    top, shown = max([n for _day, n in days] + [1]), set(labelled)
    return [Column(day, n, round(100 * n / top), at in shown) for at, (day, n) in enumerate(days)]
