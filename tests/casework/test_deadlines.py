"""Deadlines follow the service levels and the Chinese working calendar."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from casework import deadlines

SHANGHAI = ZoneInfo("Asia/Shanghai")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("severity", "kid_zone", "start", "end"),
    [
        ("S0", False, "2026-11-24T10:00", "2026-11-24T12:00"),
        ("S0", True, "2026-11-24T10:00", "2026-11-24T11:00"),
        ("S1", False, "2026-11-24T10:00", "2026-11-25T10:00"),
        ("S1", True, "2026-11-24T10:00", "2026-11-24T22:00"),
        ("S2", False, "2026-11-24T10:00", "2026-11-26T10:00"),
        ("S2", False, "2026-11-27T10:00", "2026-12-01T10:00"),  # Friday: the weekend does not count
        ("S2", True, "2026-11-27T10:00", "2026-11-30T10:00"),
        ("S3", False, "2026-11-24T10:00", "2026-12-01T10:00"),
        ("S3", True, "2026-11-24T10:00", "2026-11-26T22:00"),
        ("S2", False, "2026-09-30T10:00", "2026-10-09T10:00"),  # National Day holidays, 1 to 7 October
        ("S2", False, "2026-10-09T10:00", "2026-10-12T10:00"),  # Saturday 10 October is made up for
    ],
)
def test_a_platform_is_given_this_long(severity: str, kid_zone: bool, start: str, end: str) -> None:
    deadline = deadlines.for_platform(severity, kid_zone=kid_zone, start=at(start))
    assert deadline.at == at(end)
    assert deadline.calendar_known


def test_a_year_without_a_published_calendar_follows_the_weekdays_and_says_so() -> None:
    deadline = deadlines.for_platform("S2", kid_zone=False, start=at("2099-01-02T10:00"))  # a Friday
    assert deadline.at == at("2099-01-06T10:00")
    assert "推算" in str(deadline)


def test_a_deadline_is_shown_as_a_suggestion_with_its_zone() -> None:
    text = str(deadlines.for_platform("S1", kid_zone=False, start=at("2026-11-24T10:00")))
    assert text == "2026-11-25 10:00 +08:00 前（建议）"


# Days off and days made up for, as the State Council published them: 国办发明电〔2023〕7号, 〔2024〕12号, 〔2025〕7号.
PUBLISHED: dict[int, tuple[str, str]] = {
    2024: (
        "01-01 02-10..02-17 04-04..04-06 05-01..05-05 06-10 09-15..09-17 10-01..10-07",
        "02-04 02-18 04-07 04-28 05-11 09-14 09-29 10-12",
    ),
    2025: (
        "01-01 01-28..02-04 04-04..04-06 05-01..05-05 05-31..06-02 10-01..10-08",
        "01-26 02-08 04-27 09-28 10-11",
    ),
    2026: (
        "01-01..01-03 02-15..02-23 04-04..04-06 05-01..05-05 06-19..06-21 09-25..09-27 10-01..10-07",
        "01-04 02-14 02-28 05-09 09-20 10-10",
    ),
}


@pytest.mark.parametrize("year", PUBLISHED)
def test_working_days_are_those_of_the_published_schedule(year: int) -> None:
    spans, made_up = (given.split() for given in PUBLISHED[year])
    off: set[date] = set()
    for span in spans:
        first, last = (date.fromisoformat(f"{year}-{end}") for end in (span[:5], span[-5:]))
        off.update(first + timedelta(days=n) for n in range((last - first).days + 1))
    worked = {date.fromisoformat(f"{year}-{day}") for day in made_up}
    days = [date(year, 1, 1) + timedelta(days=n) for n in range(366 if year == 2024 else 365)]
    expected = {day: (day.weekday() < 5 and day not in off) or day in worked for day in days}
    assert {day: deadlines._is_working_day(day) for day in days} == {
        day: (work, True) for day, work in expected.items()
    }
