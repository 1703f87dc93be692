"""A fine-tuning recipe for the encoder: everything a run depends on beside the data, in one YAML file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from classifiers.errors import RecipeError
from classifiers.training.sets import SETS_FILE, LabelledSet, Tier, load_sets, read_yaml, validate
from config.taxonomy import SLUGS

Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(gt=0)]


class Tuning(BaseModel):
    """How it is trained. `rate` is for the transformer and the heads, `table_rate` for the embedding tables."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    samples: Count = Field(description="texts shown, drawn with replacement")
    batch_ids: Count = 4096
    rate: Annotated[float, Field(gt=0)] = 5e-4
    table_rate: Annotated[float, Field(gt=0)] = 5e-4
    warm_up: Share = 0.05
    decay: Annotated[float, Field(ge=0)] = 0.01
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.1
    hidden_characters: Share = Field(default=0.05, description="characters shown as masks")
    evaded: Share = Field(default=0.3, description="texts shown as somebody would write them who evades")
    evaded_variants: Annotated[int, Field(ge=1, le=16)] | None = Field(
        default=None,
        description="ways in which each text is evaded ahead, for a GPU that would wait; without, anew at each draw",
    )
    temperature: Share = Field(default=0.5, description="a set of n rows is drawn from by its weight times n to this")
    smoothing: Annotated[float, Field(ge=0, lt=0.5)] = 0.01
    average: Annotated[float, Field(ge=0, lt=1)] = Field(
        default=0.998, description="how much of the running average of the weights stays at a step"
    )
    precision: Literal["float32", "bfloat16"] = "float32"
    checkpoint_minutes: Annotated[float, Field(gt=0)] = 3.0
    check_every: Count = Field(default=30_000, description="samples between two looks at what is held back")


class Distilling(BaseModel):
    """How a student learns from teachers, beside the labels."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    unlabelled: tuple[str, ...] = Field(default=(), description="corpora below the data folder, one text a line")
    most: Count = Field(default=300_000, description="texts taken of each corpus, from its beginning")
    share: Share = Field(default=0.5, description="of the texts shown, how many are unlabelled")
    weight: Share = Field(default=0.7, description="how much of the loss is against the teachers, the rest labels")
    temperature: Annotated[float, Field(gt=0)] = 2.0


class EncoderRecipe(BaseModel):
    """A recipe as written. Its `seed` and `most` say what is held back, as in a linear model's recipe."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+$")]
    seed: int
    draw_seed: int | None = Field(
        default=None,
        description="for draws, dropout and first weights, in place of `seed`: members of an ensemble differ in this, "
        "so that all hold back the same rows",
    )
    sets: tuple[str, ...] = Field(default=(), description="names in sets.yaml; all where empty")
    most: dict[str, Count] = Field(default_factory=dict)
    categories: tuple[str, ...] = Field(min_length=1)
    weights: dict[str, Annotated[float, Field(gt=0)]] = Field(
        default_factory=dict, description="how often a set is drawn from, times; 1 where it is not named"
    )
    keep_layers: Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=1)] | None = Field(
        default=None, description="of our own encoder, the layers to go on with, counted from 0; without, all"
    )
    training: Tuning
    distil: Distilling | None = Field(default=None, description="for `woodpecker distil` alone")
    encoder_share: Share = Field(
        default=0.5, description="how much of the mean of its log-odds and the linear model's is the encoder's"
    )
    encoder_shares: dict[str, Share] = Field(
        default_factory=dict, description="the same for categories that differ, by name"
    )
    least_share: Annotated[float, Field(gt=0, lt=1)] = Field(
        default=0.15, description="calibrate as if at least this share of texts were of the category"
    )
    least_shares: dict[str, Annotated[float, Field(gt=0, lt=1)]] = Field(
        default_factory=dict, description="the same for categories that differ, by name"
    )
    lowest: dict[str, Share] = Field(
        default_factory=dict, description="each category's lowest threshold in the policies: see reach.py"
    )
    lowest_else: Share = Field(default=0.2, description="the same for categories that are not named")
    sets_file: Path | None = Field(default=None, description="another sets.yaml, beside the recipe")

    def identity(self) -> dict[str, Any]:
        """What may not change between a checkpoint and its continuation: all that training depends on."""
        after = {"encoder_share", "encoder_shares", "least_share", "least_shares", "lowest", "lowest_else"}
        whole: dict[str, Any] = self.model_dump(mode="json", exclude=after)
        whole["training"].pop("checkpoint_minutes")
        if self.training.evaded_variants is None:  # as runs say that were begun before there were any
            whole["training"].pop("evaded_variants")
        if self.keep_layers is None:  # likewise
            whole.pop("keep_layers")
        return whole

    @property
    def common(self) -> list[float]:
        """Of each category, the share of texts that it is calibrated for at least."""
        return [self.least_shares.get(slug, self.least_share) for slug in self.categories]

    @property
    def shares(self) -> list[float]:
        """Of each category, how much of the mean of both log-odds is the encoder's."""
        return [self.encoder_shares.get(slug, self.encoder_share) for slug in self.categories]

    @property
    def drawn_by(self) -> int:
        """The seed of all that is left to chance but what is held back."""
        return self.seed if self.draw_seed is None else self.draw_seed


def load_encoder_recipe(path: Path, tier: Tier = "limited") -> tuple[EncoderRecipe, list[LabelledSet]]:
    """Read a recipe and the sets it names; tier "open" leaves out sets whose licence is limited.

    Raises:
        RecipeError: the file is wrong or of a linear model, or no set is left.
    """
    raw = read_yaml(path)
    if isinstance(raw, dict) and "columns" in raw:
        allowed = "an encoder's recipe, such as `other` or `labels`; or no --encoder"
        raise RecipeError(path, "columns", "a linear model's recipe", allowed)
    recipe = validate(EncoderRecipe, raw, path)
    known = load_sets(path.parent / recipe.sets_file if recipe.sets_file else SETS_FILE)
    wanted = recipe.sets or tuple(known)
    named: tuple[tuple[str, Any, Any], ...] = (
        ("categories", recipe.categories, SLUGS),
        ("sets", wanted, known),
        ("most", recipe.most, known),
        ("weights", recipe.weights, known),
        ("lowest", recipe.lowest, recipe.categories),
        ("least_shares", recipe.least_shares, recipe.categories),
        ("encoder_shares", recipe.encoder_shares, recipe.categories),
    )
    for field, names, allowed in named:
        for name in names:
            if name not in allowed:
                raise RecipeError(path, field, repr(name), ", ".join(allowed))
    chosen = [known[name] for name in wanted if tier == "limited" or known[name].tier == "open"]
    if not chosen:
        raise RecipeError(path, "sets", "no set of tier open", "at least one")
    return recipe, chosen
