"""Deadlines follow the service levels and the Chinese working calendar."""

from datetime import datetime
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


def test_a_person_looks_first_within_the_hours_of_the_severity() -> None:
    assert deadlines.first_look("S1", at("2026-11-24T10:00")).at == at("2026-11-24T14:00")
