"""Two readers of one text: the linear model reads everything, the encoder what is not surely harmless to it.

A category's probability is that of the mean of both log-odds, calibrated anew; how much of the mean is the encoder's
its manifest says (`encoder_share` of each category, a half where there is none). `reach` is the linear probability from
which on a text is given to the encoder, per category: set at training so that of what both together would flag at the
lowest shipped threshold, nearly everything reaches the encoder.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.calibration import Platt, sigmoid
from classifiers.encoder import Encoder
from classifiers.errors import ModelError
from classifiers.linear import LinearModel
from classifiers.normalise.fold import Folded

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Blended:
    """What both say of a batch; columns as the linear model's.

    `encoder` has the encoder's own calibrated log-odds, NaN where it was not asked or has no such category;
    `probabilities` those of both together, and the linear model's alone where the encoder was not asked.
    """

    encoder: Floats
    probabilities: Floats


class Blend:
    """An encoder beside the linear model that it was blended with."""

    def __init__(self, encoder: Encoder, linear: LinearModel) -> None:
        entries = encoder.manifest["categories"]
        if missing := [entry["slug"] for entry in entries if entry["slug"] not in linear.slugs]:
            raise ModelError(encoder.folder, f"no linear column for {', '.join(missing)}", "the linear model it names")
        if not all({"blend", "reach"} <= entry.keys() for entry in entries):
            raise ModelError(
                encoder.folder, "categories without blend and reach", "an encoder of `woodpecker train --encoder`"
            )
        self.encoder, self._linear = encoder, linear
        self._columns = np.array([linear.slugs.index(entry["slug"]) for entry in entries], dtype=np.int64)
        self._blend = [Platt(*entry["blend"]) for entry in entries]
        self._reach = np.array([entry["reach"] for entry in entries], dtype=np.float64)
        self._shares = [_share(encoder, entry) for entry in entries]

    def reached(self, linear: Floats) -> NDArray[np.bool_]:
        """Which texts go to the encoder, given the linear model's probabilities (one row per text)."""
        return np.asarray((linear[:, self._columns] >= self._reach).any(axis=1))

    def read(self, folded: Folded, margins: Floats, linear: Floats, *, every: bool = False) -> Blended:
        """Ask the encoder of what is not surely harmless; `every`: of every text. `margins` and `linear` are the linear
        model's."""
        texts = np.ones(len(folded), dtype=bool) if every else self.reached(linear)
        encoder, found = np.full_like(linear, np.nan), linear.copy()
        if not texts.any():
            return Blended(encoder, found)
        own = self.encoder.margins(folded, texts)[texts]
        for k, column in enumerate(self._columns):
            curve, other = self.encoder.calibration[k], self._linear.calibration[column]
            encoder[texts, column] = odds = curve.slope * own[:, k] + curve.offset
            odds = mean_odds(odds, other.slope * margins[texts, column] + other.offset, self._shares[k])
            found[texts, column] = sigmoid(self._blend[k].slope * odds + self._blend[k].offset)
        return Blended(encoder, found)


def mean_odds(encoder: Floats, linear: Floats, share: float | Floats) -> Floats:
    """Mean of calibrated log-odds, of which `share` is the encoder's: one for all, or one for each column."""
    return share * encoder + (1 - share) * linear


def _share(encoder: Encoder, entry: dict[str, Any]) -> float:
    share = entry.get("encoder_share", 0.5)
    if not isinstance(share, int | float) or not 0 <= share <= 1:
        raise ModelError(encoder.folder, f"{entry['slug']}: encoder_share = {share!r}", "a number from 0 to 1")
    return float(share)
