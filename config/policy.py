"""Policies: one per platform class (一类一策), one per site (一站一策); a site inherits from its preset and class."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, HttpUrl, TypeAdapter, ValidationError, model_validator

from config.checking import problems_of
from config.documents import HERE, Strict
from config.layers import Layered, leaves, read_layer
from config.problems import PolicyError, Problem, nearest, one
from config.recipe import Recipe
from config.settings import get_settings
from config.taxonomy import SLUGS

S0_CATEGORIES = ("sexual_exploitation",)
"""Always S0. self_harm is S0 only when imminent, which a rule says, not a score."""
S0_THRESHOLD = 0.15
GENERAL_THRESHOLD = 0.5
POLITE_DELAY_SECONDS = 5.0
"""Least delay without an owner's or an authority's agreement (docs/crawling.md)."""

Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
Share = Annotated[float, Field(gt=0, lt=1)]


def _known_category(value: str) -> str:
    if value not in SLUGS:
        raise ValueError(f"not a category; allowed: {', '.join(SLUGS)}")
    return value


def _parse_every(value: Any) -> Any:
    if isinstance(value, str) and value[:-1].isdigit() and value[-1:] in _UNITS:
        return timedelta(**{_UNITS[value[-1]]: int(value[:-1])})
    if isinstance(value, timedelta):
        return value
    raise ValueError("not a time span; allowed: 30s, 10m, 2h or 1d")


_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
CategorySlug = Annotated[str, AfterValidator(_known_category)]
Every = Annotated[timedelta, BeforeValidator(_parse_every), Field(ge=timedelta(seconds=10))]


class Thresholds(Strict):
    """Score from which an item goes to a human. Nothing is ever exported on a score."""

    general: Share
    kid_zone: Share


class PlatformClass(Strict):
    """One of the eleven kinds of platform."""

    slug: Slug
    title: str
    sample: tuple[str, ...] = Field(description="what of such a platform is sampled")
    emphasised: tuple[CategorySlug, ...] = Field(description="categories to look out for first")
    thresholds: Thresholds
    pages_per_day: int = Field(ge=1)
    delay_seconds: float = Field(ge=0)


class Basis(Strict):
    """The permission under which a site is read. Every site needs one."""

    kind: Literal["robots", "owner", "authority", "import"]
    document: str = Field(min_length=1, max_length=500, description="what was agreed, by whom, when")
    agent: str | None = Field(None, max_length=200, description="the agent name that an owner's robots.txt allows")


class Override(Strict):
    """A threshold of this site that differs from its class's, with the reason."""

    category: CategorySlug
    value: Share
    zone: Literal["general", "kid_zone", "both"] = "both"
    reason: str = Field(min_length=1, max_length=500)


class Section(Strict):
    """A part of a site that is sampled on its own: the stratum."""

    slug: Slug
    title: str = Field(min_length=1, max_length=100)
    start: tuple[str, ...] = Field((), max_length=1000, description="start pages; may be relative to `base_url`")
    range: tuple[int, int] | None = Field(None, description="numbers put in place of {n} in `start`, both included")
    method: Literal["latest", "hot", "random", "search", "feed"] = "latest"
    sample: int | None = Field(None, ge=1, description="random: how many of the range are drawn in one run")
    kid_zone: bool = Field(False, description="专门面向未成年人的产品或专区")
    prominent: bool = Field(False, description="首屏/弹窗/热搜/榜单/推荐")


class Contact(Strict):
    """The platform's liaison and how it wants to receive lists."""

    name: str = Field(max_length=100)
    address: str = Field(max_length=300, description="where a list is sent")
    receipt: str = Field("", max_length=300, description="form of its acknowledgement")


class SitePolicy(Strict):
    """The effective policy of one site."""

    name: Slug
    title: str = Field(min_length=1, max_length=100)
    platform_class: PlatformClass
    basis: Basis
    base_url: HttpUrl | None = Field(None, description="root of the site")
    hosts: tuple[str, ...] = Field((), description="hosts that may be asked beside base_url's, as host or host:port")
    private_hosts_allowed: bool = Field(False, description="whether loopback and private addresses may be asked")
    enabled: bool = Field(True, description="false stops every request of this site")
    schedule: Every | None = Field(None, alias="every", description="time between crawls; none: only by hand")
    pages_per_day: int = Field(ge=1, le=1_000_000)
    delay_seconds: float = Field(ge=0, le=3600)
    thresholds: Thresholds
    overrides: tuple[Override, ...] = ()
    sections: tuple[Section, ...] = Field(min_length=1, max_length=500)
    crawl: Recipe | None = None
    contact: Contact | None = None
    labelling: str = Field("", max_length=300, description="how this platform labels content (显著提示)")
    removed_marker: str = Field("", max_length=200, description="what its page says where something was removed")
    big_for_minors: bool = Field(False, description="未成年人用户数量巨大")
    reviewed_on: date | None = Field(None, description="date of the last review of this policy")

    @model_validator(mode="after")
    def _consistent(self) -> SitePolicy:
        slugs = [section.slug for section in self.sections]
        twice = {slug for slug in slugs if slugs.count(slug) > 1}
        if twice:
            raise ValueError(f"sections: {', '.join(sorted(twice))} stands twice; allowed: each slug once")
        if self.delay_seconds < POLITE_DELAY_SECONDS and self.basis.kind not in {"owner", "authority"}:
            raise ValueError(
                f"delay_seconds: found {self.delay_seconds:g}; allowed: at least {POLITE_DELAY_SECONDS:g} unless "
                "basis.kind is owner or authority"
            )
        if self.crawl is not None and self.base_url is None:
            raise ValueError("base_url: found nothing; allowed: the root of the site, since it is crawled")
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

    def zone_thresholds(self, zone: Literal["general", "kid_zone"]) -> dict[str, float]:
        """Return category → score for the site's sections of one kind."""
        values = dict.fromkeys(SLUGS, float(getattr(self.thresholds, zone)))
        values |= dict.fromkeys(S0_CATEGORIES, S0_THRESHOLD)
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


@dataclass(frozen=True)
class Explained:
    """One effective value and where it comes from."""

    field: str
    value: Any
    file: str
    line: int | None


def general_thresholds() -> dict[str, float]:
    """Return the thresholds that hold where no site is named."""
    return {slug: S0_THRESHOLD if slug in S0_CATEGORIES else GENERAL_THRESHOLD for slug in SLUGS}


def load_class(slug: str) -> PlatformClass:
    """Return one platform class.

    Raises:
        PolicyError: there is none of this name, or its file is wrong.
    """
    path = _find("classes", slug)
    if path is None:
        known = _names("classes")
        raise one("(class)", "class", repr(slug), ", ".join(known), nearest=nearest(slug, known))
    return _load_class(path, path.stat().st_mtime_ns)


def list_classes() -> list[str]:
    """Return the names of the platform classes."""
    return _names("classes")


def list_sites() -> list[str]:
    """Return the names of the configured sites, those of this installation and the shipped ones."""
    return _names("sites")


def load_site(site: str | Path) -> SitePolicy:
    """Return the effective policy of a site, given its name or the path of its file.

    Raises:
        PolicyError: there is no such site, or its files are wrong; says everything that is wrong.
    """
    layered, _ = _layers(site)
    return _validated(layered, str(_site_path(site)))


def explain(site: str | Path) -> list[Explained]:
    """Return every effective value of a site and the file and line that it comes from.

    Raises:
        PolicyError: as `load_site`.
    """
    layered, _ = _layers(site)
    policy = _validated(layered, str(_site_path(site)))
    given = dict(leaves(layered.values))
    rows = [_explained(layered, path, value) for path, value in given.items()]
    tops = {path[0] for path in given}
    for name, info in SitePolicy.model_fields.items():
        if (info.alias or name) not in tops and name not in tops:
            rows.append(Explained(name, getattr(policy, name), "(default)", None))
    return rows


def _explained(layered: Layered, path: tuple[str | int, ...], value: Any) -> Explained:
    origin = layered.origin(path)
    return Explained(".".join(map(str, path)), value, origin.file if origin else "", origin.line if origin else None)


def _layers(site: str | Path) -> tuple[Layered, Path]:
    path = _site_path(site)
    own = read_layer(path)
    own.values.setdefault("name", path.stem)
    merged = Layered()
    class_slug = own.values.pop("class", None)
    origin = own.origin(("class",))
    if not isinstance(class_slug, str):
        raise one(path, "class", repr(class_slug), f"one of {', '.join(list_classes())}", line=origin and origin.line)
    known = list_classes()
    if class_slug not in known:
        line = origin.line if origin else None
        raise one(path, "class", repr(class_slug), ", ".join(known), line=line, nearest=nearest(class_slug, known))
    class_path = _find("classes", class_slug)
    assert class_path is not None
    class_layer = read_layer(class_path)
    for key in ("thresholds", "pages_per_day", "delay_seconds"):
        merged.lay(_only(class_layer, key))
    for preset in _presets(own, path):
        merged.lay(preset)
    merged.lay(own)
    merged.values["platform_class"] = load_class(class_slug)
    return merged, path


def _presets(own: Layered, path: Path) -> Iterator[Layered]:
    """Yield the presets that a site extends, deepest first."""
    chain: list[Layered] = []
    name, where, seen = own.values.pop("extends", None), own.origin(("extends",)), set[str]()
    file = str(path)
    while name is not None:
        known = _names("presets")
        if name not in known or name in seen:
            line = where.line if where else None
            raise one(file, "extends", repr(name), ", ".join(known), line=line, nearest=nearest(str(name), known))
        seen.add(name)
        preset_path = _find("presets", name)
        assert preset_path is not None
        preset = read_layer(preset_path)
        chain.append(preset)
        file, where, name = str(preset_path), preset.origin(("extends",)), preset.values.pop("extends", None)
    yield from reversed(chain)


def _only(layer: Layered, key: str) -> Layered:
    return Layered(
        {key: layer.values[key]} if key in layer.values else {},
        {path: origin for path, origin in layer.origins.items() if path[:1] == (key,)},
    )


def _validated(layered: Layered, file: str) -> SitePolicy:
    try:
        return SitePolicy.model_validate(layered.values)
    except ValidationError as error:
        raise PolicyError(problems_of(error, SitePolicy, layered, file)) from error


@lru_cache(maxsize=64)
def _load_class(path: Path, _changed: int) -> PlatformClass:
    layer = read_layer(path)
    try:
        return PlatformClass.model_validate(layer.values)
    except ValidationError as error:
        raise PolicyError(problems_of(error, PlatformClass, layer, str(path))) from error


def _site_path(site: str | Path) -> Path:
    if isinstance(site, Path) or site.endswith((".yaml", ".yml")) or "/" in site:
        return Path(site)
    found = _find("sites", site)
    if found is None:
        known = list_sites()
        raise one("(site)", "site", repr(site), ", ".join(known) or "none yet", nearest=nearest(site, known))
    return found


def _folders(kind: str) -> Iterator[Path]:
    own = get_settings().policy_dir
    if own is not None:
        yield own / kind
    yield HERE / kind


def _find(kind: str, name: str) -> Path | None:
    return next((path for folder in _folders(kind) if (path := folder / f"{name}.yaml").is_file()), None)


def _names(kind: str) -> list[str]:
    return sorted({path.stem for folder in _folders(kind) if folder.is_dir() for path in folder.glob("*.yaml")})


def json_schema() -> Mapping[str, Any]:
    """Return the JSON Schema of a site's effective policy."""
    return TypeAdapter(SitePolicy).json_schema()


__all__ = [
    "Basis", "Explained", "PlatformClass", "PolicyError", "Problem", "Section", "SitePolicy", "explain",
    "general_thresholds", "json_schema", "list_classes", "list_sites", "load_class", "load_site",
]  # fmt: skip
