"""Search in the database itself. It reads the cases, so there is nothing to copy and nothing to fall behind."""

from __future__ import annotations

import heapq
import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from functools import reduce
from operator import and_, or_
from typing import Any

from django.db.models import Case as Choice
from django.db.models import Count, F, Func, IntegerField, Q, QuerySet, TextField, Value, When
from django.db.models.functions import Cast
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from casework import keys
from casework.errors import InvalidInput
from casework.exposure import Scope
from casework.models import Case, CaseState
from casework.search import counting, cursor
from casework.search.counting import Counts
from casework.search.port import FACETS, Hit, Page, Query, Sort, SyncReport, Term, band, highlights, last_days

ORDERS: dict[Sort, tuple[tuple[str, bool], ...]] = {
    Sort.URGENCY: (("severity", False), ("score", True), ("id", False)),
    Sort.NEWEST: (("created_at", True), ("id", True)),
    Sort.OLDEST: (("created_at", False), ("id", False)),
    Sort.SCORE: (("score", True), ("id", False)),
    Sort.RELEVANCE: (("whole", True), ("id", True)),
}
"""Fields of each order, and whether the greatest comes first."""
SIMILAR_FROM = 2000
"""Newest cases of the same category that are compared."""
FEW = 1000
LEAST_ALIKE = 0.2
"""Least share of common character pairs (Jaccard) that counts as similar."""


class DatabaseSearch:
    """Searches the cases where they are."""

    backend, is_index = "database", False

    def sync(self, case_ids: Sequence[int]) -> SyncReport:
        """There is nothing to write: a case was there as soon as it was committed."""
        return SyncReport(written=0)

    def search(self, query: Query) -> Page:
        """Return one page of cases."""
        terms = query.terms()
        few = _few(terms) if terms else None
        found = _matching(query, terms, few=few)
        counts = counting.kept(query, self.backend) or counting.keep(query, self.backend, _counts(query, terms, few))
        names = [name for name, _ in ORDERS[query.sort]]
        cases = list(_page(found, query, terms).values("pk", "folded", *names))
        page, more = cases[: query.size], len(cases) > query.size
        return Page(
            hits=[Hit(row["pk"], highlights(row["folded"], terms)) for row in page],
            total=counts.total,
            facets=counts.facets,
            counted_at=counts.at,
            next_after=cursor.write(query.sort, [_plain(page[-1][name]) for name in names]) if more else None,
            backend=self.backend,
        )

    def ids(self, query: Query) -> list[int]:
        """Return the cases of one page in their order and nothing else."""
        terms = query.terms()
        found = _matching(query, terms, few=_few(terms) if terms else None)
        return list(_page(found, query, terms).values_list("pk", flat=True)[: query.size])

    def still(self, query: Query, case_ids: Sequence[int]) -> set[int]:
        """Return those of some cases that fit a question's filters and scope as they are now; its words aside."""
        return set(_matching(query, (), few=case_ids).values_list("pk", flat=True)) if case_ids else set()

    def similar(self, case: Case, scope: Scope, size: int = 8) -> list[int]:
        """Return cases of its category that share much of its wording, out of the newest; the likest first."""
        own = _pairs(case.folded)
        if not own:
            return []
        cases = keys.among(_in_scope(scope), "category", [case.category]).exclude(pk=case.pk).exclude(folded="")
        newest = cases.exclude(state=CaseState.OUT_OF_SCOPE).order_by("-id").values_list("pk", "folded")[:SIMILAR_FROM]
        alike = [(len(own & other) / len(own | other), pk) for pk, text in newest if (other := _pairs(text))]
        best = heapq.nlargest(size, ((share, pk) for share, pk in alike if share >= LEAST_ALIKE))
        return [pk for _share, pk in best]

    def days(self, query: Query, days: int) -> list[tuple[date, int]]:
        """Return how many cases of a question were made on each of the last days."""
        wanted = last_days(days)
        found = _matching(query, query.terms()).filter(created_at__gte=_start(wanted[0])).annotate(ago=_ago(wanted))
        counted = dict(found.order_by().values_list("ago").annotate(n=Count("*")))
        return [(day, counted.get(days - 1 - at, 0)) for at, day in enumerate(wanted)]

    def count(self) -> int:
        """Return the number of cases; copies of others are not searched."""
        return Case.objects.filter(copy_of=None).count()

    def behind(self) -> int:
        """Return 0: nothing falls behind itself."""
        return 0

    def rebuild(self, progress: Callable[[int], None] = lambda done: None) -> int:
        """There is nothing to fill: say how many cases there are."""
        total = self.count()
        progress(total)
        return total


