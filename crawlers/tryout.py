"""What a recipe would bring from a few pages, and what it cannot read and why; nothing is kept or remembered."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from scrapy.http import Response

from config.policy import Section, SitePolicy
from config.recipe import FieldRecipe, ListRecipe, ThreadRecipe
from crawlers import fields, formats, pages, paging, sampling
from crawlers.canonical import absolute
from crawlers.units import Unit, UnitReader
from crawlers.visit import Unreached, Visitor

Role = Literal["list", "thread"]
MOST_PAGES = 3


@dataclass(frozen=True)
class Row:
    """One thing that would be captured, its text redacted; of a list, one thread."""

    kind: str
    key: str
    text: str
    published_at: datetime | None
    address: str | None


@dataclass(frozen=True)
class FieldReading:
    """Of how many items a field was found."""

    name: str
    found: int
    of: int


@dataclass
class PageReading:
    """What a recipe finds on one page. `problem` says why nothing could be read of it at all; `lists` are further lists
    that it leads to."""

    url: str
    role: Role
    items: int = 0
    rows: list[Row] = field(default_factory=list)
    fields: list[FieldReading] = field(default_factory=list)
    next_page: str | None = None
    problem: str = ""
    withheld: bool = False
    lists: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Return the reading for a machine."""
        return asdict(self)


class Reader:
    """Reads pages as the recipe of a policy says, and tells how it went."""

    def __init__(self, policy: SitePolicy, key: bytes) -> None:
        assert policy.crawl is not None
        self._policy, self._recipe = policy, policy.crawl
        self._units = UnitReader(policy, key)

    def read(self, response: Response, role: Role, section: Section, number: int = 1) -> PageReading:
        """Read one page.

        Args:
            response: the page.
            role: whether it lists threads or holds units.
            section: where it belongs.
            number: number of the page in its list or thread, from 1.
        """
        reading = PageReading(response.url, role)
        recipe = self._recipe.list if role == "list" else self._recipe.thread
        assert recipe is not None
        if pages.withheld(response, self._policy.basis):
            reading.problem, reading.withheld = "the page asks not to be kept (noindex or noarchive)", True
            return reading
        try:
            page = formats.opened(response, recipe)
        except pages.Unreadable as error:
            reading.problem = f"{error}; the recipe reads {recipe.format}"
            return reading
        items = fields.nodes(recipe.items, page)
        reading.items = len(items)
        if isinstance(recipe, ListRecipe):
            self._list(reading, recipe, page, section, response)
        else:
            self._thread(reading, recipe, page, section, response, number)
        reading.next_page = paging.following(recipe.paging, page, response, number)
        if not items and not reading.lists:
            reading.problem = "`items` fits nothing on this page"
        return reading

    def _list(self, reading: PageReading, recipe: ListRecipe, page: Any, section: Section, response: Response) -> None:
        items = fields.nodes(recipe.items, page)
        for item in items:
            found = fields.text(recipe.url, item, response.url)
            url = absolute(response.url, found) if found else None
            key = fields.text(recipe.key, item) or url
            if not url or not key:
                continue
            title = fields.text(recipe.title, item) or ""
            text = self._redacted(Unit(key, "title", title, None, 0), section, response.url) if title else ""
            reading.rows.append(Row("thread", key, text, None, url))
        further = fields.nodes(recipe.lists.items, page) if recipe.lists else []
        reading.lists = [
            url for one in further if recipe.lists and (url := fields.text(recipe.lists.url, one, response.url))
        ]
        names = ("url", "key", "title", "replies", "moved_at")
        reading.fields = _coverage({name: getattr(recipe, name) for name in names}, items)
        if not recipe.replies and not recipe.moved_at:
            reading.notes.append("neither `replies` nor `moved_at`: every thread is opened again when it is due")

    def _thread(
        self,
        reading: PageReading,
        recipe: ThreadRecipe,
        page: Any,
        section: Section,
        response: Response,
        number: int,
    ) -> None:
        nodes = list(self._units.nodes(page, recipe))
        reading.items = len(nodes)
        units, incomplete = self._units.read(page, recipe, section, response.url, offset=0 if number == 1 else 1)
        for unit in units:
            text = self._redacted(unit, section, response.url)
            reading.rows.append(Row(unit.kind, unit.key, text, unit.published_at, unit.link))
        names = ("key", "text", "published_at", "link", "thread")
        reading.fields = _coverage({name: getattr(recipe, name) for name in names}, nodes)
        if incomplete:
            reading.notes.append(f"{incomplete} items without key or text are passed over: does `items` fit too much?")
        twice = len(units) - len({unit.key for unit in units})
        if twice:
            reading.notes.append(f"{twice} keys stand twice: a key must be unique in its thread")
        if recipe.truncated and fields.text(recipe.truncated, page):
            reading.notes.append("the page says that it hides units: the thread will be reported as truncated")

    def _redacted(self, unit: Unit, section: Section, url: str) -> str:
        capture = self._units.capture(unit, section, "-", url, url, sampling.UNKNOWN, datetime.now(UTC))
        return capture.text if capture else ""


async def try_site(policy: SitePolicy, visitor: Visitor, key: bytes) -> list[PageReading]:
    """Read at most three pages of a site: a list, a thread of it, and what follows that thread's first page.

    A list on which nothing is found is followed by the next section's. A page that cannot be had has a reading that
    says why.
    """
    assert policy.crawl is not None
    reader = Reader(policy, key)
    first: Role = "thread" if policy.crawl.list is None else "list"
    readings: list[PageReading] = []
    starts = [(start.url, section) for section in policy.sections
              for start in sampling.start_pages(section, str(policy.base_url))][:MOST_PAGES]  # fmt: skip
    wanted: list[tuple[str, Role, int, Section]] = [(url, first, 1, section) for url, section in starts]
    while wanted and len(readings) < MOST_PAGES:
        url, role, number, section = wanted.pop(0)
        recipe = policy.crawl.list if role == "list" else policy.crawl.thread
        try:
            response = await visitor.fetch(url, recipe.accept if recipe else None, recipe.render if recipe else None)
        except Unreached as error:
            readings.append(PageReading(url, role, problem=await _why(visitor, url, error)))
            continue
        reading = reader.read(response, role, section, number)
        if not reading.items and not reading.lists and not reading.next_page and not reading.withheld:
            reading.problem = visitor.wall(response) or reading.problem
        readings.append(reading)
        if role == "list":
            addresses = [row.address for row in reading.rows if row.address][:2]
            further: list[tuple[str, Role, int, Section]] = [(one, "list", 1, section) for one in reading.lists[:1]]
            wanted[:0] = [(address, "thread", 1, section) for address in addresses] or further
        elif reading.next_page and number == 1:
            wanted.insert(0, (reading.next_page, "thread", 2, section))
    return readings


async def _why(visitor: Visitor, url: str, error: Unreached) -> str:
    """Return why a page could not be had; where robots.txt forbids it, with the line."""
    if not error.refused:
        return str(error)
    checks = await visitor.checks(url)
    return checks[-1].says if checks and checks[-1].refuses else str(error)


def _coverage(recipes: dict[str, FieldRecipe | None], items: Iterable[fields.Node]) -> list[FieldReading]:
    nodes = list(items)
    return [
        FieldReading(name, sum(fields.text(recipe, node) is not None for node in nodes), len(nodes))
        for name, recipe in recipes.items()
        if recipe
    ]
