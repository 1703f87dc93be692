"""What a policy holds: one per platform class (一类一策), one per site (一站一策)."""

from __future__ import annotations

import hashlib
import json
from datetime import date, timedelta
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, HttpUrl, WithJsonSchema, model_validator

from config.documents import Strict
from config.import_recipe import ImportRecipe
from config.recipe import Recipe, UnitKind
from config.taxonomy import SLUGS

S0_CATEGORIES = ("sexual_exploitation",)
"""Always S0. self_harm is S0 only when imminent, which a rule says, not a score."""
S0_THRESHOLD = 0.15
MAX_RANGE = 100_000
DRAWN_FROM_LISTS = ("stratified", "reservoir", "adaptive")
"""Methods that draw among the threads that the lists name."""
PROBABILITY_METHODS = ("random", *DRAWN_FROM_LISTS)
"""Methods by which each page's probability of being drawn is known; only they allow an estimate of what is common."""
LEAST_UNIFORM = 0.2
"""Least share of an adaptive draw that is uniform, so that what nobody suspects is looked at too."""
POLITE_DELAY_SECONDS = 5.0
"""Least delay without an owner's or an authority's agreement (docs/crawling.md)."""

Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
Hour = Annotated[int, Field(ge=0, le=24)]
Share = Annotated[float, Field(gt=0, lt=1)]
Zone = Literal["general", "kid_zone"]


def _known_category(value: str) -> str:
    if value not in SLUGS:
        raise ValueError(f"not a category; allowed: {', '.join(SLUGS)}")
    return value


def _parse_every(value: Any) -> Any:
    if isinstance(value, str) and value[:-1].isdigit() and value[-1:] in _UNITS:
        return timedelta(**{_UNITS[value[-1]]: int(value[:-1])})
    if isinstance(value, timedelta) or (isinstance(value, str) and value.startswith("P")):  # as JSON writes it
        return value
    raise ValueError("not a time span; allowed: 30s, 10m, 2h or 1d")


_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
CategorySlug = Annotated[str, AfterValidator(_known_category)]
Every = Annotated[
    timedelta,
    BeforeValidator(_parse_every),
    Field(ge=timedelta(seconds=10)),
    WithJsonSchema({"type": "string", "pattern": "^[0-9]+[smhd]$"}),
]


_AGES = (timedelta(days=1), timedelta(days=7), timedelta(days=30))
_SIZES = (20, 200)


class Thresholds(Strict):
    """Score from which an item goes to a human. Nothing is ever exported on a score."""

    general: Share = Field(description="everywhere but in kid zones, for categories that were not measured")
    kid_zone: Share = Field(description="in sections for minors, likewise")
    reason: str = Field("", max_length=500, description="required where a site's values differ from its class's")


class Aim(Strict):
    """How much ordinary talk may be flagged for anything: thresholds are set so that this holds."""

    ordinary: tuple[str, ...] = Field(min_length=1, description="sets of ordinary talk that read like this platform")
    general: Share = Field(description="share of ordinary texts, everywhere but in kid zones")
    kid_zone: Share = Field(description="share of ordinary texts in sections for minors, where more must be found")


Figure = Annotated[float, Field(ge=0, le=1)]


class AtThreshold(Strict):
    """A threshold and what was measured at it, on texts never trained on."""

    threshold: Share
    recall: Figure = Field(description="share of the harmful texts that is flagged")
    precision: Figure = Field(description="share of the flagged texts that is harmful")


class ByZone(Strict):
    """One category's thresholds."""

    general: AtThreshold
    kid_zone: AtThreshold


class OrdinaryShare(Strict):
    """Share of ordinary talk that was flagged for anything."""

    general: Figure
    kid_zone: Figure


class Measured(Strict):
    """Thresholds by category as `woodpecker thresholds` set them, with their figures."""

    model: str = Field(min_length=1, max_length=200, description="what gave the scores; another model needs new ones")
    date: date
    ordinary: OrdinaryShare
    categories: dict[CategorySlug, ByZone]

    @model_validator(mode="after")
    def _gravest_are_fixed(self) -> Measured:
        if fixed := sorted(self.categories.keys() & set(S0_CATEGORIES)):
            raise ValueError(f"categories: found {', '.join(fixed)}; allowed: none whose threshold is fixed")
        return self

    def thresholds(self, zone: Zone) -> dict[str, float]:
        """Return category → threshold in sections of one kind."""
        return {slug: getattr(by_zone, zone).threshold for slug, by_zone in self.categories.items()}


