"""The one generic spider: it reads any site as its recipe says, list → thread → comments."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urljoin

import scrapy
from scrapy import signals
from scrapy.exceptions import CloseSpider
from scrapy.http import Request, Response
from scrapy.spidermiddlewares.httperror import HttpError

from config.policy import SitePolicy
from config.recipe import ListRecipe, PageRecipe, Recipe, ThreadRecipe
from config.section import DRAWN_FROM_LISTS
from crawlers import failures, fields, formats, pages, paging
from crawlers.canonical import canonical
from crawlers.datetimes import parse_zh
from crawlers.drawing import Drawing
from crawlers.keeping import Keeper
from crawlers.middleware import GateMiddleware, Refused
from crawlers.recheck import REQUESTS_OF_MOVED, SHARE_OF_LOOK_BACK, Seen, due, section_due
from crawlers.render import CUT, RENDER
from crawlers.report import CrawlReport
from crawlers.sampling import Listed, StartPage
from crawlers.state import State, ThreadState
from crawlers.under_way import SectionVisit, ThreadVisit, validators_of, visit_of
from crawlers.units import Unit

UNCHANGED = 304
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
        self._opened: set[str] = set()

    async def start(self) -> AsyncIterator[Request]:
        """Ask for the start pages of each section."""
        assert self.crawler is not None
        self.crawler.signals.connect(self.unforeseen, signal=signals.spider_error)
        for section in self.policy.sections:
            if self._due_only and not section_due(section, self.state.section_begun(section.slug), time.time()):
                continue
            self.state.note_section_begun(section.slug, time.time())
            visit = SectionVisit(section, self.state.section_complete(section.slug))
            key_of = None if self.recipe.list else self._canonical
            starts = self._drawing.starts(section, str(self.policy.base_url), key_of)
            requests = [request for start in starts if (request := self._first(visit, start))]
            self.state.note_section(section.slug, complete=not requests and visit.was_complete)
            self.keeper.commit()
            for request in requests:
                yield request

    def unforeseen(self, failure: Any) -> None:
        """Tell of an error of our own; the section of that page stays incomplete, and the others go on."""
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
            return self._request(start.url, self.read_list, visit, conditional=conditional, number=1)
        key = self._canonical(start.url)
        known = self.state.thread(key)
        if known and not self.recheck and not _due(known):
            self.report.threads_unmoved += 1
            self.state.frame.note_read(visit.section.slug, key)
            return None
        thread = ThreadVisit(visit.section, key, start.url, key, chance=start.chance)
        return self._open(thread, known, visit, priority=0)

    def read_list(self, response: Response, visit: SectionVisit, number: int) -> Iterator[Request]:
        """Open the threads of a list page that moved; go on while pages bring any."""
        recipe = self.recipe.list
        assert recipe is not None
        page = self._page(response, recipe, visit)
        if page is None:
            if response.status == UNCHANGED:
                yield from self._after_lists(visit)
            self._done(visit)
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
            if thread.key in self._opened:
                continue
            if known and not self.recheck and not self._moved(thread, known):
                self.report.threads_unmoved += 1
                continue
            moved += 1
            yield self._open(thread, known, visit, priority=1)
        if not found and self._barren(response, visit):
            self._done(visit)
            return
        self.keeper.note_list(response, number, found)
        visit.validators += validators_of(response)
        following = paging.following(recipe.paging, page, response, number, number)
        if found and (moved or not visit.was_complete) and following and canonical(following) not in visit.lists:
            visit.lists.add(canonical(following))
            yield self._request(following, self.read_list, visit, number=number + 1)
        else:
            yield from self._after_lists(visit)
        self._done(visit)

    def _further_lists(
        self, page: Any, recipe: ListRecipe, response: Response, visit: SectionVisit
    ) -> Iterator[Request | None]:
        """Yield, for each further list that a page leads to, the request for it, or None when it did not move."""
        for item in fields.nodes(recipe.lists.items, page) if recipe.lists else ():
            assert recipe.lists is not None
            found = fields.text(recipe.lists.url, item, response.url)
            if not found or canonical(url := urljoin(response.url, found)) in visit.lists:
                continue
            visit.lists.add(canonical(url))
            key, signal = f"list {canonical(url)}", fields.text(recipe.lists.moved_at, item) or ""
            known = self.state.thread(key)
            if signal and known and known.signal == signal and visit.was_complete and not self.recheck:
                yield None
                continue
            visit.moved_lists[key] = signal
            yield self._request(url, self.read_list, visit, conditional=visit.was_complete, number=1)

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
            if known and key not in self._opened:
                thread = ThreadVisit(visit.section, key, url, self._canonical(url), known.signal)
                yield self._open(thread, known, visit, priority=-1, whole=True)

    def _draw(self, visit: SectionVisit) -> Iterator[Request]:
        """Draw among the threads that the lists of a section have shown."""
        drawn = self._drawing.threads(visit.section, time.time())
        self.report.threads_drawn += len(drawn)
        self.keeper.commit()
        for one in drawn:
            known = self.state.thread(one.key)
            thread = visit_of(visit.section, one, self._canonical(one.url))
            if thread.key in self._opened:
                continue
            if known and not self.recheck and not self._moved(thread, known):
                self.report.threads_unmoved += 1
                self.state.frame.note_read(visit.section.slug, thread.key)
                continue
            yield self._open(thread, known, visit, priority=1)

    def _listed(
        self, item: fields.Node, recipe: ListRecipe, visit: SectionVisit, response: Response
    ) -> tuple[ThreadVisit, ThreadState | None] | None:
        url = fields.text(recipe.url, item, response.url)
        if url is None:
            self.report.incomplete_units += 1
            return None
        url = urljoin(response.url, url)
        own = self._canonical(url)
        key = fields.text(recipe.key, item) or own
        # A time written relative to now ("47m") moves by itself: the recipe's `moved_at` names its absolute form.
        parts = fields.number(recipe.replies, item), fields.text(recipe.moved_at, item)
        signal = "|".join(str(part) for part in parts if part is not None)
        thread = ThreadVisit(visit.section, key, url, own, signal, announced=parts[0])
        if title := fields.text(recipe.title, item):
            unit = Unit(f"{key}#title", "title", title, None, 0)
            before = self.state.known(key, [unit.key]).get(unit.key)
            self.keeper.emit(unit, thread, url, before, response)
            thread.changed = False  # a new title says nothing of the answers
        return thread, self.state.thread(key)

    def _moved(self, thread: ThreadVisit, known: ThreadState) -> bool:
        """Whether the list says that a thread moved; where it says nothing, whether the thread is due."""
        return known.signal != thread.signal if thread.signal else _due(known)

    def _open(
        self, thread: ThreadVisit, known: ThreadState | None, visit: SectionVisit, priority: int, whole: bool = False
    ) -> Request:
        """Ask for a thread: at its last known page, or at its first when it is new or to be read `whole`."""
        self.report.threads_opened += 1
        self._opened.add(thread.key)
        plan = self.recipe.thread.paging
        thread.known = known is not None
        thread.units_before = self.state.units_of(thread.key) if known else 0
        start = thread.url
        by_last_page = known is not None and plan is not None and plan.last_known and bool(known.last_url)
        if known and by_last_page and thread.section.pages is None and not (whole or self.recheck):
            start, thread.units = known.last_url, known.before_last
            thread.resumed = canonical(start) != canonical(thread.url)
        thread.whole = not thread.resumed
        number = paging.number_of(plan, start)
        # An unchanged page tells that the thread did not change only where it is the one that would.
        tells = not by_last_page or (known is not None and canonical(start) == canonical(known.last_url))
        conditional = thread.known and paging.ends_visibly(plan) and tells
        return self._request(
            start, self.read_thread, visit, conditional=conditional, priority=priority, thread=thread, number=number
        )

    def read_thread(
        self, response: Response, visit: SectionVisit, thread: ThreadVisit, number: int
    ) -> Iterator[Request]:
        """Take what is new on a page of a thread; go on to the next page."""
        recipe = self.recipe.thread
        page = self._page(response, recipe, visit)
        if page is None:
            self._leave(response, visit, thread)
            return
        before = self.report.units
        count, fresh = self._take(page, recipe, thread, response)
        leads_on = not thread.urls and paging.following(recipe.paging, page, response, number) is not None
        # A page past the end may be empty, and so may a first page that only leads to others; but a wall may stand at
        # any page.
        if self.report.units == before and self._barren(response, visit, expected=bool(thread.urls) or leads_on):
            self._done(visit)
            return
        if self.report.units == before and not thread.urls and (thread.announced or thread.units_before):
            self.keeper.keep_empty(response)
        thread.urls.add(canonical(response.url))
        if (recipe.truncated and fields.text(recipe.truncated, page)) or CUT in response.flags:
            self.report.truncated_threads += 1
            thread.whole, thread.truncated = False, True
        following = self._following(page, response, thread, number)
        # Where the newest stand first, a page without anything new means that the rest is known too.
        all_known = bool(recipe.paging and not recipe.paging.last_known and thread.known and not fresh)
        wanted = (count or leads_on) and not (all_known and not self.recheck)
        if wanted and following and canonical(following) not in thread.urls:
            self.keeper.commit()
            number = paging.number_of(recipe.paging, following) if thread.inner is not None else number + 1
            yield self._request(following, self.read_thread, visit, priority=2, thread=thread, number=number)
            self._done(visit)
            return
        for validator in validators_of(response):
            self.state.note_validators(*validator)
        thread.whole &= not (all_known and following)
        yield from self._turn_back(thread, visit, len(thread.urls))
        self._done(visit)

    def _leave(self, response: Response, visit: SectionVisit, thread: ThreadVisit) -> None:
        """End with a thread at a page that did not change, or that must not or cannot be used."""
        if response.status == UNCHANGED:
            thread.last_url, thread.before_last = response.url, thread.units
            if thread.whole and not thread.urls:
                self.state.past.note_whole(thread.key, visit.section.slug, thread.url, False, time.time())
        if not visit.failed:
            self.keeper.note(thread)
        self._done(visit)

    def _turn_back(self, thread: ThreadVisit, visit: SectionVisit, spent: int) -> Iterator[Request]:
        """Having read a thread to its end with `spent` requests, go back over those earlier pages that are due most."""
        if not thread.whole and thread.known and thread.inner is None:
            back = [one for one in self.state.past.pages(thread.key) if canonical(one.url) not in thread.urls]
            thread.back = back[: max(REQUESTS_OF_MOVED - spent, 0)]
        yield from self._go_back(thread, visit)

    def _go_back(self, thread: ThreadVisit, visit: SectionVisit) -> Iterator[Request]:
        """Read the next of the earlier pages that a thread is read back over, or end with it."""
        if not thread.back:
            self.keeper.end(thread)
            return
        seen = thread.back.pop(0)
        arguments = {"thread": thread, "number": 0, "seen": seen}
        yield self._request(seen.url, self.read_back, visit, conditional=True, priority=2, **arguments)

    def read_back(
        self, response: Response, visit: SectionVisit, thread: ThreadVisit, number: int, seen: Seen
    ) -> Iterator[Request]:
        """Take what changed on an earlier page of a thread that moved."""
        page = self._page(response, self.recipe.thread, visit)
        if page is not None:
            units, _ = self.keeper.reader.read(
                page, self.recipe.thread, thread.section, response.url, offset=seen.before
            )
            self.report.units += len(units)
            self.keeper.hand_on(units, thread, response)
            thread.urls.add(canonical(seen.url))
            for validator in validators_of(response):
                self.state.note_validators(*validator)
        self.state.past.note_page(thread.key, seen, time.time())
        yield from self._go_back(thread, visit)
        self._done(visit)

    def _following(self, page: Any, response: Response, thread: ThreadVisit, number: int) -> str | None:
        """Return the thread's next page: the one after this, or the next of those that were drawn of a long thread."""
        plan = self.recipe.thread.paging
        if plan and thread.inner is None and thread.section.pages and number == 1:
            drawn = self._drawing.pages(thread.section, thread.key, paging.pages_of(plan, page) or 1)
            if drawn:
                thread.inner, thread.inner_chance = drawn[0], thread.chance.within(drawn[1])
        if plan and thread.inner is not None:
            return paging.address(plan, thread.url, thread.inner.pop(0)) if thread.inner else None
        return paging.following(plan, page, response, number, len(thread.urls))

    def _take(self, page: Any, recipe: ThreadRecipe, thread: ThreadVisit, response: Response) -> tuple[int, int]:
        """Return how many units of the page this visit has not met yet, and how many of them are new or changed."""
        url, offset = response.url, thread.units
        known_place = offset if thread.inner is None else None
        units, incomplete = self.keeper.reader.read(page, recipe, thread.section, url, offset=known_place)
        self.report.incomplete_units += incomplete
        self.report.units += len(units)
        unmet, fresh = self.keeper.hand_on(units, thread, response)
        if unmet or not thread.urls:
            thread.last_url, thread.before_last = url, offset
            thread.units += len(units)
            if thread.inner is None:
                self.state.past.note_page(thread.key, Seen(url, offset), time.time())
        return unmet, fresh

    def _page(self, response: Response, recipe: PageRecipe, visit: SectionVisit) -> Any:
        """Return the parsed page, or None when it did not change, or must not or cannot be used."""
        if response.status == UNCHANGED:
            self.report.pages_unchanged += 1
            return None
        self.report.pages += 1
        if pages.withheld(response, self.policy.basis):
            self.keeper.withhold(response)
            return None
        try:
            return formats.opened(response, recipe)
        except pages.Unreadable as error:
            if not self._barren(response, visit, expected=True):
                self.report.failed[str(error)] += 1
            visit.failed = True
            return None

    def _barren(self, response: Response, visit: SectionVisit, *, expected: bool = False) -> bool:
        """Note a page on which the recipe finds nothing, unless that is expected; return whether it is a wall."""
        self.report.barren_pages += not expected
        assert self.crawler is not None
        gate = self.crawler.get_downloader_middleware(GateMiddleware)
        walled = gate is not None and gate.barren(response)
        visit.failed |= walled
        return walled

    def _canonical(self, url: str) -> str:
        """Return the address that stands for a whole thread, whatever page of it was read."""
        plan = self.recipe.thread.paging
        return canonical(url, paging_param=plan.param if plan else None)

    def _request(
        self,
        url: str,
        callback: Callable[..., Any],
        visit: SectionVisit,
        *,
        conditional: bool = False,
        priority: int = 0,
        **arguments: Any,
    ) -> Request:
        visit.open_requests += 1
        recipe = self.recipe.list if callback == self.read_list else self.recipe.thread
        rendered = recipe.render if recipe else None
        conditional = conditional and not rendered  # what scripts bring may move while the page itself does not
        headers = self.state.validators(url) if conditional else {}
        if recipe and recipe.accept:
            headers["Accept"] = recipe.accept
        return Request(
            url,
            callback=callback,
            errback=self.failed,
            headers=headers,
            meta={RENDER: rendered} if rendered else {"handle_httpstatus_list": [UNCHANGED]} if conditional else None,
            cb_kwargs={"visit": visit, **arguments},
            priority=priority,
            dont_filter=True,
        )

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
            if not failure.check(Refused):
                self.report.failed[f"answered {status}" if status else failures.told(failure.value)] += 1
        self._done(visit)

    def _absent(self, visit: SectionVisit, thread: ThreadVisit | None, number: int) -> Iterator[Request]:
        """Deal with a page that is not there: a thread that shrank or went, or the page after the last."""
        if thread is None:
            if number == 1:
                visit.failed = True
                self.report.failed["list page not found"] += 1
        elif thread.resumed and not thread.urls:
            thread.resumed, thread.whole, thread.units = False, True, 0
            yield self._request(thread.url, self.read_thread, visit, priority=2, thread=thread, number=1)
        elif number and thread.urls:
            # Where a page named this one as the next, it should be there.
            thread.truncated |= not paging.runs_past_the_end(self.recipe.thread.paging)
            yield from self._turn_back(thread, visit, len(thread.urls) + 1)
        elif number:
            self.report.gone_threads += 1
            self.keeper.note_gone(thread.key, self.state.past.all_of(thread.key))
            self.state.frame.note_gone(thread.key)
            self.state.past.forget(thread.key)
            self.keeper.note(thread)
        else:  # an earlier page that is no longer there
            self.state.past.drop_pages(thread.key, [one.url for one in self.state.past.pages(thread.key)])
            self.keeper.note(thread)

    def _done(self, visit: SectionVisit) -> None:
        """Note that one request of a section has been dealt with."""
        visit.open_requests -= 1
        if visit.open_requests == 0 and not visit.failed:
            self.state.note_section(visit.section.slug, complete=True)
            for validator in visit.validators:
                self.state.note_validators(*validator)
            now = time.time()
            for key, signal in visit.moved_lists.items():
                self.state.note_thread(key, ThreadState(signal, "", now, now))
            self.keeper.commit()


def _due(known: ThreadState) -> bool:
    return due(known.checked_at, known.changed_at, known.gap, time.time())
