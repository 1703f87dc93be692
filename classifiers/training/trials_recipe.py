"""A trials recipe: which encoders and which ways of fine-tuning are compared, all with one small budget."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from classifiers.errors import RecipeError
from classifiers.training.encoder_recipe import EncoderRecipe, load_encoder_recipe
from classifiers.training.pretrain_recipe import PretrainRecipe, load_pretrain_recipe
from classifiers.training.recipe import find_recipe
from classifiers.training.sets import LabelledSet, read_yaml, validate
from classifiers.training.shrink import Shrunk

Count = Annotated[int, Field(ge=0)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9_-]+$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TrialEncoder(_Strict):
    """A pretraining run: where it differs from the recipe it begins from."""

    shape: dict[str, int] = Field(default_factory=dict)
    tokens: Count | None = Field(default=None, description="of the budget where none are given; 0: none are read")
    vectors: bool = Field(default=True, description="whether the tables begin from static vectors")
    whole: bool = Field(default=False, description="the recipe it begins from as it is, whatever the budget")


class Trial(_Strict):
    """A fine-tuning run of one of the encoders: where it differs from the recipe it begins from."""

    encoder: Name
    training: dict[str, float] = Field(default_factory=dict)
    seed: int | None = Field(default=None, description="of draws and first weights; what is held back stays")


class Ablation(_Strict):
    """Trials that are read as differences from one of them."""

    base: Name
    trials: tuple[Name, ...] = Field(min_length=1)


class TrialsRecipe(_Strict):
    """A recipe as written. `pretrain` and `tune` name the recipes that everything not said here is taken from."""

    version: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+$")]
    pretrain: str = "pretrain"
    tune: str = "labels"
    tokens: Annotated[int, Field(gt=0)]
    samples: Annotated[int, Field(gt=0)]
    counted: Annotated[int, Field(gt=0, description="tokens that the static vectors are counted over")]
    encoders: dict[Name, TrialEncoder] = Field(min_length=1)
    trials: dict[Name, Trial] = Field(min_length=1)
    shrunk: dict[Name, Shrunk] = Field(
        default_factory=dict, description="a trained encoder made smaller in these ways, for `--shrink`"
    )
    sizes: dict[str, tuple[Name, ...]] = Field(
        default_factory=dict,
        description="lines of the plot of quality against size: a legend, and trials or what was shrunk",
    )
    ablation: Ablation


class Trials:
    """A trials recipe with the recipes that it begins from."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.recipe = validate(TrialsRecipe, read_yaml(path), path)
        self.pretrain_base, self.pretrain_sets = load_pretrain_recipe(self._beside(self.recipe.pretrain))
        self.tune_base, self.tune_sets = load_encoder_recipe(self._beside(self.recipe.tune))
        ablated = self.recipe.ablation
        sized = [name for line in self.recipe.sizes.values() for name in line]
        self._known("ablation", [ablated.base, *ablated.trials], self.recipe.trials)
        self._known("sizes", sized, {**self.recipe.trials, **self.recipe.shrunk})
        self._known("trials", [trial.encoder for trial in self.recipe.trials.values()], self.recipe.encoders)
        for name in self.recipe.encoders:
            self.pretraining(name)
        for name in self.recipe.trials:
            self.tuning(name)

    def pretraining(self, encoder: str) -> tuple[PretrainRecipe, list[LabelledSet]]:
        """The pretraining recipe of an encoder, and its sets.

        Raises:
            RecipeError: a changed field is unknown or not of a kind that is allowed.
        """
        changed = self.recipe.encoders[encoder]
        if changed.whole:
            return self.pretrain_base, self.pretrain_sets
        whole: dict[str, Any] = self.pretrain_base.model_dump(mode="json")
        whole["version"] = f"pretrained-{encoder}"
        whole["shape"] |= changed.shape
        tokens = self.recipe.tokens if changed.tokens is None else changed.tokens
        whole["training"] |= {"tokens": tokens, "seconds": None}
        if not changed.vectors:
            whole["vectors"] = None
        elif whole["vectors"]:
            whole["vectors"]["tokens"] = self.recipe.counted
        return validate(PretrainRecipe, whole, self.path, f"encoders.{encoder}"), self.pretrain_sets

    def tuning(self, trial: str) -> EncoderRecipe:
        """The fine-tuning recipe of a trial.

        Raises:
            RecipeError: as `pretraining`.
        """
        changed = self.recipe.trials[trial]
        whole: dict[str, Any] = self.tune_base.model_dump(mode="json")
        whole["version"] = f"tuned-{trial}"
        whole["training"] |= {"samples": self.recipe.samples, "check_every": self.recipe.samples}
        whole["training"] |= changed.training
        whole["draw_seed"] = changed.seed
        return validate(EncoderRecipe, whole, self.path, f"trials.{trial}")

    def _beside(self, name: str) -> Path:
        """A recipe beside this one, or one that ships."""
        beside = self.path.parent / f"{name}.yaml"
        return beside if beside.is_file() else find_recipe(name)

    def _known(self, place: str, names: list[str], allowed: Any) -> None:
        for name in names:
            if name not in allowed:
                raise RecipeError(self.path, place, repr(name), ", ".join(allowed))
