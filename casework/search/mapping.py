"""The index: its fields, how Chinese is cut, and the document of a case."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import QuerySet

from casework.models import Case

VERSION = 4
"""Grows with the mapping; part of every index's name, so that an older index is recognised and rebuilt."""
MARK = "woodpecker-cases"
"""Stands in the mapping's _meta, so that a foreign index is not taken for ours."""
_KEYWORDS = ("state", "site", "platform_class", "section", "category", "severity", "model_version")


def settings(analyzer: str) -> dict[str, Any]:
    """Return the index settings: bigrams by a shingle of single characters, without any plugin."""
    return {
        "number_of_shards": 1,
        "auto_expand_replicas": "0-1",  # where there is a second node, it holds all of it too
        "refresh_interval": "1s",
        "analysis": {
            "filter": {
                "bi_index": _shingle(output_unigrams=True),
                "bi_query": _shingle(output_unigrams=False, output_unigrams_if_no_shingles=True),
            },
            "analyzer": {
                "zh_index": {"type": "custom", "tokenizer": "standard", "filter": ["lowercase", "bi_index"]},
                "zh_query": {"type": "custom", "tokenizer": "standard", "filter": ["lowercase", "bi_query"]},
            },
        },
    }


def mappings(analyzer: str) -> dict[str, Any]:
    """Return the mapping. `analyzer` names one of an installed plugin (ik_max_word, smartcn); empty: bigrams."""
    # Asked for words and likeness only, never for phrases (`letters` is), and highlighted here: frequencies suffice.
    # Positions and offsets of every bigram would be a third of the index.
    text: dict[str, Any] = {"type": "text", "index_options": "freqs"}
    text |= {"analyzer": analyzer} if analyzer else {"analyzer": "zh_index", "search_analyzer": "zh_query"}
    return {
        "dynamic": "strict",
        "_meta": {"mark": MARK, "version": VERSION, "analyzer": analyzer},
        "_source": {"excludes": ["letters"]},
        "properties": {
            "id": {"type": "long"},
            "folded": text,
            "letters": {"type": "text", "analyzer": "standard"},
            **{name: {"type": "keyword"} for name in _KEYWORDS},
            "kid_zone": {"type": "boolean"},
            "restricted": {"type": "boolean"},
            "score": {"type": "double"},
            "urgency": {"type": "double"},
            "created_at": {"type": "date"},
        },
    }


class Stored(NamedTuple):
    """What of a case is read from the database to write its document; spans and scores are the larger part of a row."""

    pk: int
    version: int
    copy_of_id: int | None
    folded: str
    restricted: bool
    state: str
    site: str
    platform_class: str
    section: str
    categories: list[str]
    severity: str
    model_version: str
    kid_zone: bool
    score: float
    created_at: datetime
    mark: int | None
    """Of its row in the outbox (`casework.search.outbox`), as of the same instant; None where it has none."""


_READ = (*Stored._fields[:-1], "outbox__mark")


def stored(cases: QuerySet[Case]) -> list[Stored]:
    """Read cases as the index is told of them; rows cost half of what whole objects do."""
    return [Stored._make(row) for row in cases.values_list(*_READ)]


def document(case: Stored) -> dict[str, Any]:
    """Return what the index holds of a case; of a restricted or purged one no text."""
    folded = "" if case.restricted else case.folded
    return {
        "id": case.pk,
        "folded": folded,
        "letters": letters(folded),
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
        "urgency": urgency(case.severity, case.score),
        "created_at": case.created_at.isoformat(),
    }


def urgency(severity: str, score: float) -> float:
    """Return the place in the order of urgency as one number, the least first: by severity, then the highest score."""
    return 2 * int(severity[1:]) + 1 - score


def letters(folded: str) -> str:
    """Return a text in which every character is a token of the standard tokenizer, so that a phrase is a substring.

    The tokenizer drops spaces, signs and emoji and glues letters and figures together; Chinese characters it
    takes one by one.
    """
    return folded.translate(_LETTERS)


class _Letters(dict[int, str]):
    """Code point → itself where it is a Chinese character, else its number as a word."""

    def __missing__(self, code_point: int) -> str:
        self[code_point] = chr(code_point) if 0x4E00 <= code_point <= 0x9FFF else f" x{code_point:x} "
        return self[code_point]


_LETTERS = _Letters()


def _shingle(**options: Any) -> dict[str, Any]:
    return {"type": "shingle", "min_shingle_size": 2, "max_shingle_size": 2, "token_separator": "", **options}
