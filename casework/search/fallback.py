"""Search that goes on from the database while the index is away, and says so."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date

from casework.exposure import Scope
from casework.models import Case
from casework.search.port import Page, Query, SearchPort, SearchUnavailable, SyncReport


class WithFallback:
    """An index in front of the database. Only searching falls back; writing says that it could not be done."""

    def __init__(self, index: SearchPort, database: SearchPort) -> None:
        self._index, self._database = index, database

    @property
    def backend(self) -> str:
        """The backend that is configured."""
        return self._index.backend

    def sync(self, case_ids: Sequence[int], *, refresh: bool = False) -> SyncReport:
        """Bring these cases into the index.

        Raises:
            SearchUnavailable: they stay behind until it is back.
        """
        return self._index.sync(case_ids, refresh=refresh)

    def search(self, query: Query) -> Page:
        """Return a page from the index, or from the database when the index does not answer."""
        try:
            return self._index.search(query)
        except SearchUnavailable as error:
            # A cursor of the index means nothing to the database: such a page begins anew.
            page = self._database.search(replace(query, after=None) if query.after else query)
            return replace(page, degraded=str(error))

    def ids(self, query: Query) -> list[int]:
        """Return the cases of one page from the index, or from the database when it does not answer."""
        try:
            return self._index.ids(query)
        except SearchUnavailable:
            return self._database.ids(replace(query, after=None))

    def similar(self, case: Case, scope: Scope, size: int = 8) -> list[int]:
        """Return similar cases from the index, or from the database when it does not answer."""
        try:
            return self._index.similar(case, scope, size)
        except SearchUnavailable:
            return self._database.similar(case, scope, size)

    def days(self, query: Query, days: int) -> list[tuple[date, int]]:
        """Return cases by day from the index, or from the database when it does not answer."""
        try:
            return self._index.days(query, days)
        except SearchUnavailable:
            return self._database.days(query, days)

    def count(self) -> int:
        """Return how many cases the index holds.

        Raises:
            SearchUnavailable: it does not answer.
        """
        return self._index.count()

    def behind(self) -> int:
        """Return how many cases the index does not hold as they are."""
        return self._index.behind()

    def rebuild(self, progress: Callable[[int], None] = lambda done: None) -> int:
        """Fill a fresh index and put it in place.

        Raises:
            SearchUnavailable: it does not answer.
        """
        return self._index.rebuild(progress)