class GeneralPolicy(Strict):
    """Where thresholds come from: what holds where no site is named, and the start of each class."""

    thresholds: Thresholds
    aim: Aim | None = Field(None, description="how much ordinary talk may be flagged; thresholds are set by it")
    measured: Measured | None = Field(None, description="thresholds by category, set from measurements")

    def zone_thresholds(self, zone: Zone) -> dict[str, float]:
        """Return category → score from which an item goes to a human."""
        values = dict.fromkeys(SLUGS, float(getattr(self.thresholds, zone)))
        values |= self.measured.thresholds(zone) if self.measured else {}
        return values | dict.fromkeys(S0_CATEGORIES, S0_THRESHOLD)


class PlatformClass(GeneralPolicy):
    """One of the eleven kinds of platform."""

    slug: Slug
    title: str
    sample: tuple[str, ...] = Field(description="what of such a platform is sampled")
    emphasised: tuple[CategorySlug, ...] = Field(description="categories to look out for first")
    pages_per_day: int = Field(ge=1)
    delay_seconds: float = Field(ge=0)


class Basis(Strict):
    """The permission under which a site is read. Every site needs one."""

    kind: Literal["robots", "owner", "authority", "import"]
    document: str = Field(min_length=1, max_length=500, description="what was agreed, by whom, when")
    agent: str | None = Field(None, max_length=200, description="the agent name that an owner's robots.txt allows")


class Override(Strict):
    """A threshold of this site that differs from its class's, with the reason."""

    category: CategorySlug = Field(description="slug of the category")
    value: Share = Field(description="score from which an item goes to a human")
    zone: Literal["general", "kid_zone", "both"] = Field("both", description="sections for which it holds")
    reason: str = Field(min_length=1, max_length=500, description="why, for whoever reviews the policy")

    @model_validator(mode="after")
    def _gravest_stay_low(self) -> Override:
        if self.category in S0_CATEGORIES and self.value > S0_THRESHOLD:
            raise ValueError(f"value: found {self.value:g}; allowed: at most {S0_THRESHOLD} for {self.category}")
        return self


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

    @property
    def drawing(self) -> tuple[str, str]:
        """What one run reads of the section, and with what probability, in words."""
        return _drawing(self)

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


class Contact(Strict):
    """The platform's liaison and how it wants to receive lists."""

    name: str = Field(max_length=100, description="who is written to")
    address: str = Field(max_length=300, description="where a list is sent")
    receipt: str = Field("", max_length=300, description="form of its acknowledgement")


