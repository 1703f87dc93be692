"""What a pretraining step shows and asks: always as many places, sound-alikes that sound alike, edges untouched."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from classifiers.alphabet import MASK, SEP
from classifiers.training.device import seeded
from classifiers.training.pretrain_noise import IGNORED, Noised, Noiser, only_masking
from classifiers.training.pretrain_recipe import Noise
from classifiers.training.tokens import pack
from tests.classifiers.training.test_pretrain_inputs import ALPHABET, SOUNDS, counted

TEXTS = ["作文课春游天天", "有客游春", "a1作文"] * 100
COUNTED = counted(TEXTS)
CPU = torch.device("cpu")
SOUND = torch.from_numpy(SOUNDS)
IDS = torch.from_numpy(pack(iter([TEXTS]), ALPHABET)[:1280].reshape(40, 32).astype(np.int64))


def noised(noise: Noise, seed: int, ids: torch.Tensor = IDS) -> Noised:
    return Noiser(noise, SOUNDS, COUNTED, CPU)(ids, seeded(CPU, seed))


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 2**31),
    st.floats(0, 1),
    st.tuples(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1)).filter(lambda shares: sum(shares) <= 1),
)
def test_noise_asks_only_where_it_chose_and_keeps_the_edges(
    seed: int, share: float, shares: tuple[float, float, float]
) -> None:
    noise = Noise(share=share, masked=shares[0], sound=shares[1], follower=shares[2])
    ids = IDS[:10]
    made = noised(noise, seed, ids)
    there = made.truth != IGNORED
    asked = torch.zeros(ids.numel(), dtype=torch.bool)
    asked[made.places[there]] = True
    assert asked.sum() == there.sum()  # no place twice
    assert (made.truth[there] == ids.reshape(-1)[made.places[there]]).all()
    asked = asked.reshape(ids.shape)
    assert ((made.ids == ids) | asked).all()
    assert not asked[ids == SEP].any()
    assert (made.ids[ids == SEP] == SEP).all()
    assert (made.replaced[ids == SEP] == -1).all()
    assert (made.replaced[made.ids == MASK] == -1).all()
    assert ((made.replaced == 1) == ((made.ids != ids) & (made.ids != MASK))).all()


@given(st.integers(0, 2**31), st.floats(0, 1))
@settings(max_examples=30, deadline=None)
def test_every_step_asks_for_as_many_places_whatever_was_drawn(seed: int, share: float) -> None:
    made = noised(Noise(share=share), seed)
    assert made.places.shape == made.truth.shape == (max(1, math.ceil(IDS.numel() * share)),)
    assert made.ids.shape == made.replaced.shape == IDS.shape


def test_about_the_share_is_chosen_and_of_it_each_kind() -> None:
    noise = Noise(share=0.15, masked=0.5, sound=0.0, follower=0.0)
    ids = IDS.repeat(20, 1)
    made = noised(noise, 5, ids)
    usable = int((ids != SEP).sum())
    chosen, masked = int((made.truth != IGNORED).sum()), int((made.ids == MASK).sum())
    assert chosen / usable == pytest.approx(0.145, abs=0.01)  # spans overlap
    assert masked / chosen == pytest.approx(0.5, abs=0.04)


def test_the_same_generator_gives_the_same_noise_and_another_gives_another() -> None:
    first, again, other = (noised(Noise(), seed) for seed in (3, 3, 4))
    assert (first.ids == again.ids).all()
    assert (first.truth == again.truth).all()
    assert (first.ids != other.ids).any()


def test_a_replacement_by_sound_sounds_the_same() -> None:
    noise = Noise(share=0.9, masked=0, sound=1, follower=0)
    made = noised(noise, 3)
    assert (made.replaced == 1).sum() > 50
    assert (SOUND[made.ids] == SOUND[IDS]).all()
    assert (made.ids == IDS)[SOUND[IDS] == 0].all()
    assert (noised(only_masking(noise), 3).replaced != 1).all()


def test_sound_alikes_are_drawn_by_the_root_of_how_frequent_they_are() -> None:
    seen = dict(zip("作坐座", (100, 400, 900), strict=True))
    counts = np.zeros(len(ALPHABET), dtype=np.int64)
    for char, number in seen.items():
        counts[ALPHABET.lookup[ord(char)]] = number
    noiser = Noiser(Noise(), SOUNDS, replace(COUNTED, counts=counts), CPU)
    drawn = noiser.sound_alikes(torch.full((30_000,), int(ALPHABET.lookup[ord("作")])), seeded(CPU, 1))
    shares = [float((drawn == int(ALPHABET.lookup[ord(char)])).float().mean()) for char in seen]
    assert shares == pytest.approx([1 / 6, 1 / 3, 1 / 2], abs=0.015)


def test_a_follower_is_one_that_followed_in_the_texts() -> None:
    made = noised(Noise(share=0.3, masked=0, sound=0, follower=1), 4)
    followed = {text[k : k + 2] for text in TEXTS for k in range(len(text) - 1)}
    character = dict(enumerate(("", "", "", "", *ALPHABET.characters)))
    replaced = (made.replaced == 1).nonzero().tolist()
    odd = sum(
        character[int(IDS[row, column - 1])] + character[int(made.ids[row, column])] not in followed
        for row, column in replaced
    )
    assert len(replaced) > 10
    assert odd <= 0.05 * len(replaced)
