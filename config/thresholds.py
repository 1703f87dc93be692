"""From which score on an item goes to a human: as a policy sets it, or as it was measured."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from config.documents import Strict
from config.taxonomy import SLUGS

S0_CATEGORIES = ("sexual_exploitation",)
"""Always S0. self_harm is S0 only when imminent, which a rule says, not a score."""
S0_THRESHOLD = 0.15

Share = Annotated[float, Field(gt=0, lt=1)]
Zone = Literal["general", "kid_zone"]
Figure = Annotated[float, Field(ge=0, le=1)]


def _known_category(value: str) -> str:
    if value not in SLUGS:
        raise ValueError(f"not a category; allowed: {', '.join(SLUGS)}")
    return value


CategorySlug = Annotated[str, AfterValidator(_known_category)]


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
