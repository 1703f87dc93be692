"""Times as people and programs write them on pages: absolute, relative, Chinese."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from dateutil import parser as dateutil_parser

SHANGHAI = ZoneInfo("Asia/Shanghai")

_UNITS = {
    "秒": "seconds", "秒钟": "seconds", "s": "seconds", "分": "minutes", "分钟": "minutes", "m": "minutes",
    "min": "minutes", "小时": "hours", "个小时": "hours", "h": "hours", "天": "days", "日": "days", "d": "days",
    "周": "weeks", "星期": "weeks", "w": "weeks",
}  # fmt: skip
_MONTH_LIKE = {"个月": 30, "月": 30, "年": 365}
_AGO = re.compile(
    r"(?P<n>\d{1,4}|半|一|两|几)\s*"
    r"(?P<unit>秒钟|秒|分钟|分|个小时|小时|个月|天|日|周|星期|月|年|min|s|m|h|d|w)\s*(?P<ago>[之以]?前|ago)?"
    r"(?:\s*(?:发布|发表|回复|编辑|更新))?"
)
_ENGLISH_AGO = re.compile(
    r"(?:about|almost|over|less than)?\s*(?P<n>\d{1,4}|an?|one)\s*"
    r"(?P<unit>second|sec|minute|min|hour|hr|day|week|month|year)s?"
    r"(?:,? (?:and )?\d+ [a-z]+)* ago",
    re.IGNORECASE,
)
_ENGLISH_SECONDS = {
    "sec": 1,
    "min": 60,
    "hour": 3600,
    "hr": 3600,
    "day": 86_400,
    "week": 604_800,
    "month": 2_592_000,
    "year": 31_536_000,
}
_ENGLISH_DAY = re.compile(
    r"(?P<day>today|yesterday)\b[\s,]*(?:at\s+)?(?P<time>\d{1,2}:\d{2}(?::\d{2})?\s*(?:[ap]m)?)", re.IGNORECASE
)
_WEEKDAY = re.compile(r"[（(]\s*(?:周|星期|礼拜)?[一二三四五六日天]\s*[)）]|(?:星期|礼拜|周)[一二三四五六日天]")
_WHOLE_DATE = re.compile(r"\d{4}\s*[年/.-]\s*\d{1,2}\s*[月/.-]\s*\d{1,2}")
_DAY = re.compile(r"(?P<day>今天|昨天|前天)\s*(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2}))?")
_DAY_ONLY = re.compile(r"(今天|昨天|前天)")
_ZH_DATE = re.compile(
    r"(?:(?P<year>\d{4})\s*[年/.-]\s*)?(?P<month>\d{1,2})\s*[月/.-]\s*(?P<day>\d{1,2})(?!\d|\s*[/.-]\s*\d{4})\s*日?\s*"
    r"(?:[T ]?\s*(?P<half>上午|下午|晚上|凌晨|中午)?\s*(?P<hour>\d{1,2})[:时](?P<minute>\d{1,2})?"
    r"(?:分|:(?P<second>\d{2}))?)?"
)
_ZONED = re.compile(r"\d:\d{2}.*(?:Z|GMT|UTC|[+-]\d{2}:?\d{2})$")
_LEAD = re.compile(
    r"^(?:(?:本帖)?(?:最后|最近)?(?:由.{0,30})?(?:发表|发布|发帖|回复|回帖|编辑|更新|创建|修改)(?:于|时间|日期|在)?\s*[:：]?"
    r"|(?:last )?(?:posted|asked|answered|commented|replied|edited|created|updated|modified)\b(?: (?:on|at))?\s*:?"
    r"|on )\s*",
    re.IGNORECASE,
)
_SHORTEST = 6
"""Characters of the shortest date; dateutil would read a lone 3 as the third of this month."""
_DAYS_BACK = {"今天": 0, "昨天": 1, "前天": 2}


def parse_zh(text: str, *, now: datetime) -> datetime | None:
    """Return the moment that a page means, or None when it cannot be told; never later than `now`.

    Understands 刚刚, 53s, 半小时前, 昨天 04:08, 3月1日, 2025年3月1日 下午3:05, 2025-3-1 15:05, ISO 8601, English dates,
    3 hours ago and Yesterday at 8:15 PM; a lead such as 发表于 or Posted: is passed over, and so is a day of the week.
    A time without a zone is taken as Asia/Shanghai.
    """
    if len(text) > 200:
        return None
    text = _WEEKDAY.sub(" ", _LEAD.sub("", " ".join(text.split()))).replace("(UTC)", "UTC")
    text = " ".join(text.split())
    if not text:
        return None
    zoned = _other(text) if _ZONED.search(text) else None
    try:
        moment = zoned or _relative(text, now) or _chinese(text, now) or _other(text)
    except OverflowError:  # 9999 years ago
        return None
    return min(moment, now) if moment else None


def parse_iso(text: str) -> datetime | None:
    """Return an ISO 8601 or RFC 5322 moment; without a zone it is taken as UTC."""
    return _dateutil(text.strip()[:100], UTC)


def parse_unix(text: str) -> datetime | None:
    """Return a moment given as seconds (or milliseconds) since 1970."""
    try:
        seconds = float(text)
        return datetime.fromtimestamp(seconds / 1000 if seconds > 1e11 else seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _relative(text: str, now: datetime) -> datetime | None:
    if text.startswith(("刚刚", "刚才", "just now")):
        return now
    local = now.astimezone(SHANGHAI)
    if match := _DAY.search(text):
        day = local - timedelta(days=_DAYS_BACK[match["day"]])
        return _at(day.year, day.month, day.day, int(match["hour"]), int(match["minute"]), int(match["second"] or 0))
    if match := _DAY_ONLY.fullmatch(text):
        return local - timedelta(days=_DAYS_BACK[match[1]])
    match = _AGO.fullmatch(text)
    if match is None:
        return _english_relative(text, now)
    amount = {"半": 0.5, "一": 1.0, "两": 2.0, "几": 3.0}.get(match["n"]) or float(match["n"])
    unit = match["unit"]
    if unit in _MONTH_LIKE:
        return now - timedelta(days=amount * _MONTH_LIKE[unit]) if match["ago"] else None
    return now - timedelta(**{_UNITS[unit]: amount})


def _english_relative(text: str, now: datetime) -> datetime | None:
    if match := _ENGLISH_AGO.fullmatch(text):
        amount = float(match["n"]) if match["n"].isdigit() else 1.0
        unit = next(name for name in _ENGLISH_SECONDS if match["unit"].lower().startswith(name))
        return now - timedelta(seconds=amount * _ENGLISH_SECONDS[unit])
    if match := _ENGLISH_DAY.fullmatch(text):
        day = now.astimezone(SHANGHAI) - timedelta(days=match["day"].lower() == "yesterday")
        return _other(f"{day:%Y-%m-%d} {match['time']}")
    return None


def _chinese(text: str, now: datetime) -> datetime | None:
    whole = _WHOLE_DATE.search(text)  # after whatever stands before it
    match = _ZH_DATE.match(text[whole.start() :] if whole else text)
    if match is None:
        return None
    if text.endswith("UTC"):
        found = _chinese(text.removesuffix("UTC").strip(), now + timedelta(days=1))
        return found.replace(tzinfo=UTC) if found else None
    local = now.astimezone(SHANGHAI)
    hour = _hour(int(match["hour"] or 0), match["half"])
    numbers = int(match["month"]), int(match["day"]), hour, int(match["minute"] or 0), int(match["second"] or 0)
    if match["year"]:
        return _at(int(match["year"]), *numbers)
    this_year = _at(local.year, *numbers)
    return this_year if this_year is None or this_year <= now else _at(local.year - 1, *numbers)


def _hour(hour: int, half: str | None) -> int:
    """Return the hour of the day; 12 o'clock in the first half of the day is midnight, 1 at noon is 13."""
    if half in {"上午", "凌晨"}:
        return hour % 12 if hour == 12 else hour
    if half in {"下午", "晚上"} or (half == "中午" and hour < 3):
        return hour if hour >= 12 else hour + 12
    return hour


def _other(text: str) -> datetime | None:
    return _dateutil(text, SHANGHAI)


def _dateutil(text: str, usual: tzinfo) -> datetime | None:
    if len(text) < _SHORTEST:
        return None
    try:
        moment = dateutil_parser.parse(text)
    except (ValueError, OverflowError):
        return None
    return _sound(moment if moment.tzinfo else moment.replace(tzinfo=usual))


def _at(year: int, month: int, day: int, hour: int, minute: int, second: int) -> datetime | None:
    try:
        return _sound(datetime(year, month, day, hour, minute, second, tzinfo=SHANGHAI))
    except ValueError:
        return None


def _sound(moment: datetime) -> datetime | None:
    """Return the moment, or None where it is none in UTC: its zone is 99 hours off, or the year 1 had not begun."""
    try:
        moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment
