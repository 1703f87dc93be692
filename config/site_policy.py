"""What a policy holds: one per platform class (一类一策), one per site (一站一策)."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, HttpUrl, model_validator

from config.documents import Strict
from config.import_recipe import ImportRecipe
from config.recipe import Recipe
from config.section import DRAWN_FROM_LISTS, PROBABILITY_METHODS, Allocation, Every, Section, Slug
from config.taxonomy import SLUGS
from config.thresholds import S0_CATEGORIES, S0_THRESHOLD, CategorySlug, GeneralPolicy, Override, Thresholds, Zone

POLITE_DELAY_SECONDS = 5.0
"""Least delay without an owner's or an authority's agreement (docs/crawling.md)."""

Hour = Annotated[int, Field(ge=0, le=24)]


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
