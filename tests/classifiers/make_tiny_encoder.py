"""Makes tests/classifiers/tiny_encoder, an encoder of random weights small enough to keep: its graph has every part of
the one that ships, so what serves it is tested where torch is not installed.

    python -m tests.classifiers.make_tiny_encoder      (needs the extra [train])
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from classifiers.alphabet import Alphabet
from classifiers.encoder import TOKENIZER, save_manifest
from classifiers.normalise import fold
from classifiers.training.encoder_model import WoodpeckerConfig, WoodpeckerForCategories
from classifiers.training.encoder_train import logits_of
from classifiers.training.export import export
from classifiers.training.pretrain_vectors import sounds_of
from classifiers.training.tokens import save_tokenizer

FOLDER = Path(__file__).parent / "tiny_encoder"
TEXTS = ["今天的作文课真有意思", "春游去哪里", "", "作文" * 100, "abc 作文课！"]


def main() -> None:
    """Write the folder."""
    torch.manual_seed(3)
    alphabet = Alphabet.of(list("今天的作文课真有意思春游去哪里 abc!"))
    config = WoodpeckerConfig(
        vocab_size=len(alphabet), hidden=16, layers=2, heads=2, inner=32, reach=8, character=8, pair=8,
        pair_buckets=64, triple=8, triple_buckets=64, sound=4, sound_pair=4, sound_pair_buckets=64,
        classes=["bullying", "gambling"],
    )  # fmt: skip
    model = WoodpeckerForCategories(config).eval()
    model.encoder.embedding.sound_of.copy_(torch.from_numpy(sounds_of(alphabet)))
    torch.nn.init.normal_(model.heads.weight, std=2.0)
    FOLDER.mkdir(exist_ok=True)
    export(model, alphabet, FOLDER, TEXTS)
    save_tokenizer(alphabet, FOLDER / TOKENIZER)
    categories = [{"slug": slug, "platt": [1.5, -0.5], "blend": [1.0, 0.0]} for slug in config.classes]
    save_manifest(FOLDER, version="tiny", categories=categories, about={})
    np.save(FOLDER / "logits.npy", logits_of(model, alphabet, fold(TEXTS)))


if __name__ == "__main__":
    main()
