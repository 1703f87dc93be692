"""Both searches, behind one fixture."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from elasticsearch import Elasticsearch

from casework.exposure import Scope
from casework.models import Case, CaseState
from casework.search.database import DatabaseSearch
from casework.search.elasticsearch import ElasticsearchSearch
from casework.search.port import Query, SearchPort

EVERYTHING = Scope(
    restricted=(False, True),
    severities=("S0", "S1", "S2", "S3"),
    states=("open", "escalated", "confirmed", "dismissed"),
)


@pytest.fixture
def index(services: dict[str, str]) -> Iterator[ElasticsearchSearch]:
    """A search over an index of its own."""
    alias = f"test-{uuid.uuid4().hex[:12]}"
    search = ElasticsearchSearch(services["ELASTICSEARCH_URL"], alias)
    search.count()  # makes the index
    yield search
    with Elasticsearch(services["ELASTICSEARCH_URL"]) as client:
        client.indices.delete(index=f"{alias}-*", ignore_unavailable=True)


@pytest.fixture(params=["database", "elasticsearch"])
def search(request: pytest.FixtureRequest) -> SearchPort:
    """Each of the two adapters in turn."""
    if request.param == "database":
        return DatabaseSearch()
    found: ElasticsearchSearch = request.getfixturevalue("index")
    return found


def ask(text: str = "", **values: object) -> Query:
    """A query of somebody who may see everything; open cases unless states are given."""
    filters = {"state": [CaseState.OPEN.value], **dict(values.pop("filters", {}))}  # type: ignore[call-overload]
    return Query(**{"scope": EVERYTHING, "text": text, "filters": filters, **values})  # type: ignore[arg-type]


def put(search: SearchPort, *cases: Case) -> list[int]:
    """Bring cases into the search and let them be found."""
    ids = [case.pk for case in cases]
    search.sync(ids)
    search.count()  # refreshes an index
    return ids


def ids(search: SearchPort, query: Query) -> list[int]:
    """The cases of a page, in order."""
    return [hit.case_id for hit in search.search(query).hits]
