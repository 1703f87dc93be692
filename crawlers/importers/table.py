"""Texts as a table (CSV, TSV): one row each, under headings that the site file, the command or custom names.

A row becomes a capture as a page's unit does: redacted, with the same id as if a crawl had brought it.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import BinaryIO, Literal, cast, get_args
from urllib.parse import urljoin, urlsplit

from config.import_recipe import Column, Encoding, ImportRecipe
from config.policy import Section, SitePolicy
from config.recipe import UnitKind
from crawlers import datetimes
from crawlers.canonical import canonical
from crawlers.importers.jsonl import NotReadable, Problem, Row
from crawlers.sampling import UNKNOWN
from crawlers.units import Unit, UnitReader

MAX_CELL_CHARS = 200_000
MAX_COLUMNS = 200
_LOOK_BYTES = 256 * 1024
"""How much of a table is looked at to tell its encoding."""
_Told = tuple[str, str, str]
"""Field, what was found, what is allowed."""
_BROKEN_SHARE = 0.1
HEADINGS: Mapping[Column, tuple[str, ...]] = {
    "text": ("text", "内容", "正文", "评论内容", "评论", "文本", "content", "body", "comment"),
    "url": ("url", "链接", "地址", "网址", "信息url", "link"),
    "unit": ("unit", "id", "编号", "内容id", "评论id", "comment_id"),
    "thread": ("thread", "主题", "帖子", "帖子id", "thread_id"),
    "kind": ("kind", "内容形态", "类型"),
    "published_at": ("published_at", "发布时间", "时间", "created_at", "date"),
    "position": ("position", "楼层"),
    "section": ("section", "板块", "栏目"),
}
"""Headings under which a column is looked for, where none is named."""


def read(
    stream: BinaryIO,
    policy: SitePolicy,
    *,
    key: bytes,
    columns: Mapping[Column, str] | None = None,
    encoding: Encoding | None = None,
    section: str | None = None,
) -> Iterator[tuple[int, Row]]:
    """Yield (line number, capture or what is wrong with it) for each row that is not blank.

    Args:
        stream: the table, with headings in its first line.
        policy: the site that it belongs to.
        key: secret for the keyed hashes of contact codes.
        columns: what is read → heading, before those of the site file.
        encoding: of the table, before that of the site file; None: UTF-8 where it fits, else GB 18030.
        section: where rows belong that do not say so; None: the site's first section.

    Raises:
        NotReadable: the headings are not there.
    """
    recipe = policy.imports or ImportRecipe()
    lines = _decoded(stream, encoding or recipe.encoding)
    first = lines.readline(MAX_CELL_CHARS)
    delimiter = max(",\t;，", key=first.count)
    headings = [one.strip() for one in next(csv.reader([first], delimiter=delimiter), [])][:MAX_COLUMNS]
    places = _places(headings, {**recipe.columns, **(columns or {})})
    rows = _Rows(policy, key, places, section)
    reader = csv.reader(lines, delimiter=delimiter)
    csv.field_size_limit(MAX_CELL_CHARS)
    while True:
        number = reader.line_num + 2
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield number, [Problem(number, "(row)", str(error), f"cells of at most {MAX_CELL_CHARS} characters")]
            continue
        if any(cell.strip() for cell in cells):
            yield number, rows.read(number, cells)


class _Rows:
    """Turns rows into captures."""

    def __init__(self, policy: SitePolicy, key: bytes, places: Mapping[Column, int], section: str | None) -> None:
        self._policy, self._places = policy, places
        self._reader = UnitReader(policy, key)
        self._usual = policy.section(section) if section else policy.sections[0]
        self._sections = {name: one for one in policy.sections for name in (one.slug, one.title)}
        self._seen: Counter[str] = Counter()

    def read(self, line: int, cells: list[str]) -> Row:
        """Return the capture of a row, or everything that is wrong with it."""
        values = {name: cells[at].strip() if at < len(cells) else "" for name, at in self._places.items()}
        url = urljoin(str(self._policy.base_url or ""), values["url"])
        section = self._sections.get(values["section"]) if values.get("section") else self._usual
        problems = [Problem(line, *told) for told in (*_wrong(values), *self._misplaced(values, url, section))]
        if problems or section is None:
            return problems
        position = int(values["position"]) if values.get("position") else None
        kind = cast(UnitKind, values.get("kind") or "comment")
        unit = Unit(self._unit(values, url), kind, values["text"], _moment(values.get("published_at", "")), position)
        return self._capture(line, unit, section, values.get("thread", ""), url)

    def _misplaced(self, values: Mapping[Column, str], url: str, section: Section | None) -> Iterator[_Told]:
        hosts, parts = self._policy.allowed_hosts(), urlsplit(url)
        if values["url"] and (parts.scheme not in {"http", "https"} or (hosts and parts.netloc not in hosts)):
            yield "url", repr(parts.netloc or url[:100]), f"an address of {', '.join(sorted(hosts)) or 'the site'}"
        if section is None:
            allowed = ", ".join(one.slug for one in self._policy.sections)
            yield "section", repr(values["section"][:100]), allowed

    def _capture(self, line: int, unit: Unit, section: Section, thread: str, url: str) -> Row:
        plan = self._policy.crawl.thread.paging if self._policy.crawl else None
        own = canonical(url, paging_param=plan.param if plan else None)
        capture = self._reader.capture(unit, section, thread or own, url, own, UNKNOWN, datetime.now(UTC))
        return capture or [Problem(line, "(row)", "something that no capture can hold", "a text and an address")]

    def _unit(self, values: Mapping[Column, str], url: str) -> str:
        """Return the row's own key, or one made of its address, its text and how often these stood there before."""
        if own := values.get("unit"):
            return own[:300]
        digest = hashlib.sha256(f"{url}\x1f{' '.join(values['text'].split())}".encode()).hexdigest()[:24]
        self._seen[digest] += 1
        return f"row-{digest}-{self._seen[digest]}"


