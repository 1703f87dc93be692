"""The index: its fields, how Chinese is cut, and the document of a case."""

from __future__ import annotations

from typing import Any

from casework.models import Case

VERSION = 1
"""Grows with the mapping; part of every index's name."""
MARK = "woodpecker-cases"
"""Stands in the mapping's _meta, so that a foreign index is not taken for ours."""
_KEYWORDS = ("state", "site", "platform_class", "section", "category", "severity", "model_version")


def settings(analyzer: str) -> dict[str, Any]:
    """Return the index settings: bigrams by a shingle of single characters, without any plugin."""
    return {
        "number_of_shards": 1,
        "number_of_replicas": 0,
        "refresh_interval": "1s",
        "analysis": {
            "filter": {
                "bi_index": _shingle(output_unigrams=True),
                "bi_query": _shingle(output_unigrams=False, output_unigrams_if_no_shingles=True),
            },
            "analyzer": {
                "zh_index": {"type": "custom", "tokenizer": "standard", "filter": ["lowercase", "bi_index"]},
                "zh_query": {"type": "custom", "tokenizer": "standard", "filter": ["lowercase", "bi_query"]},
                "zh_single": {"type": "custom", "tokenizer": "standard", "filter": ["lowercase"]},
            },
        },
    }


def mappings(analyzer: str) -> dict[str, Any]:
    """Return the mapping. `analyzer` names one of an installed plugin (ik_max_word, smartcn); empty: bigrams."""
    text: dict[str, Any] = {"type": "text", "index_options": "offsets"}
    text |= {"analyzer": analyzer} if analyzer else {"analyzer": "zh_index", "search_analyzer": "zh_query"}
    return {
        "dynamic": "strict",
        "_meta": {"mark": MARK, "version": VERSION, "analyzer": analyzer},
        "properties": {
            "id": {"type": "long"},
            "folded": {**text, "fields": {"single": {"type": "text", "analyzer": "zh_single"}}},
            **{name: {"type": "keyword"} for name in _KEYWORDS},
            "kid_zone": {"type": "boolean"},
            "restricted": {"type": "boolean"},
            "score": {"type": "double"},
            "created_at": {"type": "date"},
        },
    }


def document(case: Case) -> dict[str, Any]:
    """Return what the index holds of a case; of a restricted or purged one no text."""
    return {
        "id": case.pk,
        "folded": "" if case.restricted else case.folded,
        "state": case.state,
        "site": case.site,
        "platform_class": case.platform_class,
        "section": case.section,
        "category": list(case.categories),
        "severity": case.severity,
        "model_version": case.model_version,
        "kid_zone": case.kid_zone,
        "restricted": case.restricted,
        "score": case.score,
        "created_at": case.created_at.isoformat(),
    }


def _shingle(**options: Any) -> dict[str, Any]:
    return {"type": "shingle", "min_shingle_size": 2, "max_shingle_size": 2, "token_separator": "", **options}