def _matching(
    query: Query, terms: Sequence[Term], without: Sequence[str] = (), few: Sequence[int] | None = None
) -> QuerySet[Case]:
    # `categories` is JSON; as text it can be searched alike on both databases. A slug is [a-z_]+, so quotes bound it.
    cases: QuerySet[Case] = _in_scope(query.scope).alias(flagged=Cast("categories", TextField()))
    for name, values in query.filters.items():
        if not values or name in without:
            continue
        if few is not None and name in _SIMPLE:
            cases = keys.among(cases, name, values)
        else:
            cases = cases.filter(_condition(name, values))
    if not query.filters.get("state"):
        cases = cases.exclude(state=CaseState.OUT_OF_SCOPE)
    if few is not None:
        return cases.filter(pk__in=few)
    return cases.filter(_stands(terms)) if terms else cases


def _stands(terms: Sequence[Term]) -> Q:
    # A term without a letter or figure (an emoji, a sign) is looked for as it stands.
    pieces = [piece for term in terms for piece in term.pieces() or [term.text]]
    return reduce(and_, (Q(folded__contains=piece) for piece in pieces))


def _containing(terms: Sequence[Term]) -> QuerySet[Case]:
    """Return the rows in which the terms stand, whosoever may meet them.

    Nothing else is asked, so that SQLite reads the table from end to end: by an index it would jump to and fro.
    """
    return Case.objects.filter(_stands(terms)).order_by()


def _few(terms: Sequence[Term]) -> list[int] | None:
    """Return the cases in which the terms stand, when they are few: the texts are then looked through only once."""
    found = list(_containing(terms).values_list("pk", flat=True)[: FEW + 1])
    return found if len(found) <= FEW else None


def _in_scope(scope: Scope) -> QuerySet[Case]:
    return scope.of(Case.objects.filter(copy_of=None))


def _condition(name: str, values: Sequence[str]) -> Q:
    if name == "category":
        return reduce(or_, (Q(flagged__contains=f'"{slug}"') for slug in values))
    if name == "kid_zone":
        return Q(kid_zone__in=[_boolean(name, value) for value in values])
    if name == "score":
        return reduce(or_, (Q(score__gte=least, score__lt=below) for least, below in map(band, values)))
    if name == "day":
        return reduce(or_, (Q(created_at__range=_span(value)) for value in values))
    return Q(**{f"{name}__in": list(values)})


def _boolean(name: str, value: str) -> bool:
    if value not in {"true", "false"}:
        raise InvalidInput(name, value, "true, false")
    return value == "true"


def _span(value: str) -> tuple[datetime, datetime]:
    try:
        day = date.fromisoformat(value)
    except ValueError:
        raise InvalidInput("day", value, "YYYY-MM-DD") from None
    start = _start(day)
    return start, start + timedelta(days=1) - timedelta(microseconds=1)


def _start(day: date) -> datetime:
    """Return the moment (Asia/Shanghai) at which a day begins."""
    return timezone.make_aware(datetime.combine(day, time.min))


def _ago(days: Sequence[date]) -> Choice:
    """Say how many days ago a case was made, by comparing alone: SQLite would ask Python for each row's date."""
    latest = list(enumerate(reversed(days)))
    return Choice(*(When(created_at__gte=_start(day), then=Value(ago)) for ago, day in latest))


def _ranked(cases: QuerySet[Case], terms: Sequence[Term]) -> QuerySet[Case, Any]:
    """Note how many terms stand in the text to the letter, for the order by relevance."""
    whole: Any = Value(0, output_field=IntegerField())
    for term in terms:
        whole = whole + Choice(
            When(folded__contains=term.text, then=Value(1)), default=Value(0), output_field=IntegerField()
        )
    return cases.annotate(whole=whole)


def _page(cases: QuerySet[Case], query: Query, terms: Sequence[Term]) -> QuerySet[Case]:
    """Return the cases of the page that is asked for in their order, and one more if there is one."""
    order = ORDERS[query.sort]
    ordered = _ranked(cases, terms).order_by(*(f"-{name}" if down else name for name, down in order))
    if query.after:
        return _after(ordered, query, order)[: query.size + 1]
    start = (query.page - 1) * query.size
    return ordered[start : start + query.size + 1]


