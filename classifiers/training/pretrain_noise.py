"""What the model is shown in pretraining, and what it is asked: masks, sound-alikes and likely wrong characters.

Replacing by sound is what evaders do, so half of the task is theirs undone (as correction: Cui et al., MacBERT, 2020);
telling which characters were replaced gives every place a task (Clark et al., ELECTRA, 2020), without a generator
network: sound-alikes and followers are drawn from counts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classifiers.alphabet import MASK, SPECIALS
from classifiers.training.pretrain_recipe import Noise
from classifiers.training.pretrain_vectors import Counted
from classifiers.training.tokens import Ids

_LENGTHS = np.array([0.5, 0.3, 0.2])  # spans of one, two and three characters
_MEAN_LENGTH = float((_LENGTHS * (1, 2, 3)).sum())
KEPT, MASKED, BY_SOUND, BY_FOLLOWER = range(4)


@dataclass(frozen=True, slots=True)
class Noised:
    """`ids` as shown; `places`, flat, where the true character is asked for; `replaced`, 1 where a character stands
    that was not there, 0 where one does that was, and −1 where nothing is asked (masks and padding)."""

    ids: Ids
    places: NDArray[np.int64]
    replaced: NDArray[np.int8]


class Noiser:
    """Adds noise to blocks of ids; the same random generator gives the same noise."""

    def __init__(self, noise: Noise, sounds: NDArray[np.int64], counted: Counted) -> None:
        self._noise, self._sounds, self._counted = noise, sounds, counted
        self._by_sound = np.lexsort((np.arange(len(sounds)), sounds))
        weight = np.sqrt(counted.counts[self._by_sound].astype(np.float64)) + 1e-3
        self._before = np.concatenate(([0.0], np.cumsum(weight)))
        ordered = sounds[self._by_sound]
        self._low = np.searchsorted(ordered, sounds, side="left")
        self._high = np.searchsorted(ordered, sounds, side="right")

    def only_masking(self) -> Noiser:
        """The same with every chosen span masked: what a loss is compared by."""
        noise = Noise(share=self._noise.share, masked=1.0, sound=0.0, follower=0.0)
        return Noiser(noise, self._sounds, self._counted)

    def __call__(self, ids: Ids, random: np.random.Generator) -> Noised:
        """Noise a block matrix."""
        action, chosen = self._choose(ids, random)
        shown = ids.copy()
        shown[action == MASKED] = MASK
        heard = (action == BY_SOUND) & (self._sounds[ids] > 0)
        shown[heard] = self.sound_alikes(ids[heard], random)
        follow = np.zeros_like(chosen)
        follow[:, 1:] = (action[:, 1:] == BY_FOLLOWER) & (ids[:, :-1] >= len(SPECIALS))
        shown[follow] = self._following(ids[:, :-1][follow[:, 1:]], random)
        replaced = (shown != ids).astype(np.int8)
        replaced[(shown == MASK) | (ids < len(SPECIALS))] = -1
        return Noised(shown, np.flatnonzero(chosen), replaced)

    def sound_alikes(self, ids: Ids, random: np.random.Generator) -> Ids:
        """A character of the same sound for each id, frequent ones more often; may be the same again."""
        low, high = self._before[self._low[ids]], self._before[self._high[ids]]
        place = np.searchsorted(self._before, low + random.random(len(ids)) * (high - low), side="right") - 1
        found = self._by_sound[np.clip(place, self._low[ids], self._high[ids] - 1)]
        result: Ids = found.astype(np.uint16)
        return result

    def _choose(self, ids: Ids, random: np.random.Generator) -> tuple[NDArray[np.int8], NDArray[np.bool_]]:
        noise = self._noise
        begins = random.random(ids.shape) < noise.share / _MEAN_LENGTH
        lengths = random.choice(3, size=ids.shape, p=_LENGTHS) + 1
        shares = np.cumsum([noise.masked, noise.sound, noise.follower])
        lots = np.searchsorted(shares, random.random(ids.shape), side="right")
        kinds = np.array([MASKED, BY_SOUND, BY_FOLLOWER, KEPT], dtype=np.int8)[lots]
        action, chosen = kinds.copy(), begins.copy()
        for far in (2, 1):
            reached = np.zeros_like(begins)
            reached[:, far:] = begins[:, :-far] & (lengths[:, :-far] > far)
            action[:, far:] = np.where(reached[:, far:], kinds[:, :-far], action[:, far:])
            chosen |= reached
        action[begins] = kinds[begins]
        chosen &= ids >= len(SPECIALS)
        action[~chosen] = KEPT
        return action, chosen

    def _following(self, before: Ids, random: np.random.Generator) -> Ids:
        place = (self._counted.shares[before] < random.random(len(before))[:, None]).sum(axis=1)
        place = np.minimum(place, self._counted.followers.shape[1] - 1)
        result: Ids = self._counted.followers[before, place]
        return result
