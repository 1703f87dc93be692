"""Draws carried out: which threads of a section are read in this run, and with what chance."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

from config.policy import Section, SitePolicy
from config.section import DRAWN_FROM_LISTS
from crawlers import sampling
from crawlers.frame import Drawn
from crawlers.sampling import Chance, Listed, StartPage
from crawlers.state import State, ThreadState
from crawlers.units import thread_told

Spreads = Mapping[tuple[str, str], float]
"""(section, stratum) → standard deviation of what a thread adds to the estimate; stratum "" is the whole section."""
Interest = Mapping[str, float]
"""Thread → how much was found in it; an adaptive draw looks there more often."""


class Drawing:
    """The draws of one run of one site.

    Args:
        seed: None: the site's own, and each run draws what follows the run before. A number: the draw that belongs
            to it, the same each time.
        spreads: spreads from the past, for Neyman's allocation; empty: in proportion to size.
        interest: where something was found before, threads named as their captures have them.
        key: secret for the marks in such names.
    """

    def __init__(
        self, policy: SitePolicy, state: State, seed: int | None, spreads: Spreads, interest: Interest, key: bytes
    ) -> None:
        self._state, self._frame = state, state.frame
        self._spreads, self._interest, self._key = spreads, interest, key
        self._fixed = seed is not None
        self._seed = state.frame.seed() if seed is None else seed
        self._sizes = self._allocated(policy)

    def starts(self, section: Section, base_url: str, key_of: Callable[[str], str] | None) -> list[StartPage]:
        """Return the start pages of a section, drawn where its method is random.

        What an earlier run drew and did not get to comes first; nothing new is drawn then.

        Args:
            key_of: gives the key of the thread at an address; None where start pages are lists.
        """
        if section.method != "random" or section.range is None:
            return list(sampling.start_pages(section, base_url))
        if key_of and (pending := self._pending(section)):
            return [StartPage(one.url, one.chance) for one in pending]
        numbers = [str(number) for number in range(section.range[0], section.range[1] + 1)]
        size = min(self._sizes.get(section.slug) or section.sample or len(numbers), len(numbers))
        chance = Chance(size / len(numbers), None, len(numbers) * max(len(section.start), 1))
        chosen = sorted(map(int, self._draw(section, "", numbers, size)))
        pages = [page for number in chosen for page in sampling.numbered_pages(section, base_url, number, chance)]
        if key_of and size < len(numbers):
            self._remember(section, [Drawn(key_of(page.url), page.url, chance) for page in pages])
        return pages

    def threads(self, section: Section, now: float) -> list[Drawn]:
        """Draw the threads of a section whose lists have been read, out of all that they have shown so far."""
        if pending := self._pending(section):
            return pending
        size = self._sizes.get(section.slug) or section.sample or 0
        drawn = self._drawn(section, self._frame.listed(section.slug), size, now)
        self._remember(section, drawn)
        return drawn

    def pages(self, section: Section, thread: str, pages: int) -> tuple[list[int], float] | None:
        """Draw the pages of a long thread beside its first; None where all of them are read."""
        if section.pages is None or pages <= section.pages:
            return None
        return sampling.draw_pages(pages, section.pages, self._seed, thread)

    def _drawn(self, section: Section, threads: list[Listed], size: int, now: float) -> list[Drawn]:
        if section.method == "adaptive":
            return self._adaptive(section, threads, size, now)
        if section.method == "reservoir":
            return self._of_stratum(section, None, threads, size)
        strata = sampling.strata(section, threads, now)
        past = {
            name: spread for (slug, name), spread in self._spreads.items() if slug == section.slug and name in strata
        }
        spreads = past or sampling.usual_spreads(strata)
        sizes = {name: len(some) for name, some in strata.items()}
        counts = sampling.allocate(sizes, spreads, size, sampling.least_of_stratum(size, len(sizes)))
        return [one for name, some in strata.items() for one in self._of_stratum(section, name, some, counts[name])]

    def _of_stratum(self, section: Section, stratum: str | None, threads: list[Listed], size: int) -> list[Drawn]:
        by_key = {thread.key: thread for thread in threads}
        size = min(size, len(threads))
        if not size:
            return []
        chance = Chance(size / len(threads), stratum, len(threads))
        keys = self._draw(section, stratum or "", list(by_key), size)
        return [_as_drawn(by_key[key], chance) for key in keys]

    def _draw(self, section: Section, stratum: str, keys: list[str], size: int) -> list[str]:
        cursor = 0.0 if self._fixed else self._frame.cursor(section.slug, stratum)
        chosen, cursor = sampling.draw(keys, size, self._seed, cursor)
        if not self._fixed:
            self._frame.note_cursor(section.slug, stratum, cursor)
        return chosen

    def _adaptive(self, section: Section, threads: list[Listed], size: int, now: float) -> list[Drawn]:
        """Draw among the threads with something unread: by how much that is, and by what was found there before."""
        unread = {one.key: one for one in threads if _unread(one, self._state.thread(one.key))}
        if not unread:
            return []
        weights = {key: self._weight(one) for key, one in unread.items()}
        chances = sampling.adaptive_probabilities(weights, size, section.uniform)
        turn = 0.0 if self._fixed else self._frame.cursor(section.slug, "")
        dice = random.Random(f"{self._seed}\x1f{section.slug}\x1f{turn:.0f}")  # noqa: S311 - sampling, not secrets
        chosen = set(sampling.draw_unequal(chances, dice))
        if not self._fixed:
            self._frame.note_cursor(section.slug, "", turn + 1)
        before = self._frame.passed(section.slug)
        self._frame.note_passed(section.slug, unread.keys() - chosen, now)
        return [_as_drawn(unread[key], Chance(chances[key]), before.get(key)) for key in sorted(chosen)]

    def _weight(self, thread: Listed) -> float:
        unread = 1 if thread.replies is None else max(thread.replies + 1 - self._state.units_of(thread.key), 1)
        return unread * (1.0 + self._interest.get(thread_told(thread.key, self._key), 0.0))

    def _remember(self, section: Section, drawn: list[Drawn]) -> None:
        """Keep what was drawn until it is read, so that a run that was cut short is taken up."""
        if not self._fixed:
            self._frame.note_drawn(section.slug, drawn)

    def _pending(self, section: Section) -> list[Drawn]:
        return [] if self._fixed else self._frame.pending(section.slug)

    def _allocated(self, policy: SitePolicy) -> dict[str, int]:
        """Return section → threads to draw, where the policy leaves that to what the past says; else nothing."""
        if policy.allocation is None:
            return {}
        sizes: dict[str, int] = {}
        for section in policy.sections:
            if section.method == "random" and section.range is not None:
                sizes[section.slug] = section.range[1] - section.range[0] + 1
            elif section.method in DRAWN_FROM_LISTS:
                sizes[section.slug] = self._frame.size(section.slug)
        spreads = {slug: spread for (slug, stratum), spread in self._spreads.items() if not stratum and slug in sizes}
        if not spreads or not all(sizes.values()):
            return {}  # nothing is known yet: each section's own `sample`
        return sampling.allocate(sizes, spreads, policy.allocation.threads, policy.allocation.floor)


def _as_drawn(thread: Listed, chance: Chance, passed_at: float | None = None) -> Drawn:
    return Drawn(thread.key, thread.url, chance, thread.signal, passed_at)


def _unread(thread: Listed, known: ThreadState | None) -> bool:
    return known is None or known.signal != thread.signal or not thread.signal
