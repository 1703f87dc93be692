"""Elasticsearch over TLS, with a certificate of an authority of one's own."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from elasticsearch import Elasticsearch

from casework.search.elasticsearch import ElasticsearchSearch
from casework.search.port import SearchUnavailable
from tests.casework.factories import make_case
from tests.casework.search.conftest import ask, ids, put
from tests.servers.certificates import issued
from tests.servers.tls import terminated

pytestmark = pytest.mark.django_db


@pytest.fixture
def guarded(services: dict[str, str], tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """The address of an Elasticsearch that speaks TLS alone, and the authority of its certificate."""
    parts = urlsplit(services["ELASTICSEARCH_URL"])
    with terminated(int(parts.port or 9200), tmp_path) as (port, authority):
        yield f"https://{parts.username}:{parts.password}@127.0.0.1:{port}", authority


@pytest.fixture
def alias(services: dict[str, str]) -> Iterator[str]:
    """A name for an index of its own."""
    name = f"test-{uuid.uuid4().hex[:12]}"
    yield name
    with Elasticsearch(services["ELASTICSEARCH_URL"]) as client:
        client.indices.delete(index=f"{name}-*", ignore_unavailable=True)


def test_cases_are_written_and_found_over_tls(guarded: tuple[str, Path], alias: str) -> None:
    url, authority = guarded
    search = ElasticsearchSearch(url, alias, authority=authority)
    case = make_case(text="今晚的云很好看")

    put(search, case)

    assert ids(search, ask("云很好看")) == [case.pk]


def test_without_the_authority_the_certificate_is_refused(guarded: tuple[str, Path], alias: str) -> None:
    with pytest.raises(SearchUnavailable, match=r"certificate was refused.*WOODPECKER_ELASTICSEARCH_CA"):
        ElasticsearchSearch(guarded[0], alias).count()


def test_another_authority_is_not_enough(guarded: tuple[str, Path], alias: str, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    search = ElasticsearchSearch(guarded[0], alias, authority=issued(other, "127.0.0.1")[0])
    with pytest.raises(SearchUnavailable, match="certificate was refused"):
        search.count()


def test_the_certificate_has_to_be_for_the_name_that_is_asked(guarded: tuple[str, Path], alias: str) -> None:
    url, authority = guarded
    search = ElasticsearchSearch(url.replace("127.0.0.1", "localhost"), alias, authority=authority)
    with pytest.raises(SearchUnavailable, match="certificate was refused"):
        search.count()
