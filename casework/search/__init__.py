"""Finding cases: one port, two adapters. The database is the truth; Elasticsearch is where hits are found."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from casework.search.port import SearchPort
from config.settings import get_settings


def get_search() -> SearchPort:
    """Return the search of this installation: Elasticsearch where one is named, else the database itself."""
    settings = get_settings()
    url = settings.elasticsearch_url.get_secret_value()
    return _search(url, settings.search_index, settings.search_analyzer, settings.elasticsearch_ca)


@lru_cache(maxsize=4)
def _search(url: str, index: str, analyzer: str, authority: Path | None) -> SearchPort:
    from casework.search.database import DatabaseSearch

    if not url:
        return DatabaseSearch()
    from casework.search.elasticsearch import ElasticsearchSearch
    from casework.search.fallback import WithFallback

    return WithFallback(ElasticsearchSearch(url, index, analyzer, authority), DatabaseSearch())