def _after(cases: QuerySet[Case], query: Query, order: Sequence[tuple[str, bool]]) -> QuerySet[Case]:
    """Return what comes after the cursor: past it in the first field, or equal there and past it in the next …"""
    place = [_native(value) for value in cursor.read(query.after or "", query.sort, len(order))]
    past = Q()
    for at, (name, down) in enumerate(order):
        equal = Q(**{order[before][0]: place[before] for before in range(at)})
        past |= equal & Q(**{f"{name}__{'lt' if down else 'gt'}": place[at]})
    return cases.filter(past)


def _counts(query: Query, terms: Sequence[Term], few: Sequence[int] | None) -> Counts:
    if not query.facets:
        return Counts(_matching(query, terms, few=few).count(), {})
    return Counts(*_counted(query, terms, few))


def _counted(
    query: Query, terms: Sequence[Term], few: Sequence[int] | None
) -> tuple[int, dict[str, list[tuple[str, int]]]]:
    """Return the number of cases, and each facet's counts of what the filters of the others leave.

    Cases share few combinations of values: these are counted by the database, and the rest is adding up. Of states that
    are not asked for nothing is told but their number.
    """
    chosen = {name: set(values) for name, values in query.filters.items() if values and name in FACETS}
    if terms and few is None:
        # What else is asked is read from an index, and the key only compared.
        found = _matching(query, (), without=FACETS).alias(key=keys.NotByKey("pk", output_field=IntegerField()))
        return _added(_combinations(found.filter(key__in=_containing(terms).values("pk"))), chosen)
    cases, states = _matching(query, terms, without=FACETS, few=few), query.filters.get("state")
    if not states:
        return _added(_combinations(cases), chosen)
    others = _of_states(cases, [one for one in query.scope.states if one not in states], few)
    for name in chosen.keys() - {"state"}:
        others = others.filter(_condition(name, query.filters[name]))
    total, facets = _added(_combinations(_of_states(cases, states, few)), chosen)
    beside = others.order_by().values_list("state").annotate(n=Count("*"))
    facets["state"] = _ordered(dict(facets["state"]) | dict(beside))
    return total, facets


def _of_states(cases: QuerySet[Case], states: Sequence[str], few: Sequence[int] | None) -> QuerySet[Case]:
    return cases.filter(state__in=states) if few is None else keys.among(cases, "state", states)


def _combinations(cases: QuerySet[Case]) -> list[tuple[Any, ...]]:
    """Return each combination of the facets' values, and its number of cases."""
    counted = cases.annotate(as_kept=_AS_KEPT).order_by().values_list(*_COMBINED).annotate(n=Count("*"))
    return list(counted)


def _added(
    rows: Sequence[tuple[Any, ...]], chosen: Mapping[str, set[str]]
) -> tuple[int, dict[str, list[tuple[str, int]]]]:
    """Add up combinations: what misses one facet's filter alone counts for that facet, what misses none for all."""
    read = {kept: tuple(dict.fromkeys(json.loads(kept))) for kept in {row[_CATEGORY] for row in rows}}
    fitting = dict(chosen)
    if "category" in chosen:
        fitting["category"] = {kept for kept, slugs in read.items() if not chosen["category"].isdisjoint(slugs)}
    wanted = [(at, fitting[name]) for at, name in enumerate(FACETS) if name in fitting]
    counts, whole = [defaultdict[Any, int](int) for _ in FACETS], list[tuple[Any, ...]]()
    for row in rows:
        missed = [at for at, values in wanted if row[at] not in values]
        if not missed:
            whole.append(row)
        elif len(missed) == 1:
            counts[missed[0]][row[missed[0]]] += row[-1]
    for at, one in enumerate(counts):
        for row in whole:
            one[row[at]] += row[-1]
    by_slug = defaultdict[Any, int](int)
    for kept, n in counts[_CATEGORY].items():
        for slug in read[kept]:
            by_slug[slug] += n
    counts[_CATEGORY] = by_slug
    total = sum(row[-1] for row in whole)
    return total, {name: _ordered(one) for name, one in zip(FACETS, counts, strict=True)}


def _ordered(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """Return values with their counts, the most frequent first."""
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))


_AS_KEPT = Func(F("categories"), template="%(expressions)s", output_field=TextField())
"""JSON as it is kept, neither cast, which no index is ordered by, nor parsed row by row."""
_SIMPLE = {*FACETS, "model_version"} - {"category"}
"""Filters whose values are compared with one column."""
_COMBINED = tuple("as_kept" if name == "category" else name for name in FACETS)
_CATEGORY = FACETS.index("category")


def _pairs(text: str) -> set[str]:
    return {text[at : at + 2] for at in range(len(text) - 1)}


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _native(value: Any) -> Any:
    return (isinstance(value, str) and parse_datetime(value)) or value
