"""A pretraining recipe: everything a run depends on beside the data, in one YAML file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from classifiers.errors import RecipeError
from classifiers.training.sets import SETS_FILE, LabelledSet, Tier, load_sets, read_yaml, validate

Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(gt=0)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Corpus(_Strict):
    """A plain-text file of the data folder; `weight` is its part in the mixture, `tier` its licence."""

    file: str
    weight: Annotated[float, Field(gt=0)]
    tier: Tier


class AlphabetSize(_Strict):
    """The most frequent characters get an id: at most `size` with the special tokens, seen `least` times."""

    size: Annotated[int, Field(ge=16, le=65535)] = 8192
    least: Count = 20


class Shape(_Strict):
    """The encoder's shape; widths in numbers of floats, `*_buckets` in rows of a hashed table."""

    hidden: Count = 256
    layers: Count = 2
    heads: Count = 4
    inner: Count = 768
    reach: Count = 24
    character: Count = 128
    pair: Count = 80
    pair_buckets: Count = 65536
    triple: Count = 64
    triple_buckets: Count = 32768
    sound: Count = 32
    sound_pair: Count = 48
    sound_pair_buckets: Count = 32768

    def tables(self) -> dict[str, int]:
        """What the static vectors depend on: the tables of the embedding, not the layers."""
        return self.model_dump(exclude={"hidden", "layers", "heads", "inner", "reach"})

    @model_validator(mode="after")
    def _heads_divide(self) -> Shape:
        if self.hidden % self.heads:
            raise ValueError(f"hidden ({self.hidden}) must be a multiple of heads ({self.heads})")
        return self


class Vectors(_Strict):
    """Static vectors the embeddings begin from: PPMI of co-occurrence with frequent characters, then SVD."""

    tokens: Count = Field(default=60_000_000, description="how much of the packed corpus is counted")
    window: Annotated[int, Field(ge=1, le=10)] = 4
    contexts: Count = 2048


class Noise(_Strict):
    """What is done to a token before the model sees it: a share of all tokens is chosen, in spans of one to three,
    and each chosen span is masked, or every character replaced by a sound-alike, or by one that may follow the
    character before it; the rest is left as it is."""

    share: Share = 0.15
    masked: Share = 0.5
    sound: Share = 0.25
    follower: Share = 0.15

    @model_validator(mode="after")
    def _at_most_all(self) -> Noise:
        if self.masked + self.sound + self.follower > 1:
            raise ValueError("masked, sound and follower together must be at most 1")
        return self


class Steps(_Strict):
    """How it is trained, for so many `tokens` or so many `seconds`. The rate rises over `warm_up` steps, stays, and
    falls to nothing over the last `fall` of the run, so that a run may be made longer without having been wrong so
    far."""

    tokens: Annotated[int, Field(ge=0)] | None = Field(
        default=None, description="read in all; 0: the static vectors are all there is"
    )
    seconds: Annotated[float, Field(gt=0)] | None = Field(
        default=None,
        description="in place of tokens: what the steps may take by the clock, compiling, checkpoints and looks at "
        "what is held back among them, and what a run took before it was ended",
    )
    batch: Count = Field(default=64, description="sequences in a step")
    length: Annotated[int, Field(ge=8, le=512)] = 64
    rate: Annotated[float, Field(gt=0)] = 1e-3
    warm_up: Annotated[int, Field(ge=0)] = 200
    fall: Share = 0.3
    decay: Annotated[float, Field(ge=0)] = 0.01
    found_weight: Annotated[float, Field(ge=0)] = Field(
        default=5.0, description="weight of the loss of telling replaced characters from true ones"
    )
    precision: Literal["float32", "bfloat16"] = "float32"
    compiled: bool = Field(default=False, description="worth its minute of compiling on a GPU")
    checkpoint_minutes: Annotated[float, Field(gt=0)] = 5.0

    @property
    def steps(self) -> int | None:
        """Optimiser steps in the whole run; None where its seconds say how long it is."""
        if self.tokens is None:
            return None
        return max(min(1, self.tokens), self.tokens // (self.batch * self.length))

    @model_validator(mode="after")
    def _of_one_length(self) -> Steps:
        if (self.tokens is None) == (self.seconds is None):
            found = "neither" if self.tokens is None else "both"
            raise ValueError(f"one of tokens and seconds must be given, found {found}")
        return self


class PretrainRecipe(_Strict):
    """A recipe as written. The pretrained encoder's folder is named by `version`."""

    version: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+$")]
    seed: int
    corpora: tuple[Corpus, ...] = Field(min_length=1)
    labelled: tuple[str, ...] = Field(
        default=(), description="sets of sets.yaml whose training texts, without labels, are read too"
    )
    labelled_weight: Annotated[float, Field(gt=0)] = 10.0
    alphabet: AlphabetSize = AlphabetSize()
    shape: Shape = Shape()
    vectors: Vectors | None = Vectors()
    noise: Noise = Noise()
    training: Steps
    sets_file: Path | None = Field(default=None, description="another sets.yaml, beside the recipe")

    def identity(self) -> dict[str, Any]:
        """What may not change between a checkpoint and its continuation: all but the length of the run and what
        changes nothing."""
        whole: dict[str, Any] = self.model_dump(mode="json")
        for key in ("tokens", "seconds", "fall", "checkpoint_minutes", "compiled"):
            whole["training"].pop(key)
        return whole


def load_pretrain_recipe(path: Path, tier: Tier = "limited") -> tuple[PretrainRecipe, list[LabelledSet]]:
    """Read a recipe and the sets it names; tier "open" leaves out what has a limited licence.

    Raises:
        RecipeError: the file is wrong, names an unknown set, or nothing is left to read.
    """
    recipe = validate(PretrainRecipe, read_yaml(path), path)
    known = load_sets(path.parent / recipe.sets_file if recipe.sets_file else SETS_FILE)
    for name in recipe.labelled:
        if name not in known:
            raise RecipeError(path, "labelled", repr(name), ", ".join(known))
    if tier == "open":
        kept = tuple(corpus for corpus in recipe.corpora if corpus.tier == "open")
        if not kept:
            raise RecipeError(path, "corpora", "no corpus of tier open", "at least one")
        names = tuple(name for name in recipe.labelled if known[name].tier == "open")
        recipe = recipe.model_copy(update={"corpora": kept, "labelled": names, "version": f"{recipe.version}-open"})
    return recipe, [known[name] for name in recipe.labelled]
