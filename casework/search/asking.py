"""A query in Elasticsearch's words, and its answer's facets in ours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from casework.errors import InvalidInput
from casework.exposure import Scope
from casework.models import Case, CaseState
from casework.search import cursor
from casework.search.mapping import letters
from casework.search.port import FACETS, Query, Sort, Term, band

SORTS: dict[Sort, list[dict[str, Any]]] = {
    Sort.URGENCY: [{"severity": "asc"}, {"score": "desc"}, {"id": "asc"}],
    Sort.NEWEST: [{"created_at": "desc"}, {"id": "desc"}],
    Sort.OLDEST: [{"created_at": "asc"}, {"id": "asc"}],
    Sort.SCORE: [{"score": "desc"}, {"id": "asc"}],
    Sort.RELEVANCE: [{"_score": "desc"}, {"id": "desc"}],
}
MAX_VALUES = 200
_ZONE = "+08:00"


def body(query: Query) -> dict[str, Any]:
    """Return the search request.

    Filters of facets are applied after counting, so that each facet counts what the others leave.
    """
    conditions = {name: _condition(name, values) for name, values in query.filters.items() if values}
    faceted = {name: one for name, one in conditions.items() if name in FACETS}
    plain = [one for name, one in conditions.items() if name not in FACETS]
    hidden = [] if query.filters.get("state") else [{"term": {"state": str(CaseState.OUT_OF_SCOPE)}}]
    scope = [{"terms": {name: values}} for name, values in query.scope.filters().items()]
    request: dict[str, Any] = {
        "query": {"bool": {"must": _text(query.terms()), "filter": [*scope, *plain], "must_not": hidden}},
        "post_filter": {"bool": {"filter": list(faceted.values())}},
        "aggs": {name: _facet(name, faceted) for name in FACETS},
        "sort": SORTS[query.sort],
        "size": query.size + 1,
        "track_total_hits": True,
        "source": ["folded"],
    }
    if not query.facets:
        del request["aggs"]
    if query.after:
        request["search_after"] = cursor.read(query.after, query.sort, len(SORTS[query.sort]))
    else:
        # One more than the page is asked for, to know whether there is another; the window ends at 10,000.
        start = (query.page - 1) * query.size
        request["from_"] = start
        request["size"] = min(query.size + 1, 10_000 - start)
    return request


def ids(query: Query) -> dict[str, Any]:
    """Return the search request of a page of which only the ids are wanted: nothing is counted, nothing else sent."""
    request = body(replace(query, facets=False))
    return request | {"source": False, "track_total_hits": False, "size": min(query.size, request["size"])}


def similar(case: Case, scope: Scope, size: int) -> dict[str, Any]:
    """Return the request for cases that share the words of this one which are rare elsewhere."""
    conditions = [{"terms": {name: values}} for name, values in scope.filters().items()]
    like = {"fields": ["folded"], "like": [case.folded], "min_term_freq": 1, "min_doc_freq": 1, "max_query_terms": 40}
    return {
        "query": {
            "bool": {
                "must": [{"more_like_this": like | {"minimum_should_match": "30%"}}],
                "filter": conditions,
                "must_not": [{"term": {"id": case.pk}}, {"term": {"state": str(CaseState.OUT_OF_SCOPE)}}],
            }
        },
        "size": size,
        "source": False,
    }


def days(query: Query, since: date) -> dict[str, Any]:
    """Return the request that counts a question's cases by day of Asia/Shanghai."""
    request = body(replace(query, after=None, facets=False))
    histogram = {"field": "created_at", "calendar_interval": "day", "time_zone": _ZONE, "format": "yyyy-MM-dd"}
    recent = {"range": {"created_at": {"gte": f"{since}T00:00:00{_ZONE}"}}}
    # Filters of facets stand behind the counting in an ordinary request; here they come before it.
    filters = [request["query"], request["post_filter"], recent]
    return {
        "query": {"bool": {"filter": filters}},
        "aggs": {"days": {"date_histogram": histogram}},
        "size": 0,
    }


def facets(aggregations: Any) -> dict[str, list[tuple[str, int]]]:
    """Return facet → (value, number of cases), most frequent first."""
    return {
        name: sorted(
            ((str(one["key"]), int(one["doc_count"])) for one in aggregations[name]["values"]["buckets"]),
            key=lambda pair: (-pair[1], pair[0]),
        )
        for name in FACETS
    }


def _facet(name: str, conditions: dict[str, dict[str, Any]]) -> dict[str, Any]:
    others = [one for other, one in conditions.items() if other != name]
    return {
        "filter": {"bool": {"filter": others}},
        "aggs": {"values": {"terms": {"field": name, "size": MAX_VALUES}}},
    }


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
