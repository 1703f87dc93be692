"""A query in Elasticsearch's words, and its answer's facets in ours."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from casework.errors import InvalidInput
from casework.exposure import Scope
from casework.models import Case, CaseState
from casework.search import cursor
from casework.search.counting import Counts
from casework.search.mapping import letters
from casework.search.port import FACETS, Query, Sort, Term, band

SORTS: dict[Sort, list[dict[str, Any]]] = {
    # One number, so that cases which are less urgent than a whole page need not be looked at (`mapping.urgency`).
    Sort.URGENCY: [{"urgency": "asc"}, {"id": "asc"}],
    Sort.NEWEST: [{"created_at": "desc"}, {"id": "desc"}],
    Sort.OLDEST: [{"created_at": "asc"}, {"id": "asc"}],
    Sort.SCORE: [{"score": "desc"}, {"id": "asc"}],
    Sort.RELEVANCE: [{"_score": "desc"}, {"id": "desc"}],
}
MAX_VALUES = 200
MOST_ALIKE = 10_000
"""Cases that are looked at for likeness where a text has none but common words."""
_ZONE = "+08:00"


def body(query: Query, since: datetime | None = None) -> dict[str, Any]:
    """Return the request for one page of cases; nothing is counted for it, so that it need not look at every case.

    Args:
        query: the question.
        since: when the oldest case came that is looked at; None: any.
    """
    conditions = [one for _name, one in _conditions(query)]
    if since:
        conditions.append({"range": {"created_at": {"gte": since.isoformat()}}})
    # Asked beside the words, not in `must`: whether a case fits changes nothing about its rank.
    request: dict[str, Any] = {
        "query": _query(query, conditions),
        "sort": SORTS[query.sort],
        "size": query.size + 1,
        "track_total_hits": False,
        "_source": ["folded"],
    }
    if query.after:
        request["search_after"] = cursor.read(query.after, query.sort, len(SORTS[query.sort]))
    else:
        # One more than the page is asked for, to know whether there is another; the window ends at 10,000.
        start = (query.page - 1) * query.size
        request["from"] = start
        request["size"] = min(query.size + 1, 10_000 - start)
    return request


def counts(query: Query) -> list[dict[str, Any]]:
    """Return the requests that count: the first all that fits, and of facets that are not filtered by their values.

    Each facet counts what the filters of the others leave, so one that is filtered by has a request of its own. They
    hold no order and no page: Elasticsearch keeps their answers until cases have changed, and a facet that no filter
    of its own stands around is counted from what it knows of each value, three times as quick.
    """
    conditions = _conditions(query)
    chosen = [name for name, _one in conditions if name in FACETS] if query.facets else []
    groups = [("", [name for name in FACETS if name not in chosen] if query.facets else [])]
    groups += [(name, [name]) for name in chosen]
    return [
        {
            "query": _query(query, [one for name, one in conditions if name != own]),
            "aggs": {name: {"terms": {"field": name, "size": MAX_VALUES}} for name in names},
            "size": 0,
            "track_total_hits": True,
        }
        for own, names in groups
    ]


def _conditions(query: Query) -> list[tuple[str, dict[str, Any]]]:
    return [(name, _condition(name, values)) for name, values in query.filters.items() if values]


def _query(query: Query, conditions: Sequence[dict[str, Any]]) -> dict[str, Any]:
    hidden = [] if query.filters.get("state") else [{"term": {"state": str(CaseState.OUT_OF_SCOPE)}}]
    scope = [{"terms": {name: values}} for name, values in query.scope.filters().items()]
    return {"bool": {"must": _text(query.terms()), "filter": [*scope, *conditions], "must_not": hidden}}


def ids(query: Query, since: datetime | None = None) -> dict[str, Any]:
    """Return the request for a page of which only the ids are wanted."""
    request = body(query, since)
    return request | {"_source": False, "size": min(query.size, request["size"])}


def similar(case: Case, scope: Scope, size: int, *, common: int | None) -> dict[str, Any]:
    """Return the request for cases that share the words of this one which are rare elsewhere.

    Args:
        case: the case that others are to be like.
        scope: what the person who asks may meet.
        size: most cases wanted.
        common: words that stand in more documents are not looked for; None: every word may be, but fewer are, and no
            more than `MOST_ALIKE` cases that share them are looked at.
    """
    like: dict[str, Any] = {"fields": ["folded"], "like": [case.folded], "minimum_should_match": "30%"}
    like |= {"min_term_freq": 1, "min_doc_freq": 1}
    like |= {"max_query_terms": 10} if common is None else {"max_query_terms": 25, "max_doc_freq": common}
    return {
        "query": {
            "bool": {
                "must": [{"more_like_this": like}],
                "filter": [{"terms": {name: values}} for name, values in scope.filters().items()],
                "must_not": [{"term": {"id": case.pk}}, {"term": {"state": str(CaseState.OUT_OF_SCOPE)}}],
            }
        },
        "size": size,
        "track_total_hits": False,
        "source": False,
        **({"terminate_after": MOST_ALIKE} if common is None else {}),
    }


def common(documents: int) -> int:
    """Return in how many of so many documents a word is too common to tell what is alike: one in twenty."""
    return max(1000, documents // 20)


def days(query: Query, since: date) -> dict[str, Any]:
    """Return the request that counts a question's cases by day of Asia/Shanghai."""
    histogram = {"field": "created_at", "calendar_interval": "day", "time_zone": _ZONE, "format": "yyyy-MM-dd"}
    recent = {"range": {"created_at": {"gte": f"{since}T00:00:00{_ZONE}"}}}
    fitting = _query(query, [one for _name, one in _conditions(query)])
    return {
        "query": {"bool": {"filter": [fitting, recent]}},
        "aggs": {"days": {"date_histogram": histogram}},
        "size": 0,
    }


