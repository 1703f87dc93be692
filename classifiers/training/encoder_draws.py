"""What a fine-tuning step sees: texts drawn by set, some of them evaded, as ids with what each says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

import numpy as np
from numpy.typing import NDArray

from classifiers.encoder import Tokens
from classifiers.normalise.fold import fold
from classifiers.training.distil import Teachers
from classifiers.training.encoder_recipe import Tuning
from classifiers.training.evasions import EVASIONS, evade
from classifiers.training.rows import UNKNOWN, Rows
from classifiers.training.sets import LabelledSet, named_slugs

ROUND = 8192  # texts drawn together, so that batches can be of like length
_KINDS = tuple(EVASIONS)


@dataclass(frozen=True, slots=True)
class Batch:
    """`ids` padded; `says` is 1, 0 or `UNKNOWN` per text and category; `odds` are the teachers', if any."""

    ids: NDArray[np.int64]
    says: NDArray[np.int8]
    odds: NDArray[np.float64] | None = None


class Draws:
    """Draws texts; round number r is the same whenever it is asked for."""

    def __init__(
        self,
        rows: Rows,
        sets: Sequence[LabelledSet],
        weights: dict[str, float],
        tokens: Tokens,
        tuning: Tuning,
        seed: int,
        teachers: Teachers | None = None,
    ) -> None:
        self._rows, self._tokens, self._tuning, self._seed = rows, tokens, tuning, seed
        self._teachers = teachers
        self._says = with_ordinary(rows, sets)
        usable = np.flatnonzero(~rows.held)
        counts = np.bincount(rows.origin[usable], minlength=len(rows.sets)).astype(np.float64)
        mass = np.array([weights.get(name, 1.0) for name in rows.sets]) * counts**tuning.temperature
        each = (mass / np.maximum(counts, 1.0))[rows.origin[usable]]
        self._usable, self._shares = usable, each / each.sum()

    def round(self, number: int) -> Iterator[Batch]:
        """The batches of a round, in mixed order."""
        random = np.random.default_rng((self._seed, number))
        chosen = random.choice(self._usable, size=ROUND, p=self._shares)
        by_hand = Random(f"{self._seed}/{number}")  # noqa: S311 - to be repeated, not to be secret
        texts, says = [self._rows.texts[i] for i in chosen], self._says[chosen]
        odds = self._taught(texts, says, number) if self._teachers else None
        cut = self._tokens.windows(fold([self._shown(text, by_hand) for text in texts]))
        # One window of each text, any of them: a long text would otherwise count many times.
        lots = random.random(len(cut.owner))
        order = np.lexsort((lots, cut.owner))
        one = order[np.concatenate(([True], np.diff(cut.owner[order]) > 0))]
        batches = list(cut.batches(self._tuning.batch_ids, one))
        for place in random.permutation(len(batches)):
            ids = cut.padded(batches[place])
            hidden = (random.random(ids.shape) < self._tuning.hidden_characters) & ~self._tokens.special(ids)
            ids[hidden] = self._tokens.mask
            owner = cut.owner[batches[place]]
            yield Batch(ids, says[owner], None if odds is None else odds[owner])

    def _taught(self, texts: list[str], says: NDArray[np.int8], number: int) -> NDArray[np.float64]:
        """Put unlabelled texts in place of some; returns what the teachers say of each as it was written."""
        assert self._teachers
        random = np.random.default_rng((self._seed, number, 1))
        for place in np.flatnonzero(random.random(len(texts)) < self._teachers.recipe.share):
            texts[place] = self._teachers.texts[random.integers(len(self._teachers.texts))]
            says[place] = UNKNOWN
        return self._teachers.odds(texts)

    def _shown(self, text: str, random: Random) -> str:
        return evade(text, random.choice(_KINDS), random) if random.random() < self._tuning.evaded else text


def with_ordinary(rows: Rows, sets: Sequence[LabelledSet]) -> NDArray[np.int8]:
    """What rows say, where ordinary talk also speaks against every category its set's description never names."""
    says = rows.says.copy()
    for number, labelled in enumerate(sets):
        if labelled.ordinary:
            never = np.array([slug not in named_slugs(labelled) for slug in rows.slugs])
            mine = rows.origin == number
            says[mine[:, None] & never & (says == UNKNOWN)] = 0
    return says
