"""What the model is shown in pretraining, and what it is asked: masks, sound-alikes and likely wrong characters.

Replacing by sound is what evaders do, so half of the task is theirs undone (as correction: Cui et al., MacBERT, 2020);
telling which characters were replaced gives every place a task (Clark et al., ELECTRA, 2020), without a generator
network: sound-alikes and followers are drawn from counts.

All of it is computed where the model is, and no shape depends on what is drawn: a GPU neither waits for the processor
nor compiles anything twice.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from classifiers.alphabet import MASK, PAD, SPECIALS
from classifiers.training.pretrain_recipe import Noise
from classifiers.training.pretrain_vectors import Counted

IGNORED = -100  # in `Noised.truth`: nothing is asked
_LENGTHS = np.array([0.5, 0.3, 0.2])  # spans of one, two and three characters
_MEAN_LENGTH = float((_LENGTHS * (1, 2, 3)).sum())
MASKED, BY_SOUND, BY_FOLLOWER, KEPT = range(4)


@dataclass(frozen=True, slots=True)
class Noised:
    """`ids` (texts × length) as shown; `places`, flat, where the true character is asked for, and `truth`, which it
    is, or `IGNORED` where fewer were chosen than there is room for; `replaced` (texts × length), 1 where a character
    stands that was not there, 0 where one does that was, and −1 where nothing is asked (masks and special tokens)."""

    ids: Tensor
    places: Tensor
    truth: Tensor
    replaced: Tensor

    def to(self, device: torch.device) -> Noised:
        """The same on a device."""
        return Noised(self.ids.to(device), self.places.to(device), self.truth.to(device), self.replaced.to(device))


class Noiser:
    """Adds noise to blocks of ids on a device; the same generator in the same state gives the same noise."""

    def __init__(self, noise: Noise, sounds: NDArray[np.int64], counted: Counted, device: torch.device) -> None:
        def kept(values: NDArray[np.generic]) -> Tensor:
            return torch.from_numpy(np.ascontiguousarray(values)).to(device)

        by_sound = np.lexsort((np.arange(len(sounds)), sounds))
        weight = np.sqrt(counted.counts[by_sound].astype(np.float64)) + 1e-3
        ordered = sounds[by_sound]
        self._noise = noise
        self._sounds, self._by_sound = kept(sounds), kept(by_sound)
        self._before = kept(np.concatenate(([0.0], np.cumsum(weight))))
        self._low = kept(np.searchsorted(ordered, sounds, side="left"))
        self._high = kept(np.searchsorted(ordered, sounds, side="right"))
        self._followers, self._shares = kept(counted.followers.astype(np.int64)), kept(counted.shares)
        self._lengths = kept(np.cumsum(_LENGTHS)[:-1].astype(np.float32))
        self._kinds = kept(np.cumsum([noise.masked, noise.sound, noise.follower]).astype(np.float32))

    def __call__(self, ids: Tensor, generator: torch.Generator) -> Noised:
        """Noise a block matrix of ids, int64."""
        kinds, chosen = self._choose(ids, generator)
        places, truth, chosen = _room(ids, chosen, max(1, math.ceil(ids.numel() * self._noise.share)))
        kinds = torch.where(chosen, kinds, KEPT)
        shown = torch.where(kinds == MASKED, MASK, ids)
        heard = (kinds == BY_SOUND) & (self._sounds[ids] > 0)
        shown = torch.where(heard, self.sound_alikes(ids, generator), shown)
        before = functional.pad(ids[:, :-1], (1, 0), value=PAD)
        follow = (kinds == BY_FOLLOWER) & (before >= len(SPECIALS))
        shown = torch.where(follow, self._following(before, generator), shown)
        replaced = torch.where((shown == MASK) | (ids < len(SPECIALS)), -1, (shown != ids).long())
        return Noised(shown, places, truth, replaced)

    def sound_alikes(self, ids: Tensor, generator: torch.Generator) -> Tensor:
        """A character of the same sound for each id, frequent ones more often; may be the same again."""
        low, high = self._before[self._low[ids]], self._before[self._high[ids]]
        lots = torch.rand(ids.shape, dtype=torch.float64, device=ids.device, generator=generator)
        place = torch.searchsorted(self._before, low + lots * (high - low), right=True) - 1
        return self._by_sound[torch.minimum(torch.maximum(place, self._low[ids]), self._high[ids] - 1)]

    def _choose(self, ids: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """What is to be done to each character, and whether it was chosen at all."""
        lots = torch.rand((3, *ids.shape), device=ids.device, generator=generator)
        begins = lots[0] < self._noise.share / _MEAN_LENGTH
        lengths = torch.bucketize(lots[1], self._lengths, right=True) + 1
        own = torch.bucketize(lots[2], self._kinds, right=True)
        kinds, chosen = own.clone(), begins.clone()
        for far in (2, 1):
            reached = begins[:, :-far] & (lengths[:, :-far] > far)
            kinds[:, far:] = torch.where(reached, own[:, :-far], kinds[:, far:])
            chosen[:, far:] |= reached
        return torch.where(begins, own, kinds), chosen & (ids >= len(SPECIALS))

    def _following(self, before: Tensor, generator: torch.Generator) -> Tensor:
        lots = torch.rand((*before.shape, 1), device=before.device, generator=generator)
        place = (self._shares[before] < lots).sum(dim=-1)
        return self._followers[before, place.clamp(max=self._followers.shape[1] - 1)]


def only_masking(noise: Noise) -> Noise:
    """The same with every chosen span masked: what a loss is compared by."""
    return Noise(share=noise.share, masked=1.0, sound=0.0, follower=0.0)


def _room(ids: Tensor, chosen: Tensor, room: int) -> tuple[Tensor, Tensor, Tensor]:
    """The first `room` chosen places, flat, the ids there, and the chosen ones again without those beyond."""
    flat = chosen.reshape(-1)
    rank = flat.cumsum(0)
    flat = flat & (rank <= room)
    slot = torch.where(flat, rank - 1, room)  # what is not asked is put into one slot more, and dropped with it
    places = torch.zeros(room + 1, dtype=torch.long, device=ids.device)
    places = places.scatter(0, slot, torch.arange(ids.numel(), device=ids.device))[:room]
    there = torch.arange(room, device=ids.device) < rank[-1]
    places = torch.where(there, places, 0)
    return places, torch.where(there, ids.reshape(-1)[places], IGNORED), flat.reshape(ids.shape)
