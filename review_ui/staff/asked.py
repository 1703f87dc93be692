"""What a person asked the queue for: read from the address, and carried from case to case so that work stays in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import QueryDict

from casework import exposure
from casework.errors import InvalidInput
from casework.models import CaseState, User
from casework.search import get_search
from casework.search.port import FACETS, MAX_SIZE, MAX_WINDOW, Query, Sort

PAGE_SIZE = 20
LAST_PAGE = MAX_WINDOW // PAGE_SIZE


@dataclass(frozen=True)
class Asked:
    """A question to the queue.

    Attributes:
        text: words to look for.
        chosen: facet → values; without `state`.
        states: the states that the address names; None where it names none.
        sort: the order.
        page, after: place in the result, as `casework.search.port.Query` has it.
        address: the question again, as the end of an address (empty: the queue as it opens).
    """

    text: str
    chosen: Mapping[str, Sequence[str]]
    states: Sequence[str] | None
    sort: Sort
    page: int
    after: str | None
    address: str

    def state(self, user: User) -> list[str]:
        """Return the states looked for: those named ("all" stands for any), else what this person works on."""
        if self.states is not None:
            return [one for one in self.states if one != "all"]
        return [CaseState.OPEN if CaseState.OPEN in exposure.scope_for(user).states else CaseState.CONFIRMED]

    def query(self, user: User, *, size: int = PAGE_SIZE, facets: bool = True) -> Query:
        """Return the question in the words of the search.

        Raises:
            InvalidInput: names what is wrong and what is allowed.
        """
        return Query(
            scope=exposure.scope_for(user),
            text=self.text,
            filters={**self.chosen, "state": self.state(user)},
            sort=self.sort,
            page=self.page,
            size=size,
            after=self.after,
            facets=facets,
        )


def asked(given: QueryDict) -> Asked:
    """Read a question.

    Raises:
        InvalidInput: there is no such order or page.
    """
    chosen = {name: given.getlist(name) for name in FACETS if name in given}
    chosen |= {name: given.getlist(name) for name in ("kid_zone", "score") if given.get(name)}
    states = chosen.pop("state", None)
    text = given.get("q", "").strip()
    sort = given.get("sort", "")
    parts = {
        **({"q": [text]} if text else {}),
        **({"sort": [sort]} if sort else {}),
        **chosen,
        **({"state": states} if states else {}),
    }
    return Asked(
        text=text,
        chosen=chosen,
        states=states,
        sort=_sort(sort),
        page=_page(given.get("page", "")),
        after=given.get("after") or None,
        address=urlencode(parts, doseq=True),
    )


def following(question: Asked, user: User, case_id: int | None) -> list[int]:
    """Return the cases that come after this one in what was asked for; from the last on, the first again.

    Only as many as one answer of the search holds are looked through; past them work begins at the top again, where
    what has been decided meanwhile is gone.
    """
    top = Asked(**{**vars(question), "page": 1, "after": None})
    ids = get_search().ids(top.query(user, size=MAX_SIZE))
    at = ids.index(case_id) + 1 if case_id in ids else 0
    return [one for one in ids[at:] + ids[:at] if one != case_id]


def _sort(value: str) -> Sort:
    try:
        return Sort(value) if value else Sort.URGENCY
    except ValueError:
        raise InvalidInput("sort", value, "、".join(Sort)) from None


def _page(value: str) -> int:
    if not value:
        return 1
    # A figure of another script is a digit too, and a long one is no page of ours.
    if not (value.isascii() and value.isdigit() and len(value) <= 4 and 1 <= int(value) <= LAST_PAGE):
        raise InvalidInput("page", value[:20], f"1–{LAST_PAGE}")
    return int(value)
