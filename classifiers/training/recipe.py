"""A recipe: everything a training run depends on beside the data, in one YAML file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from classifiers.errors import RecipeError
from classifiers.linear import WIDTH
from classifiers.training.sets import SETS_FILE, LabelledSet, Tier, load_sets, read_yaml, validate
from config.taxonomy import SLUGS

RECIPES = Path(__file__).parent / "recipes"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Column(_Strict):
    """How one category is trained."""

    strength: Annotated[float, Field(gt=0)] = 4.0
    smoothing: Annotated[float, Field(gt=0)] = 0.5
    weights: dict[str, Annotated[float, Field(gt=0)]] = Field(
        default_factory=dict, description="how much a row of a set counts; 1 where a set is not named"
    )
    leave_out: tuple[str, ...] = Field(default=(), description="sets that do not train this category")


class Recipe(_Strict):
    """A recipe as written. `thresholds` are only used to measure; policy decides what is flagged."""

    version: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+$")]
    seed: int
    bits: Annotated[int, Field(ge=8, le=22)]
    sets: tuple[str, ...] = Field(default=(), description="names in sets.yaml; all where empty")
    most: dict[str, Annotated[int, Field(gt=0)]] = Field(default_factory=dict)
    columns: dict[str, Column] = Field(min_length=1, max_length=WIDTH)
    thresholds: dict[str, float] = Field(default_factory=dict)
    evaded: Annotated[float, Field(ge=0, le=1)] = Field(
        default=0.0, description="share of the training rows of which a copy that evades on purpose is trained on too"
    )
    least_share: Annotated[float, Field(ge=0, lt=1)] = Field(
        default=0.0,
        description="calibrate as if at least this share of texts were of the category; 0: as among the rows held back",
    )
    default_threshold: Annotated[float, Field(gt=0, lt=1)] = 0.5
    sets_file: Path | None = Field(default=None, description="another sets.yaml, beside the recipe")

    def threshold(self, slug: str) -> float:
        """The general threshold a category is measured at."""
        return self.thresholds.get(slug, self.default_threshold)


def find_recipe(name: str) -> Path:
    """A recipe file: a path, or the name of one that ships.

    Raises:
        RecipeError: neither.
    """
    path = Path(name)
    if path.is_file():
        return path
    shipped = RECIPES / f"{name}.yaml"
    if shipped.is_file():
        return shipped
    known = ", ".join(sorted(recipe.stem for recipe in RECIPES.glob("*.yaml")))
    raise RecipeError(path, "-", "no such file", f"a recipe file, or one of: {known}")


def load_recipe(path: Path, tier: Tier = "limited") -> tuple[Recipe, list[LabelledSet]]:
    """Read a recipe and the sets it names; tier "open" leaves out sets whose licence is limited.

    Raises:
        RecipeError: the file is wrong or of an encoder, or no set is left.
    """
    raw = read_yaml(path)
    if isinstance(raw, dict) and "training" in raw and "columns" not in raw:
        allowed = "a linear model's recipe, such as `linear`; or this one with --encoder DIR_OR_NAME"
        raise RecipeError(path, "training", "an encoder's recipe", allowed)
    recipe = validate(Recipe, raw, path)
    sets_file = path.parent / recipe.sets_file if recipe.sets_file else SETS_FILE
    known = load_sets(sets_file)
    wanted = recipe.sets or tuple(known)
    _check_names(path, "columns", recipe.columns, SLUGS)
    for field, names in (("sets", wanted), ("most", recipe.most)):
        _check_names(path, field, names, known)
    for slug, column in recipe.columns.items():
        _check_names(path, f"columns.{slug}", [*column.weights, *column.leave_out], known)
    chosen = [known[name] for name in wanted if tier == "limited" or known[name].tier == "open"]
    if not chosen:
        raise RecipeError(path, "sets", "no set of tier open", "at least one")
    return recipe, chosen


def _check_names(path: Path, field: str, found: Any, allowed: Any) -> None:
    for name in found:
        if name not in allowed:
            raise RecipeError(path, field, repr(name), ", ".join(allowed))
