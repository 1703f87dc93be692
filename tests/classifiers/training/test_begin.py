"""What fine-tuning begins from: a fine-tuned encoder keeps its heads, and may go on with some of its layers."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from classifiers.alphabet import Alphabet
from classifiers.encoder import TOKENIZER
from classifiers.errors import ModelError
from classifiers.training.begin import begin
from classifiers.training.encoder_model import WoodpeckerConfig, WoodpeckerForCategories
from classifiers.training.encoder_recipe import EncoderRecipe
from classifiers.training.tokens import save_tokenizer

CLASSES = ["bullying", "gambling"]
LAYERS = 3


@pytest.fixture
def tuned(tmp_path: Path) -> Path:
    torch.manual_seed(7)
    alphabet = Alphabet.of(list("今天的作文课"))
    shape = WoodpeckerConfig(
        vocab_size=len(alphabet), hidden=16, layers=LAYERS, heads=2, inner=16, character=8, pair=8, pair_buckets=64,
        triple=8, triple_buckets=64, sound=4, sound_pair=4, sound_pair_buckets=64, classes=CLASSES,
    )  # fmt: skip
    WoodpeckerForCategories(shape).save_pretrained(tmp_path)
    save_tokenizer(alphabet, tmp_path / TOKENIZER)
    return tmp_path


def recipe(**more: object) -> EncoderRecipe:
    told = {"version": "v", "seed": 1, "categories": CLASSES, "training": {"samples": 1}} | more
    return EncoderRecipe.model_validate(told)


def test_a_fine_tuned_encoder_goes_on_with_its_heads(tuned: Path) -> None:
    before = WoodpeckerForCategories.from_pretrained(tuned).state_dict()
    after = begin(recipe(), str(tuned)).model.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_it_may_go_on_with_some_of_its_layers(tuned: Path) -> None:
    before = WoodpeckerForCategories.from_pretrained(tuned).encoder.layers
    begun = begin(recipe(keep_layers=[0, 2]), str(tuned))
    assert begun.model.config.layers == len(begun.model.encoder.layers) == 2
    for old, new in ((0, 0), (2, 1)):
        assert torch.equal(before[old].inner.weight, begun.model.encoder.layers[new].inner.weight)


def test_for_other_categories_it_keeps_the_heads_that_both_have(tuned: Path) -> None:
    before = WoodpeckerForCategories.from_pretrained(tuned)
    after = begin(recipe(categories=["self_harm", "gambling"]), str(tuned)).model
    assert torch.equal(after.heads.weight[1], before.heads.weight[1])
    assert torch.equal(after.mix.weight, before.mix.weight)
    assert not torch.equal(after.heads.weight[0], before.heads.weight[0])


@pytest.mark.parametrize("layers", [[0, 3], [1, 1]])
def test_a_layer_that_is_not_there_or_asked_for_twice_is_refused(tuned: Path, layers: list[int]) -> None:
    with pytest.raises(ModelError, match=r"3 layers, counted from 0.*each once"):
        begin(recipe(keep_layers=layers), str(tuned))


def test_layers_of_an_encoder_of_another_kind_are_not_chosen(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "bert"}', encoding="utf-8")
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    with pytest.raises(ModelError, match=r"another kind.*one of our own"):
        begin(recipe(keep_layers=[0]), str(tmp_path))
