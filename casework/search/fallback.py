"""An index in front of the database: what it names is held against the truth; while it is away the database answers.

An index shows what has changed a moment later: when a worker has written it, and the next refresh has come. Nobody
waits for that. A case that has left a question meanwhile, decided for one, is left out of the answer here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date

from casework.exposure import Scope
from casework.models import Case
from casework.search.database import DatabaseSearch
from casework.search.port import Page, Query, SearchPort, SearchUnavailable, SyncReport


class WithFallback:
    """An index in front of the database. Only searching falls back; writing says that it could not be done."""

    def __init__(self, index: SearchPort, database: DatabaseSearch) -> None:
        self._index, self._database = index, database

    @property
    def backend(self) -> str:
        """The backend that is configured."""
        return self._index.backend

    @property
    def is_index(self) -> bool:
        """There is an index to be written."""
        return True

    def sync(self, case_ids: Sequence[int]) -> SyncReport:
        """Bring these cases into the index.

        Raises:
            SearchUnavailable: they stay behind until it is back.
        """
        return self._index.sync(case_ids)

    def search(self, query: Query) -> Page:
        """Return a page from the index, or from the database when the index does not answer or is far behind."""
        try:
            page = self._index.search(query)
            still = self._still(query, [hit.case_id for hit in page.hits])
        except SearchUnavailable as error:
            # A cursor of the index means nothing to the database: such a page begins anew.
            page = self._database.search(replace(query, after=None) if query.after else query)
            return replace(page, degraded=str(error))
        hits = [hit for hit in page.hits if hit.case_id in still]
        return replace(page, hits=hits, total=page.total - len(page.hits) + len(hits))

    def ids(self, query: Query) -> list[int]:
        """Return the cases of one page from the index, or from the database as `search` does."""
        try:
            found = self._index.ids(query)
            still = self._still(query, found)
        except SearchUnavailable:
            return self._database.ids(replace(query, after=None))
        return [one for one in found if one in still]

    def _still(self, query: Query, case_ids: Sequence[int]) -> set[int]:
        """Return those of a page that belong there by the database.

        Raises:
            SearchUnavailable: most do not. Of a page further on that is no reason to begin anew.
        """
        still = self._database.still(query, case_ids)
        if 2 * len(still) < len(case_ids) and query.after is None:
            raise SearchUnavailable("the index is behind: most of the page has changed since it was written")
        return still

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
