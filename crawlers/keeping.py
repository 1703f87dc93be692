"""What becomes of units that were read: the new ones are handed on, the known ones not, missing ones are noted."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime

from scrapy.exceptions import CloseSpider
from scrapy.http import Response

from config.policy import SitePolicy
from crawlers.addresses import masked
from crawlers.canonical import canonical
from crawlers.capture import Capture
from crawlers.evidence import EvidenceStore
from crawlers.recheck import mean_gap, rolls_off
from crawlers.report import CrawlReport
from crawlers.state import State, ThreadState
from crawlers.under_way import ThreadVisit, chance_of, expected_of
from crawlers.units import Unit, UnitReader
from crawlers.yields import MOST_EXAMPLES

LONGEST_NOTE = 20
"""Characters that may stand around a site's note that something was removed."""


class Keeper:
    """Hands the units of one crawl on to `on_capture`, and remembers them and their threads.

    Args:
        before_commit: called before the memory is written: when it returns, what was handed on is safe.
        limit: end after so many captures.
        evidence: keeps the response behind each capture.
    """

    def __init__(
        self,
        policy: SitePolicy,
        state: State,
        report: CrawlReport,
        on_capture: Callable[[Capture], None],
        key: bytes,
        before_commit: Callable[[], None],
        limit: int | None,
        evidence: EvidenceStore | None = None,
    ) -> None:
        assert policy.crawl is not None
        self.reader, self._key = UnitReader(policy, key), key
        self._recipe = policy.crawl.thread
        self._policy, self._state, self._report = policy, state, report
        self._on_capture, self._before_commit, self._limit = on_capture, before_commit, limit
        self._evidence = evidence

    def hand_on(self, units: Sequence[Unit], thread: ThreadVisit, response: Response) -> int:
        """Hand on what is new of a page; return how many of its units are met first."""
        # A page past the end repeats the last one, and some sites repeat the opening post on every page.
        unmet: dict[str, Unit] = {}
        for unit in units:
            if unit.key not in thread.keys:
                unmet.setdefault(unit.key, unit)
        thread.keys.update(unmet)
        known = self._state.known(thread.key, unmet)
        removed = {key for key, unit in unmet.items() if self._is_removed(unit)}
        there = [unit for key, unit in unmet.items() if key not in removed]
        self.note_gone(thread.key, {key: known[key] for key in removed & known.keys()})
        self._state.past.note_there(thread.key, [unit.key for unit in there])
        for unit in there:
            self.emit(unit, thread, response.url, known.get(unit.key), response)
        return len(unmet)

    def emit(self, unit: Unit, thread: ThreadVisit, url: str, before: str | None, response: Response) -> None:
        """Hand a unit of a page on unless it is known by the capture id `before`."""
        where = (thread.section, thread.key, url, thread.canonical_url, chance_of(unit, thread))
        capture = self.reader.capture(unit, *where, datetime.now(UTC), before)
        if capture is None:
            self._report.incomplete_units += 1
            return
        if before == capture.id:
            return
        if self._limit is not None and self._report.captures >= self._limit:
            self._report.stopped_early = f"limit of {self._limit} captures"
            raise CloseSpider("limit")
        self._on_capture(self._proven(capture, response))
        self._report.edited += before is not None
        self._report.captures += 1
        self._state.note_unit(thread.key, unit.key, capture.id)
        thread.changed = True
        thread.moved.add(unit.thread or thread.key)
        thread.fresh += before is None

    def _proven(self, capture: Capture, response: Response) -> Capture:
        """Store the response first: what a capture names must be there."""
        if self._evidence is None:
            return capture
        try:
            reference = self._evidence.keep(response, self._policy)
        except OSError as error:
            self._report.failed[f"evidence cannot be kept: {error.strerror}"] += 1
            return capture
        return capture.model_copy(update={"evidence": reference})

    def withhold(self, response: Response) -> None:
        """Note a page that asks not to be kept: what is known of it, and nothing of what it says."""
        self._report.withheld_pages += 1
        if self._evidence is not None:
            with suppress(OSError):
                self._evidence.keep(response, self._policy, content=False)

    def note_list(self, response: Response, number: int, found: int) -> None:
        """Count the threads of a list page; a first page without any is kept."""
        self._report.yields.note_list(number, found)
        if not found and number == 1:
            self.keep_empty(response)

    def keep_empty(self, response: Response) -> None:
        """Keep a page on which something was to be expected and nothing was found: it shows what changed."""
        kept, recipe = self._report.yields.evidence, self._policy.crawl
        if self._evidence is None or recipe is None or len(kept) >= MOST_EXAMPLES:
            return
        if not self._state.history.has_begun(recipe):
            return
        with suppress(OSError):
            kept.append(self._evidence.keep(response, self._policy))

    def _is_removed(self, unit: Unit) -> bool:
        """Whether all that stands there is the site's own note that something was removed."""
        marker, text = self._policy.removed_marker, unit.text.strip()
        return bool(marker) and marker in text and len(text) <= len(marker) + LONGEST_NOTE

    def note_gone(self, thread: str, units: dict[str, str]) -> None:
        """Remember and report that units (key → capture id) are gone, each once."""
        gone = self._state.past.note_gone(thread, units, time.time()) if units else []
        self._report.disappeared += len(gone)
        self._report.gone += gone

    def end(self, thread: ThreadVisit) -> None:
        """End with a thread; where all of it was read, see what is no longer there."""
        self._report.yields.note_thread(
            masked(thread.url, self._key), len(thread.keys), expected_of(thread, self._recipe)
        )
        # Where a list announces answers and none is found, the recipe is wrong: look again when it is right.
        if thread.announced and not thread.keys:
            thread.signal = ""
        now, past = time.time(), self._state.past
        left = [one for one in past.pages(thread.key) if canonical(one.url) not in thread.urls]
        if thread.inner is None and not thread.truncated and (thread.whole or not left):
            past.drop_pages(thread.key, [one.url for one in left])
            past.note_whole(thread.key, thread.section.slug, thread.url, thread.changed, now)
            lost = {} if rolls_off(self._recipe) else past.missing(thread.key, thread.keys)
            self._report.changed_pages += lost is None
            self.note_gone(thread.key, lost or {})
        self.note(thread)

    def note(self, thread: ThreadVisit) -> None:
        """Remember how the thread was left; it is opened again when its list says that it moved, or when it is due."""
        now = time.time()
        before = self._state.thread(thread.key)
        changed, gap = (now, 0.0) if before is None else (before.changed_at, before.gap)
        if before and thread.changed:
            gap = mean_gap(gap, now - changed, thread.fresh) if thread.fresh else gap
            changed = now
        left = ThreadState(thread.signal, thread.last_url or thread.url, now, changed, thread.before_last, gap)
        self._state.note_thread(thread.key, left)
        self._state.frame.note_read(thread.section.slug, thread.key)
        self.commit()

    def commit(self) -> None:
        """Remember what was captured, once the captures themselves are safe."""
        self._before_commit()
        self._state.commit()
