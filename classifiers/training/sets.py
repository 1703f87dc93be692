"""What each labelled set says and what it cannot say: `sets.yaml`, read into types."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, cast, get_args

import pydantic
from pydantic import BaseModel, ConfigDict, Field
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from classifiers.errors import ModelError, RecipeError
from config.taxonomy import SLUGS

SETS_FILE = Path(__file__).parent / "sets.yaml"
Model = TypeVar("Model", bound=BaseModel)
Tier = Literal["open", "limited"]


class Strict(BaseModel):
    """What is read from a file of ours: unknown keys are refused, nothing is changed after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Evidence(Strict):
    """Rows whose field has one of these values are evidence for (1) or against (0) these categories."""

    field: str = "label"
    values: tuple[int | str, ...] = ()
    at_least: float | None = None
    at_most: float | None = None
    says: dict[str, Literal[0, 1]] = Field(default_factory=dict)
    typed_by_reading: bool = Field(
        default=False,
        description="1 for the categories that a reader gave the text (typed/labels.tsv), 0 for all others",
    )
    typed_by_rules: tuple[str, ...] = Field(
        default=(),
        description="weak typing, never of held-back rows: 1 for the categories of this list whose word rules speak",
    )
    unless_rules: tuple[str, ...] = Field(
        default=(), description="denoising: the row says nothing of a category of this list whose word rules speak"
    )

    def covers(self, row: Mapping[str, Any]) -> bool:
        """Tell whether a row is meant."""
        value = row.get(self.field)
        if value in self.values:
            return True
        if isinstance(value, int | float) and (self.at_least is not None or self.at_most is not None):
            low = -float("inf") if self.at_least is None else self.at_least
            high = float("inf") if self.at_most is None else self.at_most
            return low <= value <= high
        return not self.values and self.at_least is None and self.at_most is None


class HoldBack(Strict):
    """What is held back from training: named values of a field, a share of a field's values, the file's end, or
    a share of the groups of near-copies."""

    by: Literal["values", "groups", "tail", "copies"]
    field: str | None = None
    values: tuple[int | str, ...] = ()
    share: Annotated[float, Field(gt=0, lt=1)] = 0.2


class LabelledSet(Strict):
    """One set: where it is from, under what terms, and how its own labels map to our categories."""

    name: str
    file: str
    origin: str
    licence: str
    tier: Tier
    register_: str = Field(alias="register")
    evidence: tuple[Evidence, ...]
    against: tuple[str, ...] = Field(default=(), description="categories that no row of the set can be about")
    cannot_tell: str
    hold_back: HoldBack | None = Field(default=None, description="none: all of it trains, nothing is measured")
    ordinary: bool = Field(default=False, description="ordinary talk: the share flagged here is a false alarm rate")
    strip_spaces: bool = Field(default=False, description="the set was cut into words; blanks mean nothing")
    weak: bool = Field(default=False, description="labelled by models, no human label")
    ours: bool = Field(default=False, description="written by us: `file` is a pattern of files beside sets.yaml")
    grown: Annotated[int, Field(ge=0, le=1000)] = Field(
        default=0, description="the files are grammars: so many texts are grown from each form, for training alone"
    )

    @pydantic.model_validator(mode="after")
    def _never_measured_on_grown(self) -> LabelledSet:
        if self.grown and (self.hold_back or not self.ours):
            raise ValueError("a grown set is ours and holds nothing back")
        return self


def load_sets(path: Path = SETS_FILE) -> dict[str, LabelledSet]:
    """Read the description of the sets.

    Raises:
        RecipeError: the file cannot be read, has an unknown field, or names an unknown category.
    """
    raw = read_yaml(path)
    if not isinstance(raw, dict):
        raise RecipeError(path, "-", type(raw).__name__, "a mapping of set names")
    found: dict[str, LabelledSet] = {}
    for name, body in raw.items():
        entry = validate(LabelledSet, {"name": name, **(body or {})}, path, str(name))
        for slug in named_slugs(entry):
            if slug not in SLUGS:
                raise RecipeError(path, f"{name}", f"category {slug!r}", ", ".join(SLUGS))
        found[str(name)] = entry
    return found


def tier_of(manifest: Mapping[str, Any]) -> Tier:
    """What a model's manifest says that it was allowed to be made of. One that says nothing is of the limited tier,
    unless it began from no other model and names the tier of each of its sets."""
    if manifest.get("tier") in get_args(Tier):
        return cast(Tier, manifest["tier"])
    data = manifest.get("data")
    if "pretrained" in manifest or not isinstance(data, list) or not data:
        return "limited"
    return "open" if all(isinstance(one, dict) and one.get("tier") == "open" for one in data) else "limited"


def check_tier(folder: Path, manifest: Mapping[str, Any], tier: Tier, maker: str) -> None:
    """Refuse a model of the limited tier where only the open one may be used; `maker` makes one of the open tier.

    Raises:
        ModelError: it is of the limited tier.
    """
    if tier == "open" and tier_of(manifest) == "limited":
        raise ModelError(folder, "a model of tier limited", f"with --tier open only models of tier open: `{maker}`")


def named_slugs(entry: LabelledSet) -> set[str]:
    """Every category that the description of a set mentions."""
    slugs = set(entry.against)
    for evidence in entry.evidence:
        slugs |= set(evidence.says) | set(evidence.typed_by_rules) | set(evidence.unless_rules)
    return slugs


def read_yaml(path: Path) -> Any:
    """Read a YAML file of ours; errors name the file."""
    try:
        return YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RecipeError(path, "-", f"{error.strerror or error}", "a readable YAML file") from error
    except (YAMLError, UnicodeDecodeError) as error:
        raise RecipeError(path, "-", f"no YAML: {str(error).splitlines()[0]}", "a YAML file in UTF-8") from error


def validate(kind: type[Model], raw: Any, path: Path, prefix: str = "") -> Model:
    """Build a pydantic model from YAML, turning its first complaint into one of ours."""
    try:
        return kind.model_validate(raw)
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in (prefix, *first["loc"]) if part != "")
        allowed = first["msg"]
        if first["type"] == "extra_forbidden":
            allowed = ", ".join(field.alias or name for name, field in kind.model_fields.items())
            found = f"the unknown key {first['loc'][-1]!r}"
        else:
            found = repr(first.get("input"))[:80]
        raise RecipeError(path, place, found, allowed) from error