def counted(answers: Sequence[Any], *, facets: bool) -> Counts:
    """Return what the answers to `counts` say."""
    found = {name: one for answer in answers for name, one in answer.get("aggregations", {}).items()}
    by_facet = {
        name: sorted(
            ((str(one["key"]), int(one["doc_count"])) for one in found[name]["buckets"]),
            key=lambda pair: (-pair[1], pair[0]),
        )
        for name in (FACETS if facets else ())
    }
    return Counts(total=answers[0]["hits"]["total"]["value"], facets=by_facet)


def _text(terms: Sequence[Term]) -> list[dict[str, Any]]:
    return [_term(term) for term in terms]


def _term(term: Term) -> dict[str, Any]:
    """Every piece stands in the text to the letter; bigrams that stand close to each other rank higher."""
    pieces = [{"match_phrase": {"letters": letters(piece)}} for piece in term.pieces() or [term.text]]
    ranked = {"match": {"folded": {"query": term.text, "operator": "or"}}}
    return {"bool": {"must": pieces, "should": [ranked]}}


def _condition(name: str, values: Sequence[str]) -> dict[str, Any]:
    if name == "day":
        return {"bool": {"should": [_day(value) for value in values]}}
    if name == "score":
        bands = [{"range": {"score": {"gte": least, "lt": below}}} for least, below in map(band, values)]
        return {"bool": {"should": bands}}
    if name == "kid_zone":
        wrong = [value for value in values if value not in {"true", "false"}]
        if wrong:
            raise InvalidInput(name, wrong[0], "true, false")
    return {"terms": {name: list(values)}}


def _day(value: str) -> dict[str, Any]:
    try:
        day = date.fromisoformat(value)
    except ValueError:
        raise InvalidInput("day", value, "YYYY-MM-DD") from None
    following = day + timedelta(days=1)
    return {"range": {"created_at": {"gte": f"{day}T00:00:00{_ZONE}", "lt": f"{following}T00:00:00{_ZONE}"}}}
