"""Deadlines that are suggested to platforms and to ourselves, by severity; working days with their 调休.

The statutes say 立即 and 及时 and name no hours: every deadline here is our suggestion and is shown as 建议.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import chinese_calendar
from django.utils import timezone

from config.service_levels import Duration, load_service_levels

_SATURDAY = 5


@dataclass(frozen=True)
class Deadline:
    """A moment (Asia/Shanghai), and whether the calendar of that year was known when it was computed."""

    at: datetime
    calendar_known: bool = True

    def __str__(self) -> str:
        guessed = "" if self.calendar_known else "，该年放假安排未公布，按周一至周五推算"
        return f"{self.at:%Y-%m-%d %H:%M} +08:00 前（建议{guessed}）"


def for_platform(severity: str, *, kid_zone: bool, start: datetime) -> Deadline:
    """Return the moment by which a platform is asked to act; a children's section halves the time."""
    duration = load_service_levels()[severity].platform_deadline
    return after(start, duration, share=0.5 if kid_zone else 1.0)


def after(start: datetime, duration: Duration, share: float = 1.0) -> Deadline:
    """Return the moment this long after `start`; working days follow the Chinese calendar.

    Half a working day is twelve hours; a moment that falls on a day off moves to the next working day.
    """
    moment = timezone.localtime(start) + timedelta(hours=duration.hours * share)
    whole, half = divmod(duration.working_days * share, 1)
    known = True
    for _ in range(int(whole)):
        moment, sure = _next_working_day(moment)
        known &= sure
    if half:
        moment += timedelta(hours=24 * half)
        working, sure = _is_working_day(moment.date())
        if not working:
            moment, further = _next_working_day(moment)
            sure &= further
        known &= sure
    return Deadline(moment, known)


def _next_working_day(moment: datetime) -> tuple[datetime, bool]:
    known = True
    while True:
        moment += timedelta(days=1)
        working, sure = _is_working_day(moment.date())
        known &= sure
        if working:
            return moment, known


def _is_working_day(day: date) -> tuple[bool, bool]:
    """Return whether people work on this day, and whether that is known or follows from the weekday alone."""
    try:
        return bool(chinese_calendar.is_workday(day)), True
    except NotImplementedError:
        return day.weekday() < _SATURDAY, False
