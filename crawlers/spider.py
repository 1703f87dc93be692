"""The one generic spider: it reads any site as its recipe says, list → thread → comments."""

from __future__ import annotations

import random
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urljoin

import scrapy
from scrapy.exceptions import CloseSpider
from scrapy.http import Request, Response

from config.policy import Section, SitePolicy
from config.recipe import ListRecipe, Recipe, ThreadRecipe
from crawlers import fields, pages, paging, sampling
from crawlers.canonical import canonical
from crawlers.capture import Capture
from crawlers.report import CrawlReport
from crawlers.state import State, ThreadState
from crawlers.units import Unit, UnitReader


@dataclass
class ThreadVisit:
    """A thread that is being read, from its first open page to its last."""

    section: Section
    key: str
    signal: str
    probability: float | None
    urls: set[str] = field(default_factory=set)
    keys: set[str] = field(default_factory=set)
    units: int = 0
    changed: bool = False


@dataclass
class SectionVisit:
    """A section that is being read; complete when nothing of it is under way."""

    section: Section
    was_complete: bool
    open_requests: int = 0
    failed: bool = False
    lists: set[str] = field(default_factory=set)


class SiteSpider(scrapy.Spider):
    """Reads one site. What it finds goes to `on_capture`, at once and in the order of the pages."""

    name = "site"

    def __init__(
        self,
        policy: SitePolicy,
        state: State,
        report: CrawlReport,
        on_capture: Callable[[Capture], None],
        key: bytes,
        before_commit: Callable[[], None],
        limit: int | None,
        seed: int | None,
        recheck: bool,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        assert policy.crawl is not None
        self.policy, self.state, self.report = policy, state, report
        self.recipe: Recipe = policy.crawl
        self.recheck = recheck
        self._on_capture, self._before_commit, self._limit = on_capture, before_commit, limit
        self._dice = random.Random(seed)  # noqa: S311 - sampling, not secrets
        self._reader = UnitReader(policy, key)

    async def start(self) -> AsyncIterator[Request]:
        """Ask for the start pages of each section."""
        for section in self.policy.sections:
            visit = SectionVisit(section, self.state.section_complete(section.slug))
            starts = list(sampling.start_pages(section, str(self.policy.base_url), self._dice))
            requests = [request for start in starts if (request := self._first(visit, start))]
            self.state.note_section(section.slug, complete=not requests and visit.was_complete)
            self._commit()
            for request in requests:
                yield request

    def _first(self, visit: SectionVisit, start: sampling.StartPage) -> Request | None:
        if self.recipe.list is not None:
            visit.lists.add(canonical(start.url))
            return self._request(start.url, self.read_list, visit, number=1)
        known = self.state.thread(canonical(start.url))
        if known and not self.recheck and not sampling.due(known, time.time()):
            self.report.threads_unmoved += 1
            return None
        thread = ThreadVisit(visit.section, canonical(start.url), "", start.probability)
        return self._request(start.url, self.read_thread, visit, thread=thread, number=1)

    def read_list(self, response: Response, visit: SectionVisit, number: int) -> Iterator[Request]:
        """Open the threads of a list page that moved; go on while pages bring any."""
        recipe = self.recipe.list
        assert recipe is not None
        page = self._page(response, recipe.format)
        if page is None:
            self._done(visit)
            return
        found = moved = 0
        for item in fields.nodes(recipe.items, page):
            thread = self._listed(item, recipe, visit, response)
            if thread is None:
                continue
            found += 1
            url, one, known = thread
            if known and known.signal == one.signal and one.signal and not self.recheck:
                self.report.threads_unmoved += 1
                continue
            moved += 1
            yield self._open(url, one, known, visit)
        following = paging.following(recipe.paging, page, response, number)
        if found and (moved or not visit.was_complete) and following and canonical(following) not in visit.lists:
            visit.lists.add(canonical(following))
            yield self._request(following, self.read_list, visit, number=number + 1)
        self._done(visit)

    def _listed(
        self, item: fields.Node, recipe: ListRecipe, visit: SectionVisit, response: Response
    ) -> tuple[str, ThreadVisit, ThreadState | None] | None:
        url = fields.text(recipe.url, item, response.url)
        if url is None:
            self.report.incomplete_units += 1
            return None
        url = urljoin(response.url, url)
        key = fields.text(recipe.key, item) or canonical(url)
        replies = fields.number(recipe.replies, item)
        # The time itself may be written relative to now ("47m"), so only its absolute form is a signal.
        moved_at = fields.text(recipe.moved_at, item)
        signal = "|".join(str(part) for part in (replies, moved_at) if part is not None)
        title = fields.text(recipe.title, item)
        known = self.state.thread(key)
        if title and known is None:
            unit = Unit(f"{key}#title", "title", title, None, 0)
            self._emit(unit, visit.section, key, (url, canonical(url)), None)
        return url, ThreadVisit(visit.section, key, signal, None), known

    def _open(self, url: str, thread: ThreadVisit, known: ThreadState | None, visit: SectionVisit) -> Request:
        self.report.threads_opened += 1
        plan = self.recipe.thread.paging
        start = known.last_url if known and plan and plan.last_known else url
        return self._request(start, self.read_thread, visit, thread=thread, number=paging.number_of(plan, start))

    def read_thread(
        self, response: Response, visit: SectionVisit, thread: ThreadVisit, number: int
    ) -> Iterator[Request]:
        """Take what is new on a page of a thread; go on to the next page."""
        recipe = self.recipe.thread
        page = self._page(response, recipe.format)
        if page is None:
            self._done(visit)
            return
        own_key = canonical(response.url, paging_param=recipe.paging.param if recipe.paging else None)
        taken = self._take(page, recipe, thread, (response.url, own_key), number)
        thread.urls.add(canonical(response.url))
        if recipe.truncated and fields.text(recipe.truncated, page):
            self.report.truncated_threads += 1
        following = paging.following(recipe.paging, page, response, number)
        if taken and following and canonical(following) not in thread.urls:
            self._commit()
            yield self._request(following, self.read_thread, visit, thread=thread, number=number + 1)
        else:
            last = response.url
            self._note(thread, last)
        self._done(visit)

    def _take(self, page: Any, recipe: ThreadRecipe, thread: ThreadVisit, url: tuple[str, str], number: int) -> int:
        units, incomplete = self._reader.read(page, recipe, first_page=number == 1, offset=thread.units)
        self.report.incomplete_units += incomplete
        self.report.units += len(units)
        known = self.state.known(thread.key, [unit.key for unit in units])
        for unit in units:
            self._emit(unit, thread.section, thread.key, url, thread, known.get(unit.key))
        thread.units += len(units)
        # A page past the end repeats the last one: then nothing on it is new to this visit.
        keys = {unit.key for unit in units}
        repeated = keys <= thread.keys
        thread.keys |= keys
        return 0 if repeated else len(units)

    def _emit(
        self,
        unit: Unit,
        section: Section,
        key: str,
        url: tuple[str, str],
        thread: ThreadVisit | None,
        before: str | None = None,
    ) -> None:
        """Hand a unit on unless it is known; `url` is as fetched and as canonicalised."""
        probability = thread.probability if thread else None
        capture = self._reader.capture(unit, section, key, *url, probability, datetime.now(UTC))
        if capture is None:
            self.report.incomplete_units += 1
            return
        if before is None and thread is None:
            before = self.state.known(key, [unit.key]).get(unit.key)
        if before == capture.id:
            return
        if self._limit is not None and self.report.captures >= self._limit:
            self.report.stopped_early = f"limit of {self._limit} captures"
            raise CloseSpider("limit")
        self.report.edited += before is not None
        self._on_capture(capture)
        self.report.captures += 1
        self.state.note_unit(key, unit.key, capture.id)
        if thread:
            thread.changed = True

    def _commit(self) -> None:
        """Remember what was captured, once the captures themselves are safe."""
        self._before_commit()
        self.state.commit()

    def _note(self, thread: ThreadVisit, last_url: str) -> None:
        now = time.time()
        before = self.state.thread(thread.key)
        changed = now if thread.changed or before is None else before.changed_at
        self.state.note_thread(thread.key, ThreadState(thread.signal, last_url, now, changed))
        self._commit()

    def _page(self, response: Response, form: str) -> Any:
        """Return the parsed page, or None when it must not or cannot be used."""
        self.report.pages += 1
        if pages.withheld(response):
            self.report.withheld_pages += 1
            return None
        try:
            return pages.parse(response, form)
        except pages.Unreadable as error:
            self.report.failed[str(error)] += 1
            return None

    def _request(self, url: str, callback: Callable[..., Any], visit: SectionVisit, **arguments: Any) -> Request:
        visit.open_requests += 1
        return Request(
            url,
            callback=callback,
            errback=self.failed,
            cb_kwargs={"visit": visit, **arguments},
            dont_filter=True,
        )

    def failed(self, failure: Any) -> None:
        """Count what could not be read; its section is then not complete."""
        visit: SectionVisit = failure.request.cb_kwargs["visit"]
        visit.failed = True
        if not failure.check("crawlers.middleware.Refused"):
            self.report.failed[failure.type.__name__] += 1
        self._done(visit)

    def _done(self, visit: SectionVisit) -> None:
        """Note that one request of a section has been dealt with."""
        visit.open_requests -= 1
        if visit.open_requests == 0 and not visit.failed:
            self.state.note_section(visit.section.slug, complete=True)
            self._commit()
