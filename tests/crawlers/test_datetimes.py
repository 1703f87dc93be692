"""Times as pages write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.datetimes import SHANGHAI, parse_iso, parse_unix, parse_zh

NOW = datetime(2026, 11, 24, 12, 0, 0, tzinfo=SHANGHAI)


def shanghai(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=SHANGHAI)  # type: ignore[misc,arg-type]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("刚刚", NOW),
        ("53s", NOW - timedelta(seconds=53)),
        ("47m", NOW - timedelta(minutes=47)),
        ("3 小时前", NOW - timedelta(hours=3)),
        ("半小时前", NOW - timedelta(minutes=30)),
        ("半\u00a0小时前", NOW - timedelta(minutes=30)),
        ("两天前", NOW - timedelta(days=2)),
        ("1 周前", NOW - timedelta(weeks=1)),
        ("2 个月前", NOW - timedelta(days=60)),
        ("1年前", NOW - timedelta(days=365)),
        ("今天 08:30", shanghai(2026, 11, 24, 8, 30)),
        ("昨天 04:08", shanghai(2026, 11, 23, 4, 8)),
        ("前天 23:59:58", shanghai(2026, 11, 22, 23, 59, 58)),
        ("昨天", NOW - timedelta(days=1)),
        ("3月1日", shanghai(2026, 3, 1)),
        ("12月31日", shanghai(2025, 12, 31)),
        ("2025年3月1日 下午3:05", shanghai(2025, 3, 1, 15, 5)),
        ("2025年3月1日 凌晨3:05", shanghai(2025, 3, 1, 3, 5)),
        ("2025年3月1日 中午12:05", shanghai(2025, 3, 1, 12, 5)),
        ("2025年3月1日 凌晨12:05", shanghai(2025, 3, 1, 0, 5)),
        ("2025年3月1日 上午12:05", shanghai(2025, 3, 1, 0, 5)),
        ("2025年3月1日 中午1:05", shanghai(2025, 3, 1, 13, 5)),
        ("2025-3-1 15:05", shanghai(2025, 3, 1, 15, 5)),
        ("2025-03-01 15:05:59", shanghai(2025, 3, 1, 15, 5, 59)),
        ("发表于 2025-3-1 15:05", shanghai(2025, 3, 1, 15, 5)),
        ("2025/3/1", shanghai(2025, 3, 1)),
        ("2026-11-20T08:00:00Z", datetime(2026, 11, 20, 8, 0, tzinfo=UTC)),
        ("2026-11-20T08:00:00+08:00", shanghai(2026, 11, 20, 8, 0)),
        ("Nov. 20, 2026, 8:00 a.m.", shanghai(2026, 11, 20, 8, 0)),
        ("2026-12-24", NOW),
        ("2025年2月30日", None),
        ("", None),
        ("楼主", None),
        ("回复 3", None),
        ("x" * 300, None),
    ],
)
def test_a_moment_is_read_as_a_reader_would(text: str, moment: datetime | None) -> None:
    assert parse_zh(text, now=NOW) == moment


@given(st.text(max_size=60) | st.from_regex(r"\d{1,5}[年月日天秒mhd:：前 /.-]\d{0,5}.{0,10}", fullmatch=True))
def test_any_text_gives_a_past_moment_with_a_zone_or_nothing(text: str) -> None:
    found = parse_zh(text, now=NOW)
    assert found is None or (found.tzinfo is not None and found <= NOW)


@given(st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2026, 11, 24)))  # noqa: DTZ001
def test_a_full_date_survives_being_written(moment: datetime) -> None:
    moment = moment.replace(microsecond=0, tzinfo=SHANGHAI)
    for form in ("%Y-%m-%d %H:%M:%S", "%Y年%m月%d日 %H:%M:%S", "%Y/%m/%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"):
        assert parse_zh(moment.strftime(form), now=NOW) == moment


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-20T08:00:00", datetime(2026, 11, 20, 8, 0, tzinfo=UTC)),
        ("Fri, 20 Nov 2026 08:00:00 +0800", shanghai(2026, 11, 20, 8, 0)),
        ("no date", None),
        ("17", None),
        ("99999999999999", None),
    ],
)
def test_iso_and_mail_dates_are_read(text: str, moment: datetime | None) -> None:
    assert parse_iso(text) == moment


@pytest.mark.parametrize("text", ["1790000000", "1790000000.0", "1790000000000"])
def test_unix_time_is_read_in_seconds_and_milliseconds(text: str) -> None:
    assert parse_unix(text) == datetime(2026, 9, 21, 14, 13, 20, tzinfo=UTC)


@given(st.text(max_size=30) | st.floats().map(str))
def test_no_text_breaks_the_readers(text: str) -> None:
    for read in (parse_unix, parse_iso):
        found = read(text)
        assert found is None or found.tzinfo is not None


FOREIGN = [
    ("11-20-2026, 08:00 PM", "2026-11-20T20:00:00+08:00"),
    ("Yesterday, 08:00 AM", "2026-11-26T08:00:00+08:00"),
    ("Today at 08:00:30 AM", "2026-11-27T08:00:30+08:00"),
    ("Yesterday 20:05", "2026-11-26T20:05:00+08:00"),
    ("3 hours ago", "2026-11-27T17:00:00+08:00"),
    ("an hour ago", "2026-11-27T19:00:00+08:00"),
    ("about 2 minutes ago", "2026-11-27T19:58:00+08:00"),
    ("1 day, 3 hours ago", "2026-11-26T20:00:00+08:00"),
    ("08:00, 20 November 2026 (UTC)", "2026-11-20T16:00:00+08:00"),
    ("2026年11月20日 (五) 08:00 (UTC)", "2026-11-20T16:00:00+08:00"),
    ("2026-11-20（周五）08:00", "2026-11-20T08:00:00+08:00"),
    ("2026年11月20日 星期五 08:00", "2026-11-20T08:00:00+08:00"),
    ("Posted: Fri Nov 20, 2026 8:00 am", "2026-11-20T08:00:00+08:00"),
    ("asked Nov 20, 2026", "2026-11-20T00:00:00+08:00"),
    ("20/11/2026 08:00", "2026-11-20T08:00:00+08:00"),
    ("#1 楼主 2026-11-20 08:00", "2026-11-20T08:00:00+08:00"),
    ("3小时前 发布", "2026-11-27T17:00:00+08:00"),
    ("2小时之前", "2026-11-27T18:00:00+08:00"),
]


@pytest.mark.parametrize(("text", "moment"), FOREIGN)
def test_times_as_other_software_writes_them(text: str, moment: str) -> None:
    now = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
    assert parse_zh(text, now=now) == datetime.fromisoformat(moment)


@pytest.mark.parametrize("text", ["less than", "5 days", "周一", "on", "Posted:", "99 hours from now", "Yesterday"])
def test_what_says_no_time_gives_none(text: str) -> None:
    assert parse_zh(text, now=datetime(2026, 11, 27, 12, 0, tzinfo=UTC)) is None


@pytest.mark.parametrize("text", ["9999年前", "9999 years ago", "0001-01-01 00:00:00 +0800", "0001年1月1日 0:00"])
def test_a_time_beyond_the_calendar_is_none(text: str) -> None:
    assert parse_zh(text, now=NOW) is None
    assert parse_iso(text) is None


@pytest.mark.parametrize("text", ["2025-01-01 10:00 +9999", "2025-01-01T10:00:00-2400"])
def test_a_zone_that_is_nowhere_does_not_count(text: str) -> None:
    assert parse_zh(text, now=NOW) == shanghai(2025, 1, 1, 10)
    assert parse_iso(text) is None
