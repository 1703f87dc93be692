"""What fine-tuning begins from: our own encoder, pretrained or fine-tuned before, or any in the Hugging Face format."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer, PreTrainedModel

from classifiers.alphabet import Alphabet
from classifiers.encoder import TOKENIZER, Tokens
from classifiers.errors import ModelError
from classifiers.pieces import PieceIds, Pieces
from classifiers.training.encoder_model import WoodpeckerConfig, WoodpeckerForCategories, WoodpeckerForPretraining
from classifiers.training.encoder_recipe import EncoderRecipe
from classifiers.training.sets import Tier, check_tier
from classifiers.training.tokens import file_digest
from classifiers.windows import LONGEST

_LAYER = re.compile(r"(.*\blayers\.)(\d+)(\..*)")
FETCHED = ("*.json", "*.txt", "*.safetensors")


@dataclass(frozen=True, slots=True)
class Begun:
    """A model, what turns texts into its ids, and where it came from."""

    model: WoodpeckerForCategories | OtherForCategories
    tokens: Tokens
    digest: str  # SHA-256 of its weights
    about: dict[str, Any]  # for the manifest

    def save_tokenizer(self, folder: Path) -> None:
        """Write the tokenizer file that serving reads."""
        if isinstance(self.model, OtherForCategories):
            self.model.tokenizer.save(str(folder / TOKENIZER))
        else:
            shutil.copyfile(Path(self.about["folder"]) / TOKENIZER, folder / TOKENIZER)

    @property
    def entries(self) -> dict[str, Any]:
        """What the manifest says of it; our own tells how it was pretrained."""
        entries: dict[str, Any] = {"pretrained": {k: v for k, v in self.about.items() if k != "folder"}}
        if isinstance(self.tokens, Pieces):
            entries["pieces"] = self.tokens.ids.model_dump()
        return entries


class OtherForCategories(nn.Module):
    """A Hugging Face encoder with one logit per category, called as our own is: ids in, logits out."""

    def __init__(self, model: PreTrainedModel, pad: int, tokenizer: Any = None) -> None:
        super().__init__()
        self.model, self.pad, self.tokenizer = model, pad, tokenizer

    @property
    def config(self) -> Any:
        """The model's configuration."""
        return self.model.config

    def forward(self, input_ids: Tensor) -> Tensor:
        """Logits of shape (texts, categories)."""
        attended = (input_ids != self.pad).long()
        result: Tensor = self.model(input_ids=input_ids, attention_mask=attended).logits
        return result

    def save_pretrained(self, folder: Path) -> None:
        """Save it in the format it came in."""
        self.model.save_pretrained(folder)


def begin(recipe: EncoderRecipe, encoder: str, tier: Tier = "limited") -> Begun:
    """Build a model on an encoder: a folder, or the name of a model on a hub. A pretrained one gets fresh heads.

    Raises:
        ModelError: there is no such encoder, its weights or tokenizer are of a kind that is not read, it lacks a
            layer that the recipe keeps, or it is one of ours and not of the tier.
    """
    folder = _folder(encoder)
    torch.manual_seed(recipe.drawn_by)
    try:
        kind = json.loads((folder / "config.json").read_text(encoding="utf-8")).get("model_type")
    except (OSError, ValueError, AttributeError) as error:
        raise ModelError(folder, f"no pretrained encoder ({error})", "a folder with config.json") from error
    return _ours(recipe, folder, tier) if kind == WoodpeckerConfig.model_type else _other(recipe, folder, encoder)


def _folder(encoder: str) -> Path:
    path = Path(encoder)
    if path.is_dir():
        return path
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(encoder, allow_patterns=list(FETCHED)))
    except Exception as error:  # the hub's errors and the network's share no base
        found = f"no folder, and no model of this name on a hub ({type(error).__name__})"
        allowed = "no pretrained encoder is read but from a folder with config.json and model.safetensors, or a hub"
        raise ModelError(path, found, allowed) from error


