"""The losses of a pretraining step, compiled where a recipe asks for it.

Compiled are the embedding, each layer, and the heads together with their losses: layers of one shape share what was
compiled for the first, so that twelve cost what one costs. Every step has the same shapes, and so has what is measured
on held-back blocks: nothing is compiled anew after the first step.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from classifiers.training.encoder_model import WoodpeckerForPretraining
from classifiers.training.pretrain_noise import IGNORED, Noised


class Losses:
    """Mean loss, in nats, of guessing the characters asked for, and of telling replaced characters from true ones."""

    def __init__(
        self, model: WoodpeckerForPretraining, *, half: bool = False, compiled: bool = False, backend: str = "inductor"
    ) -> None:
        self._model, self._half, self._heads = model, half, _heads
        if compiled:
            for part in (model.encoder.embedding, *model.encoder.layers):
                part.compile(dynamic=False, backend=backend)
            self._heads = torch.compile(_heads, dynamic=False, backend=backend)

    def __call__(self, noised: Noised) -> tuple[Tensor, Tensor]:
        """Both losses, on the model's device; `half` computes in bfloat16 what bears it."""
        with torch.autocast(noised.ids.device.type, dtype=torch.bfloat16, enabled=self._half):
            vectors = self._model.encoder(noised.ids)
            return self._heads(self._model, vectors, noised.places, noised.truth, noised.replaced)


def _heads(
    model: WoodpeckerForPretraining, vectors: Tensor, places: Tensor, truth: Tensor, replaced: Tensor
) -> tuple[Tensor, Tensor]:
    characters, said = model.said(vectors, places)
    guess = functional.cross_entropy(characters.float(), truth, ignore_index=IGNORED, reduction="sum")
    asked = (replaced >= 0).reshape(-1)
    target = replaced.reshape(-1).clamp(min=0).float()
    found = functional.binary_cross_entropy_with_logits(said.float(), target, reduction="none")
    return guess / (truth != IGNORED).sum().clamp(min=1), (found * asked).sum() / asked.sum().clamp(min=1)
