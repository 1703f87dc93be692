"""A trained encoder made smaller: what is kept says the same, what is given up is the weakest."""

from __future__ import annotations

import pytest
import torch

from classifiers.training.encoder_model import WoodpeckerConfig, WoodpeckerForCategories
from classifiers.training.shrink import HASHED, Shrunk, parameters, shrink


@pytest.fixture
def model() -> WoodpeckerForCategories:
    torch.manual_seed(1)
    shape = {"hidden": 16, "heads": 2, "inner": 16, "character": 8, "pair": 8, "triple": 8, "sound": 4, "sound_pair": 4}
    buckets = {"pair_buckets": 64, "triple_buckets": 64, "sound_pair_buckets": 32}
    made = WoodpeckerForCategories(
        WoodpeckerConfig(vocab_size=50, classes=["bullying", "gambling"], **shape, **buckets)
    )
    made.encoder.embedding.sound_of.copy_(torch.randint(0, 400, (50,)))
    return made.eval()


def said(model: WoodpeckerForCategories) -> torch.Tensor:
    ids = torch.randint(4, 50, (5, 12), generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        return model(ids)


def test_nothing_given_up_is_the_same_encoder(model: WoodpeckerForCategories) -> None:
    assert torch.allclose(said(shrink(model, Shrunk())), said(model), atol=1e-5)


def test_directions_that_no_row_uses_are_given_up_for_nothing(model: WoodpeckerForCategories) -> None:
    with torch.no_grad():
        for name in ("character", "pair", "triple", "sound", "sound_pair"):
            table = getattr(model.encoder.embedding, name).weight
            wide = table.shape[1]
            table.copy_(table[:, : wide // 2] @ torch.randn(wide // 2, wide))
    smaller = shrink(model, Shrunk(width=0.5))
    assert smaller.config.pair == 4
    assert parameters(smaller) < parameters(model)
    assert torch.allclose(said(smaller), said(model), atol=1e-4)


def test_of_rows_that_become_one_the_longer_is_kept(model: WoodpeckerForCategories) -> None:
    with torch.no_grad():
        for name in HASHED:
            table = getattr(model.encoder.embedding, name).weight
            half = len(table) // 2
            table[half::2], table[1:half:2] = 0, 0  # of each two rows one was never seen
    smaller = shrink(model, Shrunk(rows=2))
    assert (smaller.config.pair_buckets, smaller.config.sound_pair_buckets) == (32, 16)
    old, new = model.encoder.embedding.pair.weight, smaller.encoder.embedding.pair.weight
    assert torch.equal(new[0], old[0])
    assert torch.equal(new[1], old[33])


def test_a_table_that_cannot_be_parted_so_is_named(model: WoodpeckerForCategories) -> None:
    with pytest.raises(ValueError, match="pair: 64 rows cannot be parted in 3"):
        shrink(model, Shrunk(rows=3))
