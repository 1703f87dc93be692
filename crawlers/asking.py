"""What reading lists and reading threads share: how a page is asked for, and whether its answer can be used."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from scrapy.http import Request, Response

from config.policy import SitePolicy
from config.recipe import PageRecipe
from crawlers import formats, pages
from crawlers.canonical import canonical
from crawlers.keeping import Keeper
from crawlers.render import RENDER, UNSETTLED
from crawlers.report import CrawlReport
from crawlers.state import State, ThreadState
from crawlers.under_way import SectionVisit

UNCHANGED = 304


class Asker:
    """Asks for the pages of one site, and keeps count of what each section still waits for.

    Args:
        failed: what is called with a request that brought no page.
        is_wall: looks again at a page on which nothing was found: whether it is a challenge or a login wall.
    """

    def __init__(
        self,
        policy: SitePolicy,
        state: State,
        report: CrawlReport,
        keeper: Keeper,
        failed: Callable[[Any], Any],
        is_wall: Callable[[Response], bool],
    ) -> None:
        assert policy.crawl is not None
        self._paging = policy.crawl.thread.paging
        self._policy, self._state, self._report, self._keeper = policy, state, report, keeper
        self._failed, self._is_wall = failed, is_wall

    def request(
        self,
        url: str,
        callback: Callable[..., Any],
        recipe: PageRecipe | None,
        visit: SectionVisit,
        *,
        conditional: bool = False,
        priority: int = 0,
        **arguments: Any,
    ) -> Request:
        """Return the request for a page of a section, which waits for it from now on until it is `done`.

        Args:
            callback: reads the page; is given `visit` and the `arguments`.
            recipe: what the page is.
            conditional: ask whether it changed since it was last read.
        """
        visit.open_requests += 1
        rendered = recipe.render if recipe else None
        conditional = conditional and not rendered  # what scripts bring may move while the page itself does not
        headers = self._state.validators(url) if conditional else {}
        if recipe and recipe.accept:
            headers["Accept"] = recipe.accept
        return Request(
            url,
            callback=callback,
            errback=self._failed,
            headers=headers,
            meta={RENDER: rendered} if rendered else {"handle_httpstatus_list": [UNCHANGED]} if conditional else None,
            cb_kwargs={"visit": visit, **arguments},
            priority=priority,
            dont_filter=True,
        )

    def page(self, response: Response, recipe: PageRecipe, visit: SectionVisit) -> Any:
        """Return the parsed page, or None when it did not change, or must not or cannot be used."""
        if response.status == UNCHANGED:
            self._report.pages_unchanged += 1
            return None
        self._report.pages += 1
        if pages.withheld(response, self._policy.basis):
            self._keeper.withhold(response)
            return None
        try:
            return formats.opened(response, recipe)
        except pages.Unreadable as error:
            if not self.barren(response, visit, expected=True):
                self._report.failed[str(error)] += 1
            visit.failed = True
            return None

    def barren(self, response: Response, visit: SectionVisit, *, expected: bool = False) -> bool:
        """Note a page on which the recipe finds nothing, unless that is expected.

        Returns whether that tells nothing of the page, so that it is to be asked for again: it is a wall, or its
        scripts had not done their work.
        """
        self._report.barren_pages += not expected
        walled = self._is_wall(response)
        unsettled = not walled and UNSETTLED in response.flags
        if unsettled:
            self._report.failed["a rendered page on which what `until` names did not appear in time"] += 1
        visit.failed |= walled or unsettled
        return walled or unsettled

    def done(self, visit: SectionVisit) -> None:
        """Note that one request of a section has been dealt with."""
        visit.open_requests -= 1
        if visit.open_requests == 0 and not visit.failed:
            self._state.note_section(visit.section.slug, complete=True)
            for validator in visit.validators:
                self._state.note_validators(*validator)
            now = time.time()
            for key, signal in visit.moved_lists.items():
                self._state.note_thread(key, ThreadState(signal, "", now, now))
            self._keeper.commit()

    def canonical(self, url: str) -> str:
        """Return the address that stands for a whole thread, whatever page of it was read."""
        return canonical(url, paging_param=self._paging.param if self._paging else None)
