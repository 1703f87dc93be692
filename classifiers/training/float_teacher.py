"""A teacher on a GPU: the float model beside the int8 file that was exported from it, many times faster there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoModelForSequenceClassification

from classifiers.encoder import Encoder
from classifiers.normalise.fold import Folded
from classifiers.pieces import Pieces
from classifiers.training.begin import OtherForCategories
from classifiers.training.device import best_device
from classifiers.training.distil import Teacher
from classifiers.training.encoder_model import WoodpeckerForCategories
from classifiers.training.encoder_train import ForCategories, logits_of

READ = 32_768  # ids read at once


class FloatTeacher:
    """What a served encoder says, from the float model that training left behind."""

    def __init__(self, served: Encoder, folder: Path) -> None:
        self.folder, self.slugs, self.calibration = served.folder, served.slugs, served.calibration
        self._tokens, self._device = served.tokens, best_device()
        self._model = _load(served, folder).to(self._device)

    def margins(self, folded: Folded) -> NDArray[np.float64]:
        """Raw logits, as `Encoder.margins` gives them."""
        with torch.autocast(self._device.type, dtype=torch.bfloat16, enabled=self._device.type == "cuda"):
            return logits_of(self._model, self._tokens, folded, READ)


def on_gpu(served: Encoder, work: Path) -> Teacher:
    """The teacher's float model, where there is a GPU and training left it in `work`; else the served one itself."""
    folder = work / served.version / "model"
    if best_device().type == "cpu" or not (folder / "config.json").is_file():
        return served
    return FloatTeacher(served, folder)


def _load(served: Encoder, folder: Path) -> ForCategories:
    if not isinstance(served.tokens, Pieces):
        ours: WoodpeckerForCategories = WoodpeckerForCategories.from_pretrained(folder)
        return ours
    model = AutoModelForSequenceClassification.from_pretrained(
        folder, use_safetensors=True, attn_implementation="eager"
    )
    return OtherForCategories(model, served.tokens.ids.pad)