def _wrong(values: Mapping[Column, str]) -> Iterator[_Told]:
    """Say what is wrong with the values of a row, whatever its site."""
    needed: tuple[tuple[Literal["text", "url"], str], ...] = (("text", "a text"), ("url", "an absolute address"))
    for name, allowed in needed:
        if not values[name]:
            yield name, "nothing", allowed
    for column, value in values.items():
        if "\ufffd" in value:
            yield column, "bytes that are not in the table's encoding", "UTF-8 or GB 18030, named with --encoding"
    if (kind := values.get("kind")) and kind not in get_args(UnitKind):
        yield "kind", repr(kind[:100]), ", ".join(get_args(UnitKind))
    if (moment := values.get("published_at")) and _moment(moment) is None:
        yield "published_at", repr(moment[:40]), "a date and time"
    if (position := values.get("position")) and not (position.isdigit() and position.isascii() and len(position) < 10):
        yield "position", repr(position[:40]), "a whole number from 0"


def _places(headings: list[str], named: Mapping[Column, str]) -> dict[Column, int]:
    places: dict[Column, int] = {}
    plain = [heading.casefold() for heading in headings]
    for column, usual in HEADINGS.items():
        wanted = (named[column].casefold(),) if column in named else usual
        place = next((plain.index(one) for one in wanted if one in plain), None)
        if place is not None:
            places[column] = place
        elif column in named or column in {"text", "url"}:
            raise NotReadable(
                f"column {column}: found {', '.join(headings) or 'nothing'}; allowed: a heading "
                f"{' or '.join(wanted)}, or another named with --columns {column}=HEADING"
            )
    return places


def _decoded(stream: BinaryIO, encoding: Encoding | None) -> io.TextIOWrapper:
    buffered = stream if isinstance(stream, io.BufferedReader) else io.BufferedReader(stream, _LOOK_BYTES)  # type: ignore[type-var]
    head = buffered.peek(_LOOK_BYTES)[:_LOOK_BYTES]
    name = "utf-8-sig" if (encoding or _told(head)) == "utf-8" else "gb18030"
    return io.TextIOWrapper(buffered, encoding=name, errors="replace", newline="")


def _told(head: bytes) -> Encoding:
    """Return the encoding of a table from its beginning: its headings tell, or else most of its rows.

    A table in UTF-8 with a few broken bytes is still one, so that those rows are named and the others not garbled.
    """
    headings = head.split(b"\n", 1)[0]
    looked_at = head if headings.isascii() else headings
    broken = looked_at.decode("utf-8", "replace").count("\ufffd")
    foreign = sum(byte >= 0x80 for byte in looked_at)
    return "utf-8" if broken <= foreign * _BROKEN_SHARE else "gb18030"


def _moment(value: str) -> datetime | None:
    if not value:
        return None
    if value.isdigit() and len(value) in {10, 13}:
        return datetimes.parse_unix(value)
    return datetimes.parse_zh(value, now=datetime.now(UTC)) or datetimes.parse_iso(value)
