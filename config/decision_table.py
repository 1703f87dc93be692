"""What may be asked of a platform for one item: a table, read from `decision_table.yaml`, tried from the top."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from pydantic import Field, model_validator

from config.documents import Strict, read_shipped
from config.taxonomy import SLUGS, Grade, LawRef, LawRefs


class Disposition(Strict):
    """A remedy that may be asked for here, with its legal basis."""

    slug: str
    name: str
    listed: bool = Field(description="whether it may stand on an ordinary list")
    basis: tuple[LawRef, ...]


class _Remedy(Strict):
    name: str
    listed: bool


class Condition(Strict):
    """When a row fits: each thing that is named must hold."""

    category: tuple[str, ...] | None = None
    grade: tuple[Grade, ...] | None = None
    kid_zone: bool | None = None
    prominent: bool | None = None
    unlabelled: bool | None = None
    minor_author: bool | None = None
    imminent: bool | None = None

    def fits(self, item: Mapping[str, Any]) -> bool:
        """Say whether every thing that is named holds for the item."""
        return all(_holds(allowed, item[name]) for name, allowed in self if allowed is not None)


class Row(Strict):
    """A condition and what may be asked for when it fits; `and_also` names a remedy whose own row may fit too."""

    when: Condition
    ask: tuple[str, ...]
    basis: LawRefs
    and_also: str | None = None


class DecisionTable(Strict):
    """The remedies and the rows."""

    dispositions: Mapping[str, _Remedy]
    rows: tuple[Row, ...]

    @model_validator(mode="after")
    def _names_are_known(self) -> DecisionTable:
        for row in self.rows:
            unknown = set(row.ask) - set(self.dispositions) | set(row.when.category or ()) - set(SLUGS)
            if unknown:
                raise ValueError(f"unknown name {', '.join(sorted(unknown))}")
        return self


@lru_cache(maxsize=1)
def load_decision_table() -> DecisionTable:
    """Return the table, read once."""
    return DecisionTable.model_validate(read_shipped("decision_table.yaml"))


def dispositions(
    *,
    category: str,
    grade: str,
    kid_zone: bool,
    prominent: bool,
    unlabelled: bool,
    minor_author: bool,
    imminent: bool,
) -> tuple[Disposition, ...]:
    """Return the remedies that an ordinary list may ask for; none means that the item must not be listed.

    Source: 未成年人网络保护条例 Arts 23, 24, 29; 未成年人保护法 Arts 73, 80.

    Raises:
        KeyError: no such category.
        ValueError: no such grade.
    """
    if category not in SLUGS:
        raise KeyError(category)
    item = {
        "category": category,
        "grade": Grade(grade),
        "kid_zone": kid_zone,
        "prominent": prominent,
        "unlabelled": unlabelled,
        "minor_author": minor_author,
        "imminent": imminent,
    }
    return tuple(one for one in _asked(item) if one.listed)


def _asked(item: Mapping[str, Any]) -> list[Disposition]:
    table = load_decision_table()
    asked: list[Disposition] = []
    also: str | None = None
    for row in table.rows:
        if not row.when.fits(item):
            continue
        if not asked or also in row.ask:
            asked += [Disposition(slug=slug, basis=row.basis, **dict(table.dispositions[slug])) for slug in row.ask]
            also = row.and_also
            if also is None:
                break
    return asked


def _holds(allowed: Any, found: Any) -> bool:
    return found in allowed if isinstance(allowed, tuple) else found is allowed
