"""The one generic spider: it reads any site as its recipe says, list → thread → comments."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any

import scrapy
from scrapy import signals
from scrapy.exceptions import CloseSpider
from scrapy.http import Request, Response
from scrapy.spidermiddlewares.httperror import HttpError

from config.policy import SitePolicy
from config.recipe import ListRecipe, Recipe
from config.section import DRAWN_FROM_LISTS
from crawlers import failures, fields, paging
from crawlers.asking import UNCHANGED, Asker
from crawlers.canonical import absolute, canonical
from crawlers.datetimes import parse_zh
from crawlers.drawing import Drawing
from crawlers.keeping import Keeper
from crawlers.middleware import GateMiddleware, Refused
from crawlers.recheck import SHARE_OF_LOOK_BACK, TITLE, section_due
from crawlers.report import CrawlReport
from crawlers.sampling import Listed, StartPage
from crawlers.state import State, ThreadState
from crawlers.threads import ThreadReader
from crawlers.under_way import SectionVisit, ThreadVisit, validators_of, visit_of
from crawlers.units import Unit

BAD_REQUEST = 400
"""What some APIs (WordPress) answer to a page number past the end."""
ABSENT = frozenset({404, 410})


class SiteSpider(scrapy.Spider):
    """Reads one site. What it finds goes to its `keeper`, at once and in the order of the pages.

    Threads are read to their end in the order in which their list shows them, before the list's next page is asked
    for: when the day's pages are used up, it is the newest that was read.
    """

    name = "site"

    def __init__(
        self,
        policy: SitePolicy,
        state: State,
        report: CrawlReport,
        keeper: Keeper,
        drawing: Drawing,
        recheck: bool,
        due_only: bool,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        assert policy.crawl is not None
        self.policy, self.state, self.report = policy, state, report
        self.recipe: Recipe = policy.crawl
        self.recheck, self._due_only = recheck, due_only
        self.keeper, self._drawing = keeper, drawing
        self._asker = Asker(policy, state, report, keeper, self.failed, self._is_wall)
        self._threads = ThreadReader(policy, state, report, keeper, drawing, self._asker, recheck)

    async def start(self) -> AsyncIterator[Request]:
        """Ask for the start pages of each section."""
        assert self.crawler is not None
        self.crawler.signals.connect(self.unforeseen, signal=signals.spider_error)
        for section in self.policy.sections:
            if self._due_only and not section_due(section, self.state.section_begun(section.slug), time.time()):
                continue
            self.state.note_section_begun(section.slug, time.time())
            visit = SectionVisit(section, self.state.section_complete(section.slug))
            key_of = None if self.recipe.list else self._asker.canonical
            starts = self._drawing.starts(section, str(self.policy.base_url), key_of)
            requests = [request for start in starts if (request := self._first(visit, start))]
            self.state.note_section(section.slug, complete=not requests and visit.was_complete)
            self.keeper.commit()
            for request in requests:
                yield request

    def unforeseen(self, failure: Any) -> None:
        """Tell of an error of our own; the section of that page stays incomplete, and the others go on."""
        if self.state.broken is None:  # which ends the crawl, and is told once
            self.report.failed[f"unforeseen {failure.type.__name__}"] += 1

    def closed(self, reason: str) -> None:
        """Keep what was read since the last commit, however the crawl ended."""
        self.report.amber = self.state.history.judge(self.report.yields, self.recipe)
        with contextlib.suppress(CloseSpider):  # it ended because captures cannot be kept: that is known
            self.keeper.commit()

    def _first(self, visit: SectionVisit, start: StartPage) -> Request | None:
        if self.recipe.list is not None:
            visit.lists.add(canonical(start.url))
            conditional = visit.was_complete and not self.recheck
            return self._asker.request(
                start.url, self.read_list, self.recipe.list, visit, conditional=conditional, number=1
            )
        key = self._asker.canonical(start.url)
        known = self.state.thread(key)
        thread = ThreadVisit(visit.section, key, start.url, key, chance=start.chance)
        if self._threads.rests(thread, known):
            self.state.frame.note_read(visit.section.slug, key)
            return None
        return self._threads.open(thread, known, visit, priority=0)

    def read_list(self, response: Response, visit: SectionVisit, number: int) -> Iterator[Request]:
        """Open the threads of a list page that moved; go on while pages bring any."""
        recipe = self.recipe.list
        assert recipe is not None
        page = self._asker.page(response, recipe, visit)
        if page is None:
            if response.status == UNCHANGED:
                yield from self._after_lists(visit)
            self._asker.done(visit)
            return
        drawn = visit.section.method in DRAWN_FROM_LISTS
        further = list(self._further_lists(page, recipe, response, visit))
        yield from (request for request in further if request)
        found, moved = len(further), 0
        for item in fields.nodes(recipe.items, page):
            listed = self._listed(item, recipe, visit, response)
            if listed is None:
                continue
            found += 1
            thread, known = listed
            if drawn:
                moved += self._note_listed(thread, item)
                continue
            if self._threads.has_opened(thread.key) or self._threads.rests(thread, known):
                continue
            moved += 1
            yield self._threads.open(thread, known, visit, priority=1)
        if not found and self._asker.barren(response, visit):
            self._asker.done(visit)
            return
        self.keeper.note_list(response, number, found)
        visit.validators += validators_of(response)
        following = paging.following(recipe.paging, page, response, number, number)
        if found and (moved or not visit.was_complete) and following and canonical(following) not in visit.lists:
            visit.lists.add(canonical(following))
            yield self._asker.request(following, self.read_list, recipe, visit, number=number + 1)
        else:
            yield from self._after_lists(visit)
        self._asker.done(visit)

    def _further_lists(
        self, page: Any, recipe: ListRecipe, response: Response, visit: SectionVisit
    ) -> Iterator[Request | None]:
        """Yield, for each further list that a page leads to, the request for it, or None when it did not move."""
        for item in fields.nodes(recipe.lists.items, page) if recipe.lists else ():
            assert recipe.lists is not None
            found = fields.text(recipe.lists.url, item, response.url)
            url = absolute(response.url, found) if found else None
            if url is None or canonical(url) in visit.lists:
                continue
            visit.lists.add(canonical(url))
            key, signal = f"list {canonical(url)}", fields.text(recipe.lists.moved_at, item) or ""
            known = self.state.thread(key)
            if signal and known and known.signal == signal and visit.was_complete and not self.recheck:
                yield None
                continue
            visit.moved_lists[key] = signal
            yield self._asker.request(url, self.read_list, recipe, visit, conditional=visit.was_complete, number=1)

    def _note_listed(self, thread: ThreadVisit, item: fields.Node) -> bool:
        """Remember a thread to draw from; return whether it is new or moved."""
        recipe = self.recipe.list
        assert recipe is not None
        moved_at = fields.text(recipe.moved_at, item)
        moment = parse_zh(moved_at, now=datetime.now(UTC)) if moved_at else None
        replies = fields.number(recipe.replies, item)
        moved_seconds = moment.timestamp() if moment else None
        return self.state.frame.note_listed(
            thread.section.slug, Listed(thread.key, thread.url, thread.signal, replies, moved_seconds)
        )

    def _after_lists(self, visit: SectionVisit) -> Iterator[Request]:
        """Go on when a list was read to its end: to the section's draw, or to its threads at rest."""
        if visit.section.method in DRAWN_FROM_LISTS:
            if visit.open_requests == 1 and not visit.failed:  # no other list is under way
                yield from self._draw(visit)
        elif not visit.rested:
            visit.rested = True
            yield from self._read_resting(visit)

    def _read_resting(self, visit: SectionVisit) -> Iterator[Request]:
        """Read threads whole that did not move for long: edits and removals move no list."""
        most = max(int(self.policy.pages_per_day * SHARE_OF_LOOK_BACK), 1)
        for key, url in self.state.past.resting(visit.section.slug, time.time(), most):
            known = self.state.thread(key)
            if known and not self._threads.has_opened(key):
                thread = ThreadVisit(visit.section, key, url, self._asker.canonical(url), known.signal)
                yield self._threads.open(thread, known, visit, priority=-1, whole=True)

    def _draw(self, visit: SectionVisit) -> Iterator[Request]:
        """Draw among the threads that the lists of a section have shown."""
        drawn = self._drawing.threads(visit.section, time.time())
        self.report.threads_drawn += len(drawn)
        self.keeper.commit()
        for one in drawn:
            known = self.state.thread(one.key)
            thread = visit_of(visit.section, one, self._asker.canonical(one.url))
            if self._threads.has_opened(thread.key):
                continue
            if self._threads.rests(thread, known):
                self.state.frame.note_read(visit.section.slug, thread.key)
                continue
            yield self._threads.open(thread, known, visit, priority=1)

    def _listed(
        self, item: fields.Node, recipe: ListRecipe, visit: SectionVisit, response: Response
    ) -> tuple[ThreadVisit, ThreadState | None] | None:
        found = fields.text(recipe.url, item, response.url)
        url = absolute(response.url, found) if found else None
        if url is None:
            self.report.incomplete_units += 1
            return None
        own = self._asker.canonical(url)
        key = fields.text(recipe.key, item) or own
        # A time written relative to now ("47m") moves by itself: the recipe's `moved_at` names its absolute form.
        parts = fields.number(recipe.replies, item), fields.text(recipe.moved_at, item)
        signal = "|".join(str(part) for part in parts if part is not None)
        thread = ThreadVisit(visit.section, key, url, own, signal, announced=parts[0])
        if title := fields.text(recipe.title, item):
            unit = Unit(f"{key}{TITLE}", "title", title, None, 0)
            before = self.state.known(key, [unit.key]).get(unit.key)
            self.keeper.emit(unit, thread, url, before, response)
            thread.changed = False  # a new title says nothing of the answers
        return thread, self.state.thread(key)

    def failed(self, failure: Any) -> Iterator[Request]:
        """Deal with what could not be read: gone, past the end, refused for good; else its section is not complete."""
        arguments = failure.request.cb_kwargs
        visit: SectionVisit = arguments["visit"]
        thread: ThreadVisit | None = arguments.get("thread")
        status = failure.value.response.status if failure.check(HttpError) else None
        if status in ABSENT or (status == BAD_REQUEST and arguments["number"] > 1):
            yield from self._absent(visit, thread, arguments["number"])
        elif failure.check(Refused) and failure.value.lasting and thread:
            self.keeper.note(thread)
        else:
            visit.failed = True
            if not failure.check(Refused) and self.state.broken is None:
                self.report.failed[f"answered {status}" if status else failures.told(failure.value)] += 1
        self._asker.done(visit)

    def _absent(self, visit: SectionVisit, thread: ThreadVisit | None, number: int) -> Iterator[Request]:
        """Deal with a page that is not there; a list may end with one, but not begin."""
        if thread is not None:
            yield from self._threads.absent(visit, thread, number)
        elif number == 1:
            visit.failed = True
            self.report.failed["list page not found"] += 1

    def _is_wall(self, response: Response) -> bool:
        assert self.crawler is not None
        gate = self.crawler.get_downloader_middleware(GateMiddleware)
        return gate is not None and gate.barren(response)