class SitePolicy(Strict):
    """The effective policy of one site."""

    name: Slug = Field(description="short name in captures, lists and commands; default: the file's name")
    title: str = Field(min_length=1, max_length=100, description="name that people see")
    platform_class: PlatformClass
    basis: Basis = Field(description="the permission under which the site is read")
    base_url: HttpUrl | None = Field(None, description="root of the site")
    hosts: tuple[str, ...] = Field((), description="hosts that may be asked beside base_url's, as host or host:port")
    private_hosts_allowed: bool = Field(False, description="whether loopback and private addresses may be asked")
    enabled: bool = Field(True, description="false stops every request of this site")
    schedule: Every | None = Field(None, alias="every", description="time between crawls; none: only by hand")
    hours: tuple[Hour, Hour] | None = Field(
        None, description="hours in Shanghai from and to which scheduled crawls begin, e.g. [1, 6]; none: at any time"
    )
    pages_per_day: int = Field(ge=1, le=1_000_000, description="most requests in a day; inherited from the class")
    delay_seconds: float = Field(ge=0, le=3600, description="least pause between two requests; inherited likewise")
    thresholds: Thresholds = Field(description="scores from which items go to a human; inherited likewise")
    overrides: tuple[Override, ...] = Field((), description="thresholds of single categories, each with its reason")
    sections: tuple[Section, ...] = Field(min_length=1, max_length=500, description="what is sampled, each on its own")
    allocation: Allocation | None = Field(
        None, description="shares one number of threads among the sections by what the past tells; none: `sample`"
    )
    crawl: Recipe | None = Field(None, description="how its pages are read; usually inherited from a preset")
    imports: ImportRecipe | None = Field(
        None, alias="import", description="how supplied tables are read, where their headings say too little"
    )
    contact: Contact | None = Field(None, description="the platform's liaison")
    labelling: str = Field("", max_length=300, description="how this platform labels content (显著提示)")
    removed_marker: str = Field("", max_length=200, description="what its page says where something was removed")
    big_for_minors: bool = Field(False, description="未成年人用户数量巨大")
    reviewed_on: date | None = Field(None, description="date of the last review of this policy")

    @model_validator(mode="after")
    def _consistent(self) -> SitePolicy:
        slugs = [section.slug for section in self.sections]
        twice = {slug for slug in slugs if slugs.count(slug) > 1}
        if twice:
            raise ValueError(f"sections: found {', '.join(sorted(twice))} twice; allowed: each slug once")
        if self.delay_seconds < POLITE_DELAY_SECONDS and self.basis.kind not in {"owner", "authority"}:
            raise ValueError(
                f"delay_seconds: found {self.delay_seconds:g}; allowed: at least {POLITE_DELAY_SECONDS:g} unless "
                "basis.kind is owner or authority"
            )
        own, usual = self.thresholds, self.platform_class.thresholds
        if (own.general, own.kid_zone) != (usual.general, usual.kid_zone) and not own.reason:
            raise ValueError(
                f"thresholds: found {own.general:g} / {own.kid_zone:g} without a reason; allowed: the class's "
                f"{usual.general:g} / {usual.kid_zone:g}, or others with a `reason`"
            )
        if self.crawl is not None and self.base_url is None:
            raise ValueError("base_url: found nothing; allowed: the root of the site, since it is crawled")
        return self

    @model_validator(mode="after")
    def _can_be_drawn(self) -> SitePolicy:
        drawn = [section for section in self.sections if section.method in PROBABILITY_METHODS]
        if self.allocation and self.allocation.threads < self.allocation.floor * len(drawn):
            raise ValueError(
                f"allocation.threads: found {self.allocation.threads}; allowed: at least floor × sections drawn at "
                f"random, {self.allocation.floor * len(drawn)}"
            )
        if self.allocation and not drawn:
            raise ValueError(
                f"allocation: found it without a section to share in it; allowed: with method "
                f"{', '.join(PROBABILITY_METHODS)}"
            )
        if self.crawl is None:
            return self
        for number, section in enumerate(self.sections):
            if section.method in DRAWN_FROM_LISTS and self.crawl.list is None:
                raise ValueError(
                    f"sections.{number}.method: found {section.method} on a site without lists; allowed: a method "
                    "that needs no `crawl.list`, e.g. random with a range"
                )
            if section.pages is not None and not self.crawl.thread.pages_are_counted:
                raise ValueError(
                    f"sections.{number}.pages: found {section.pages} where nothing says how many pages a thread has; "
                    "allowed: with `crawl.thread.paging` by page_number or offset, with `total` or `count`"
                )
        return self

    def section(self, slug: str) -> Section:
        """Return one section.

        Raises:
            KeyError: this site has no such section.
        """
        for section in self.sections:
            if section.slug == slug:
                return section
        raise KeyError(slug)

    def thresholds_for(self, section_slug: str) -> dict[str, float]:
        """Return category → score from which an item of this section goes to a human.

        Raises:
            KeyError: this site has no such section.
        """
        return self.zone_thresholds("kid_zone" if self.section(section_slug).kid_zone else "general")

    def zone_thresholds(self, zone: Zone) -> dict[str, float]:
        """Return category → score for the site's sections of one kind.

        A value of the site's own holds for every category; otherwise what was measured for its class does.
        """
        own = float(getattr(self.thresholds, zone))
        values = self.platform_class.zone_thresholds(zone)
        if own != getattr(self.platform_class.thresholds, zone):
            values = dict.fromkeys(SLUGS, own) | dict.fromkeys(S0_CATEGORIES, S0_THRESHOLD)
        values |= {one.category: one.value for one in self.overrides if one.zone in {zone, "both"}}
        return values

    def allowed_hosts(self) -> frozenset[str]:
        """Return every host (with its port where one is named) that may be asked."""
        own = {urlsplit(str(self.base_url)).netloc} if self.base_url else set()
        return frozenset(own | set(self.hosts))

    @property
    def digest(self) -> str:
        """SHA-256 of the effective policy."""
        content = json.dumps(self.model_dump(mode="json"), sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(content.encode()).hexdigest()