def _ours(recipe: EncoderRecipe, folder: Path, tier: Tier) -> Begun:
    """Our own: a pretrained one gets fresh heads, a fine-tuned one goes on with those of the recipe's categories."""
    told = folder / "manifest.json"
    about = json.loads(told.read_text(encoding="utf-8")) if told.is_file() else {}
    check_tier(folder, about, tier, "woodpecker pretrain RECIPE --tier open")
    about = about or {"sha256": _weights(folder)}
    tokens = Alphabet.read(folder / TOKENIZER)
    config = WoodpeckerConfig.from_pretrained(folder)
    tuned = list(config.classes)
    source = (WoodpeckerForCategories if tuned else WoodpeckerForPretraining).from_pretrained(folder)
    kept = _kept(recipe, folder, config.layers)
    config.layers, config.dropout = len(kept), recipe.training.dropout
    config.classes, config.num_labels = list(recipe.categories), len(recipe.categories)
    model = WoodpeckerForCategories(config)
    model.encoder.load_state_dict(_with_layers(source.encoder.state_dict(), kept))
    if tuned:
        model.mix.load_state_dict(source.mix.state_dict())
        _go_on_with_heads(model, source, tuned)
    return Begun(model, tokens, _weights(folder), {**about, "folder": str(folder)})


def _go_on_with_heads(model: WoodpeckerForCategories, source: WoodpeckerForCategories, slugs: list[str]) -> None:
    """Copy the heads of categories that both have; others stay fresh."""
    both = [slug for slug in model.config.classes if slug in slugs]
    to, of = [model.config.classes.index(slug) for slug in both], [slugs.index(slug) for slug in both]
    with torch.no_grad():
        model.heads.weight[to] = source.heads.weight[of].to(model.heads.weight.dtype)
        model.heads.bias[to] = source.heads.bias[of].to(model.heads.bias.dtype)


def _kept(recipe: EncoderRecipe, folder: Path, layers: int) -> list[int]:
    kept = list(range(layers)) if recipe.keep_layers is None else list(recipe.keep_layers)
    if max(kept) >= layers or len(set(kept)) < len(kept):
        allowed = f"the layers {kept} that keep_layers asks for, each once"
        raise ModelError(folder, f"{layers} layers, counted from 0", allowed)
    return kept


def _with_layers(state: dict[str, Tensor], kept: list[int]) -> dict[str, Tensor]:
    """The weights without the layers that are not kept, those that are numbered anew."""
    found = {}
    for name, weight in state.items():
        at = _LAYER.fullmatch(name)
        if at is None:
            found[name] = weight
        elif int(at[2]) in kept:
            found[f"{at[1]}{kept.index(int(at[2]))}{at[3]}"] = weight
    return found


def _other(recipe: EncoderRecipe, folder: Path, name: str) -> Begun:
    digest = _weights(folder)
    if recipe.keep_layers is not None:
        raise ModelError(folder, "an encoder of another kind", "with keep_layers one of our own")
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, use_fast=True)
        config = AutoConfig.from_pretrained(folder)
        model = AutoModelForSequenceClassification.from_pretrained(
            folder,
            num_labels=len(recipe.categories),
            id2label=dict(enumerate(recipe.categories)),
            label2id={slug: k for k, slug in enumerate(recipe.categories)},
            problem_type="multi_label_classification",
            use_safetensors=True,
            attn_implementation="eager",
        )
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise ModelError(
            folder, f"an encoder that transformers does not read ({error})", "one that it reads"
        ) from error
    if not getattr(tokenizer, "is_fast", False) or None in _special(tokenizer).values():
        allowed = "a fast tokenizer with [CLS], [SEP], [PAD] and [MASK] or their like"
        raise ModelError(folder, f"a tokenizer of type {type(tokenizer).__name__}", allowed)
    longest = min(LONGEST, int(getattr(config, "max_position_embeddings", LONGEST + 2)) - 2)
    backend = tokenizer.backend_tokenizer
    backend.no_padding()
    backend.no_truncation()
    tokens = Pieces(backend, PieceIds(**_special(tokenizer), longest=longest))
    about = {"name": Path(name).name, "model_type": config.model_type, "sha256": digest}
    return Begun(OtherForCategories(model, tokens.ids.pad, backend), tokens, digest, about)


def _special(tokenizer: Any) -> dict[str, Any]:
    return {
        "first": tokenizer.cls_token_id,
        "last": tokenizer.sep_token_id,
        "pad": tokenizer.pad_token_id,
        "mask": tokenizer.mask_token_id,
    }


def _weights(folder: Path) -> str:
    """SHA-256 of the weights, whose files are read in order of name; pickled ones are not read at all."""
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        raise ModelError(folder, "no model.safetensors", "weights as safetensors; pickled ones are not read")
    if len(files) == 1:
        return file_digest(files[0])
    return hashlib.sha256("".join(map(file_digest, files)).encode()).hexdigest()
