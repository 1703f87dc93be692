"""How work is divided: queues, and which confirmations need a second person; read from `work.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, field_validator, model_validator

from config.checking import problems_of
from config.documents import HERE, Strict
from config.layers import read_layer
from config.problems import PolicyError
from config.settings import get_settings
from config.taxonomy import SLUGS, Severity

FILE = "work.yaml"
State = Literal["open", "second", "escalated", "confirmed", "dismissed", "police"]
UNDECIDED: tuple[State, ...] = ("open", "second", "escalated")


class Score(Strict):
    """A band of scores."""

    least: float = Field(0.0, ge=0, le=1, description="from this score on")
    below: float = Field(1.01, gt=0, le=1.01, description="up to, but not, this score")

    @model_validator(mode="after")
    def _is_a_band(self) -> Score:
        if self.least >= self.below:
            raise ValueError(f"found {self.least:g} to {self.below:g}; allowed: least is less than below")
        return self


class Condition(Strict):
    """Which cases are meant: each thing that is named must hold; of several values one."""

    category: tuple[str, ...] = Field((), description="categories of the taxonomy; one of a case's is enough")
    severity: tuple[Severity, ...] = Field((), description="S0 to S3")
    platform_class: tuple[str, ...] = Field((), description="slugs of platform classes")
    site: tuple[str, ...] = Field((), description="names of sites")
    kid_zone: bool | None = Field(None, description="only in, or only outside, children's sections")
    score: Score | None = Field(None, description="a band of scores")

    @field_validator("category")
    @classmethod
    def _known(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for slug in value:
            if slug not in SLUGS:
                raise ValueError(f"found {slug!r}; allowed: {', '.join(SLUGS)}")
        return value

    def fits(self, item: Mapping[str, Any]) -> bool:
        """Say whether a case fits, given the values of its fields (`categories` for `category`)."""
        return all(
            (
                not self.category or bool(set(self.category) & set(item["categories"])),
                not self.severity or item["severity"] in self.severity,
                not self.platform_class or item["platform_class"] in self.platform_class,
                not self.site or item["site"] in self.site,
                self.kid_zone is None or item["kid_zone"] is self.kid_zone,
                self.score is None or self.score.least <= item["score"] < self.score.below,
            )
        )


class Queue(Condition):
    """A named part of the work, most urgent first."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_-]{0,30}$", description="stands in the address")
    title: str = Field(min_length=1, max_length=20, description="what people read")
    title_en: str = Field("", max_length=40, description="the same in English; empty: the title")
    state: tuple[State, ...] = Field(("open",), min_length=1, description="where the cases stand")

    def filters(self) -> dict[str, list[str]]:
        """Return the queue as filters of a search: field → allowed values."""
        found: dict[str, list[str]] = {"state": list(self.state)}
        for name in ("category", "severity", "platform_class", "site"):
            if values := getattr(self, name):
                found[name] = [str(value) for value in values]
        if self.kid_zone is not None:
            found["kid_zone"] = ["true" if self.kid_zone else "false"]
        if self.score is not None:
            found["score"] = [f"{self.score.least:g}-{self.score.below:g}"]
        return found


class Work(Strict):
    """Everything that `work.yaml` holds."""

    queues: tuple[Queue, ...] = Field((), max_length=12, description="in the order of the page")
    second_confirmation: tuple[Condition, ...] = Field((), description="confirmations that need a second person")

    @model_validator(mode="after")
    def _names_differ(self) -> Work:
        names = [queue.name for queue in self.queues]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"queues: found {name!r} twice; allowed: each name once")
        return self

    def asks_second(self, item: Mapping[str, Any]) -> bool:
        """Say whether confirming this case needs a second person."""
        return any(condition.fits(item) for condition in self.second_confirmation)


def load_work(file: Path | None = None, *, shipped: bool = False) -> Work:
    """Return how work is divided here: this installation's `work.yaml`, or the shipped one.

    Args:
        file: this file instead, before it is put in force.
        shipped: pass over the installation's file.

    Raises:
        PolicyError: the file is wrong; says everything that is wrong.
    """
    if file is not None:
        return _load(file, 0 if not file.is_file() else file.stat().st_mtime_ns)
    own = get_settings().policy_dir
    path = own / FILE if own is not None and not shipped and (own / FILE).is_file() else HERE / FILE
    return _load(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=4)
def _load(path: Path, _changed: int) -> Work:
    layer = read_layer(path)
    try:
        return Work.model_validate(layer.values)
    except ValidationError as error:
        raise PolicyError(problems_of(error, Work, layer, str(path))) from error
