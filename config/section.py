"""What of a site is sampled, and how: its sections, each a stratum of its own."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from config.documents import Strict
from config.recipe import UnitKind

MAX_RANGE = 100_000
DRAWN_FROM_LISTS = ("stratified", "reservoir", "adaptive")
"""Methods that draw among the threads that the lists name."""
PROBABILITY_METHODS = ("random", *DRAWN_FROM_LISTS)
"""Methods by which each page's probability of being drawn is known; only they allow an estimate of what is common."""
LEAST_UNIFORM = 0.2
"""Least share of an adaptive draw that is uniform, so that what nobody suspects is looked at too."""

Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]


def _parse_every(value: Any) -> Any:
    if isinstance(value, str) and value[:-1].isdigit() and value[-1:] in _UNITS:
        return timedelta(**{_UNITS[value[-1]]: int(value[:-1])})
    if isinstance(value, timedelta) or (isinstance(value, str) and value.startswith("P")):  # as JSON writes it
        return value
    raise ValueError("not a time span; allowed: 30s, 10m, 2h or 1d")


_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
Every = Annotated[
    timedelta,
    BeforeValidator(_parse_every),
    Field(ge=timedelta(seconds=10)),
    WithJsonSchema({"type": "string", "pattern": "^[0-9]+[smhd]$"}),
]
_AGES = (timedelta(days=1), timedelta(days=7), timedelta(days=30))
_SIZES = (20, 200)


class Section(Strict):
    """A part of a site that is sampled on its own: the stratum."""

    slug: Slug = Field(description="short name in captures and lists")
    title: str = Field(min_length=1, max_length=100, description="name that people see")
    start: tuple[str, ...] = Field((), max_length=1000, description="start pages; may be relative to `base_url`")
    range: tuple[int, int] | None = Field(None, description="numbers put in place of {n} in `start`, both included")
    method: Literal["latest", "hot", "random", "search", "feed", "stratified", "reservoir", "adaptive"] = Field(
        "latest", description="how the section is sampled"
    )
    every: Every | None = Field(None, description="time between looks in scheduled crawls; none: each crawl")
    sample: int | None = Field(
        None, ge=1, le=MAX_RANGE, description="how many pages of the range, or threads of the lists, one run draws"
    )
    ages: tuple[Every, ...] = Field(
        _AGES, max_length=10, description="stratified: bounds between the strata of age, from the last activity"
    )
    sizes: tuple[Annotated[int, Field(ge=1)], ...] = Field(
        _SIZES, max_length=10, description="stratified: bounds between the strata of size, in replies"
    )
    uniform: float = Field(
        LEAST_UNIFORM, ge=LEAST_UNIFORM, le=1, description="adaptive: share of the draw that goes to all alike"
    )
    pages: int | None = Field(
        None, ge=2, le=1000, description="most pages of a long thread that are read: its first, and others at random"
    )
    kind: UnitKind | None = Field(None, description="what its units are, where the recipe's `kind` does not fit")
    kid_zone: bool = Field(False, description="专门面向未成年人的产品或专区")
    prominent: bool = Field(False, description="首屏/弹窗/热搜/榜单/推荐")

    @model_validator(mode="after")
    def _range_makes_sense(self) -> Section:
        numbered = [template for template in self.start if "{n}" in template]
        if self.range is None and numbered:
            raise ValueError(f"start: found {numbered[0]!r} without a range; allowed: a `range: [first, last]`")
        if self.range is not None and len(numbered) != max(len(self.start), 1):
            raise ValueError("start: found a page without {n} beside a range; allowed: {n} in each start page")
        if self.range is not None and not 0 <= self.range[1] - self.range[0] < MAX_RANGE:
            found = f"{self.range[0]} to {self.range[1]}"
            raise ValueError(f"range: found {found}; allowed: first to last, at most {MAX_RANGE} numbers")
        if self.method == "random" and self.range is None:
            raise ValueError("method: found random without a range; allowed: random with a `range: [first, last]`")
        return self

    @model_validator(mode="after")
    def _drawing_makes_sense(self) -> Section:
        drawn = ", ".join(PROBABILITY_METHODS)
        if self.sample is not None and self.method not in PROBABILITY_METHODS:
            raise ValueError(f"sample: found {self.sample} with method {self.method}; allowed: method {drawn}")
        if self.sample is None and self.method in DRAWN_FROM_LISTS:
            raise ValueError(
                f"sample: found nothing with method {self.method}; allowed: how many threads one run draws"
            )
        for name, owner, usual in (
            ("ages", "stratified", _AGES),
            ("sizes", "stratified", _SIZES),
            ("uniform", "adaptive", LEAST_UNIFORM),
        ):
            if getattr(self, name) != usual and self.method != owner:
                raise ValueError(f"{name}: found a value with method {self.method}; allowed: method {owner}")
        for name in ("ages", "sizes"):
            bounds = getattr(self, name)
            if list(bounds) != sorted(set(bounds)):
                raise ValueError(f"{name}: found bounds that do not grow; allowed: each greater than the one before")
        return self

    @property
    def drawing(self) -> tuple[str, str]:
        """What one run reads of the section, and with what probability, in words."""
        return _drawing(self)


def _drawing(section: Section) -> tuple[str, str]:
    size = section.range[1] - section.range[0] + 1 if section.range else None
    inner = f", at most {section.pages} pages of each" if section.pages else ""
    match section.method:
        case "random":
            drawn = min(section.sample or size or 1, size or 1)
            return f"{drawn} of {size} pages, at random{inner}", f"{drawn / (size or 1):.4g}"
        case "reservoir":
            return f"{section.sample} of the listed threads, at random{inner}", f"{section.sample} / threads listed"
        case "stratified":
            strata = (len(section.ages) + 1) * (len(section.sizes) + 1)
            what = f"{section.sample} of the listed threads, from {strata} strata of age × size{inner}"
            return what, "drawn / listed, in each stratum"
        case "adaptive":
            what = f"{section.sample} of the threads with something unread, {section.uniform:.0%} of them alike{inner}"
            return what, f"each thread its own, at least {section.uniform * (section.sample or 1):g} / threads unread"
    return f"{'every page of the range' if size else 'what is new on the lists'}{inner}", "cannot be known"


class Allocation(Strict):
    """How many threads the sections that are drawn at random share, spent where they tell most."""

    threads: int = Field(ge=1, le=MAX_RANGE, description="threads or pages that one run draws in all its sections")
    floor: int = Field(5, ge=1, le=10_000, description="least of each section")
