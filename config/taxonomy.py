"""The fifteen harm categories, read from `taxonomy.yaml`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from config.documents import Strict, read_shipped


class Severity(StrEnum):
    """How grave: S0 life or sexual abuse, at once · S1 serious · S2 ordinary · S3 light."""

    S0 = "S0"
    S1 = "S1"
    S2 = "S2"
    S3 = "S3"


class Grade(StrEnum):
    """违法 · 不良 · 可能影响. The wording everywhere is 疑似: the finding belongs to the authority and the platform."""

    ILLEGAL = "illegal"
    BAD = "bad"
    MAY_AFFECT = "may_affect"


class LawRef(Strict):
    """A law (short name) and an article, e.g. R 22¶2 for 未成年人网络保护条例第22条第2款."""

    law: str
    article: str = Field(pattern=r"^\d{1,3}(¶\d{1,2})?(\([一二三四五六七八九十]{1,3}\))*$")


def _parse_law_ref(value: Any) -> Any:
    if isinstance(value, str) and (match := re.fullmatch(r"([A-Z]{1,2}) (\S+)", value)):
        return {"law": match[1], "article": match[2]}
    return value


LawRefs = tuple[Annotated[LawRef, BeforeValidator(_parse_law_ref)], ...]


class Crosswalk(Strict):
    """The category's names in other schemes (the pairing is ours)."""

    report_12377: str
    dsa_category: str
    dsa_keyword: str
    uk: str


class Category(Strict):
    """One harm category."""

    slug: str = Field(pattern=r"^[a-z][a-z_]+$")
    code: str = Field(pattern=r"^M\d\d$")
    name: str
    name_en: str
    definition: str
    definition_en: str
    grades: tuple[Grade, ...] = Field(min_length=1, description="the first is the usual one")
    severities: tuple[Severity, ...] = Field(min_length=1, description="gravest first")
    basis: LawRefs = Field(min_length=1)
    volunteers: Literal["never", "allowed", "below S1"]
    crosswalk: Crosswalk

    @property
    def never_to_volunteers(self) -> bool:
        """Whether volunteers never see this category, however light."""
        return self.volunteers == "never"

    def volunteers_may_see(self, severity: str) -> bool:
        """Whether a volunteer may be shown a case of this category and severity."""
        return self.volunteers == "allowed" or (self.volunteers == "below S1" and severity > Severity.S1)


class Taxonomy(Strict):
    """All categories in the order of their codes, and the laws they rest on."""

    laws: Mapping[str, str]
    categories: Mapping[str, Category]

    @model_validator(mode="before")
    @classmethod
    def _by_slug(cls, data: Any) -> Any:
        categories = data["categories"]
        if isinstance(categories, list):
            return {**data, "categories": {one["slug"]: one for one in categories}}
        return data

    @model_validator(mode="after")
    def _laws_are_known(self) -> Taxonomy:
        for category in self.categories.values():
            for reference in category.basis:
                if reference.law not in self.laws:
                    raise ValueError(f"{category.slug}: law {reference.law!r} is not one of {', '.join(self.laws)}")
        return self


@lru_cache(maxsize=1)
def load_taxonomy() -> Taxonomy:
    """Return the taxonomy, read once."""
    return Taxonomy.model_validate(read_shipped("taxonomy.yaml"))


SLUGS: tuple[str, ...] = tuple(load_taxonomy().categories)
"""The fifteen slugs, M01 to M15."""
LAWS: Mapping[str, str] = MappingProxyType(dict(load_taxonomy().laws))
"""Short name of each law → its full title."""
