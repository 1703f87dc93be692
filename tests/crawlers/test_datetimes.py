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
