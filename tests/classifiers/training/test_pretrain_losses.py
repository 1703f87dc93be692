"""Losses of a step: what they mean, and that nothing is compiled anew after the first."""

from __future__ import annotations

import torch
from torch._dynamo.testing import CompileCounter
from torch.nn import functional

from classifiers.training.encoder_model import WoodpeckerConfig, WoodpeckerForPretraining
from classifiers.training.pretrain_losses import Losses
from classifiers.training.pretrain_noise import IGNORED, only_masking
from classifiers.training.pretrain_recipe import Noise
from tests.classifiers.training.test_pretrain_inputs import ALPHABET
from tests.classifiers.training.test_pretrain_noise import IDS, noised


def model(layers: int = 2) -> WoodpeckerForPretraining:
    torch.manual_seed(1)
    sizes = {"hidden": 8, "heads": 2, "inner": 8, "character": 8, "pair": 4, "pair_buckets": 64, "triple": 4}
    rest = {"triple_buckets": 64, "sound": 4, "sound_pair": 4, "sound_pair_buckets": 64}
    return WoodpeckerForPretraining(WoodpeckerConfig(vocab_size=len(ALPHABET), layers=layers, **sizes, **rest))


def test_losses_are_means_over_what_is_asked() -> None:
    made, shown = model(), noised(Noise(share=0.2), 3)
    guess, found = Losses(made)(shown)
    said = made(shown.ids, shown.places)
    asked = shown.truth != IGNORED
    assert torch.isclose(guess, functional.cross_entropy(said.characters[asked], shown.truth[asked]))
    there = shown.replaced.reshape(-1) >= 0
    target = shown.replaced.reshape(-1)[there].float()
    assert torch.isclose(found, functional.binary_cross_entropy_with_logits(said.found[there], target))


def test_where_nothing_is_asked_nothing_is_lost() -> None:
    guess, found = Losses(model())(noised(Noise(share=0), 3))
    assert guess == 0
    assert found > 0  # every place may still have been replaced


def test_layers_share_what_is_compiled_and_later_steps_and_held_back_blocks_compile_nothing() -> None:
    counts = []
    for layers in (2, 4):
        torch._dynamo.reset()
        counter, made = CompileCounter(), model(layers)
        losses = Losses(made, compiled=True, backend=counter)
        plain = Losses(model(layers))
        for step in range(3):
            shown = noised(Noise(), step)
            guess, found = losses(shown)
            assert torch.allclose(torch.stack(losses(shown)), torch.stack(plain(shown)), atol=1e-5)
            (guess + found).backward()
            if step == 0:
                counts.append(counter.frame_count)
        losses(noised(only_masking(Noise()), 9))
        assert counter.frame_count == counts[-1]
    assert counts[0] == counts[1]
    assert IDS.shape == (40, 32)
