"""Blocks are parts of one stream each, the same for the same step, from memory as from a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from classifiers.training.device import seeded
from classifiers.training.pretrain_blocks import Blocks, _joined
from classifiers.training.pretrain_corpus import Mixture

CPU = torch.device("cpu")
STREAMS = (np.arange(4, 504, dtype=np.uint16), np.full(300, 60_000, dtype=np.uint16), np.arange(700, 800, dtype="<u2"))
MIXTURE = Mixture(STREAMS, np.array([0.5, 0.3, 0.2]))


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**31), st.integers(1, 40), st.integers(1, 100))
def test_a_block_is_a_part_of_one_stream(seed: int, batch: int, length: int) -> None:
    drawn = Blocks(MIXTURE, CPU).draw(batch, length, seeded(CPU, seed))
    assert drawn.shape == (batch, length)
    within = [b"".join(int(i).to_bytes(2, "little") for i in stream) for stream in STREAMS]
    for row in drawn.numpy().astype("<u2"):
        assert any(row.tobytes() in whole for whole in within)


def test_a_step_draws_the_same_blocks_whenever_it_is_asked_for() -> None:
    blocks = Blocks(MIXTURE, CPU)
    first = blocks.draw(8, 16, seeded(CPU, 1, 5))
    assert (blocks.draw(8, 16, seeded(CPU, 1, 6)) != first).any()
    assert (blocks.draw(8, 16, seeded(CPU, 1, 5)) == first).all()


def test_streams_are_drawn_from_by_their_share() -> None:
    first = Blocks(MIXTURE, CPU).draw(4000, 1, seeded(CPU, 2))[:, 0]
    assert (first == 60_000).float().mean().item() == pytest.approx(0.3, abs=0.03)
    assert (first < 504).float().mean().item() == pytest.approx(0.5, abs=0.03)


def test_streams_in_one_memory_give_what_streams_in_files_give(tmp_path: Path) -> None:
    """As on a GPU, where all streams lie one after another."""
    files = []
    for number, ids in enumerate(STREAMS):
        np.save(tmp_path / f"{number}.npy", ids)
        files.append(np.load(tmp_path / f"{number}.npy", mmap_mode="c"))
    mapped = Blocks(Mixture(tuple(files), MIXTURE.shares), CPU)
    together = Blocks(MIXTURE, CPU)
    together._together = _joined(together._streams, CPU)
    assert (mapped.draw(50, 20, seeded(CPU, 7)) == together.draw(50, 20, seeded(CPU, 7))).all()
