"""A thread read to its end: on from where it was left, back over what may have changed, or whole."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from scrapy.http import Request, Response

from config.policy import SitePolicy
from config.recipe import ThreadRecipe
from crawlers import fields, paging
from crawlers.asking import UNCHANGED, Asker
from crawlers.canonical import canonical
from crawlers.drawing import Drawing
from crawlers.keeping import Keeper
from crawlers.recheck import REQUESTS_OF_MOVED, Seen, due, newest_first
from crawlers.render import CUT
from crawlers.report import CrawlReport
from crawlers.state import State, ThreadState
from crawlers.under_way import SectionVisit, ThreadVisit, validators_of


class ThreadReader:
    """Reads the threads of one site; what it finds goes to its `keeper`.

    Args:
        recheck: look at every thread, moved or not.
    """

    def __init__(
        self,
        policy: SitePolicy,
        state: State,
        report: CrawlReport,
        keeper: Keeper,
        drawing: Drawing,
        asker: Asker,
        recheck: bool,
    ) -> None:
        assert policy.crawl is not None
        self._recipe: ThreadRecipe = policy.crawl.thread
        self._from_lists = policy.crawl.list is not None
        self._state, self._report, self._keeper = state, report, keeper
        self._drawing, self._asker, self._recheck = drawing, asker, recheck
        self._opened: set[str] = set()

    def has_opened(self, key: str) -> bool:
        """Whether this run has asked for a thread."""
        return key in self._opened

    def rests(self, thread: ThreadVisit, known: ThreadState | None) -> bool:
        """Whether a thread need not be read, which is counted: its list says that it did not move.

        Where the list says nothing, whether the thread is not due yet.
        """
        if known is None or self._recheck:
            return False
        moved = known.signal != thread.signal if thread.signal else _due(known)
        self._report.threads_unmoved += not moved
        return not moved

    def open(
        self, thread: ThreadVisit, known: ThreadState | None, visit: SectionVisit, priority: int, whole: bool = False
    ) -> Request:
        """Ask for a thread: at its last known page, or at its first when it is new or to be read `whole`."""
        self._report.threads_opened += 1
        self._opened.add(thread.key)
        plan = self._recipe.paging
        thread.known = known is not None
        thread.through = whole or self._recheck
        thread.units_before = self._state.units_of(thread.key) if known else 0
        start = thread.url
        by_last_page = known is not None and plan is not None and plan.last_known and bool(known.last_url)
        if known and by_last_page and thread.section.pages is None and not thread.through:
            start, thread.units = known.last_url, known.before_last
            thread.resumed = canonical(start) != canonical(thread.url)
        thread.whole = not thread.resumed
        number = paging.number_of(plan, start)
        # An unchanged page tells that the thread did not change only where it is the one that would.
        tells = not by_last_page or (known is not None and canonical(start) == canonical(known.last_url))
        conditional = thread.known and paging.ends_visibly(plan) and tells
        return self._asker.request(
            start,
            self.read,
            self._recipe,
            visit,
            conditional=conditional,
            priority=priority,
            thread=thread,
            number=number,
        )

    def read(self, response: Response, visit: SectionVisit, thread: ThreadVisit, number: int) -> Iterator[Request]:
        """Take what is new on a page of a thread; go on to the next page."""
        recipe = self._recipe
        page = self._asker.page(response, recipe, visit)
        if page is None:
            self._leave(response, visit, thread)
            return
        before, new_before = self._report.units, thread.fresh
        count = self._take(page, recipe, thread, response)
        leads_on = not thread.urls and paging.following(recipe.paging, page, response, number) is not None
        # A page past the end may be empty, and so may a first page that only leads to others; but a wall may stand at
        # any page.
        if self._report.units == before and self._asker.barren(response, visit, expected=bool(thread.urls) or leads_on):
            self._asker.done(visit)
            return
        if self._report.units == before and not thread.urls and (thread.announced or thread.units_before):
            self._keeper.keep_empty(response)
        thread.urls.add(canonical(response.url))
        if (recipe.truncated and fields.text(recipe.truncated, page)) or CUT in response.flags:
            self._report.truncated_threads += 1
            thread.whole, thread.truncated = False, True
        following = self._following(page, response, thread, number)
        # Where the newest stand first, a page most of which is known means that the rest is known too. It need not be
        # all of it: a page that new units did not fill leads to older ones. A single one may be known and stand on top.
        mostly_known = 2 * (thread.fresh - new_before) < max(count, 1)
        all_known = newest_first(recipe) and thread.known and mostly_known and not thread.through
        wanted = (count or leads_on) and not all_known
        if wanted and following and canonical(following) not in thread.urls:
            self._keeper.commit()
            number = paging.number_of(recipe.paging, following) if thread.inner is not None else number + 1
            yield self._asker.request(following, self.read, recipe, visit, priority=2, thread=thread, number=number)
            self._asker.done(visit)
            return
        for validator in validators_of(response):
            self._state.note_validators(*validator)
        thread.whole &= not (all_known and following)
        yield from self._turn_back(thread, visit, len(thread.urls))
        self._asker.done(visit)

    def _leave(self, response: Response, visit: SectionVisit, thread: ThreadVisit) -> None:
        """End with a thread at a page that did not change, or that must not or cannot be used."""
        if response.status == UNCHANGED:
            thread.last_url, thread.before_last = response.url, thread.units
            if thread.whole and not thread.urls:
                self._state.past.note_whole(thread.key, visit.section.slug, thread.url, False, time.time())
        if not visit.failed:
            self._keeper.note(thread)
        self._asker.done(visit)

    def _turn_back(self, thread: ThreadVisit, visit: SectionVisit, spent: int) -> Iterator[Request]:
        """Having read a thread to its end with `spent` requests, go back over those earlier pages that are due most."""
        # A thread that was only due, with nothing new on it, is read whole when it has rested for long enough.
        due_only = self._from_lists and not thread.signal and not thread.changed
        if not thread.whole and thread.known and thread.inner is None and not due_only:
            pages = self._state.past.pages(thread.key, newest_first=newest_first(self._recipe))
            back = [one for one in pages if canonical(one.url) not in thread.urls]
            thread.back = back[: max(REQUESTS_OF_MOVED * max(len(thread.moved), 1) - spent, 0)]
        yield from self._go_back(thread, visit)

    def _go_back(self, thread: ThreadVisit, visit: SectionVisit) -> Iterator[Request]:
        """Read the next of the earlier pages that a thread is read back over, or end with it."""
        if not thread.back:
            self._keeper.end(thread)
            return
        seen = thread.back.pop(0)
        arguments = {"thread": thread, "number": 0, "seen": seen}
        yield self._asker.request(
            seen.url, self.read_back, self._recipe, visit, conditional=True, priority=2, **arguments
        )

    def read_back(
        self, response: Response, visit: SectionVisit, thread: ThreadVisit, number: int, seen: Seen
    ) -> Iterator[Request]:
        """Take what changed on an earlier page of a thread that moved."""
        page = self._asker.page(response, self._recipe, visit)
        if page is not None:
            units, _ = self._keeper.reader.read(page, self._recipe, thread.section, response.url, offset=seen.before)
            self._report.units += len(units)
            self._keeper.hand_on(units, thread, response)
            thread.urls.add(canonical(seen.url))
            self._push_on(page, response, thread, seen.before + len(units))
            for validator in validators_of(response):
                self._state.note_validators(*validator)
        self._state.past.note_page(thread.key, seen, thread.began)
        yield from self._go_back(thread, visit)
        self._asker.done(visit)

    def _push_on(self, page: Any, response: Response, thread: ThreadVisit, before: int) -> None:
        """Where the newest stand first, go back over a page that was pushed behind the last one since."""
        plan = self._recipe.paging
        if not newest_first(self._recipe):
            return
        following = paging.following(plan, page, response, paging.number_of(plan, response.url), len(thread.urls))
        known = [one.url for one in (*self._state.past.pages(thread.key), *thread.back)]
        if following and canonical(following) not in {*map(canonical, known), *thread.urls}:
            thread.back.append(Seen(following, before))

    def absent(self, visit: SectionVisit, thread: ThreadVisit, number: int) -> Iterator[Request]:
        """Deal with a page that is not there: a thread that shrank or went, or the page after the last."""
        if thread.resumed and not thread.urls:
            thread.resumed, thread.whole, thread.units = False, True, 0
            yield self._asker.request(thread.url, self.read, self._recipe, visit, priority=2, thread=thread, number=1)
        elif number and thread.urls:
            # Where a page named this one as the next, it should be there.
            thread.truncated |= not paging.runs_past_the_end(self._recipe.paging)
            yield from self._turn_back(thread, visit, len(thread.urls) + 1)
        elif number:
            self._report.gone_threads += 1
            self._keeper.note_gone(thread.key, self._state.past.all_of(thread.key))
            self._state.frame.note_gone(thread.key)
            self._state.past.forget(thread.key)
            self._keeper.note(thread)
        else:  # an earlier page that is no longer there
            self._state.past.drop_pages(thread.key, [one.url for one in self._state.past.pages(thread.key)])
            self._keeper.note(thread)

    def _following(self, page: Any, response: Response, thread: ThreadVisit, number: int) -> str | None:
        """Return the thread's next page: the one after this, or the next of those that were drawn of a long thread."""
        plan = self._recipe.paging
        if plan and thread.inner is None and thread.section.pages and number == 1:
            drawn = self._drawing.pages(thread.section, thread.key, paging.pages_of(plan, page) or 1)
            if drawn:
                thread.inner, thread.inner_chance = drawn[0], thread.chance.within(drawn[1])
        if plan and thread.inner is not None:
            return paging.address(plan, thread.url, thread.inner.pop(0)) if thread.inner else None
        return paging.following(plan, page, response, number, len(thread.urls))

    def _take(self, page: Any, recipe: ThreadRecipe, thread: ThreadVisit, response: Response) -> int:
        """Return how many units of the page this visit has not met yet."""
        url, offset = response.url, thread.units
        known_place = offset if thread.inner is None else None
        units, incomplete = self._keeper.reader.read(page, recipe, thread.section, url, offset=known_place)
        self._report.incomplete_units += incomplete
        self._report.units += len(units)
        unmet = self._keeper.hand_on(units, thread, response)
        if unmet or not thread.urls:
            thread.last_url, thread.before_last = url, offset
            thread.units += len(units)
            if thread.inner is None:
                self._state.past.note_page(thread.key, Seen(url, offset), thread.began)
        return unmet


def _due(known: ThreadState) -> bool:
    return due(known.checked_at, known.changed_at, known.gap, time.time())
