"""What a fine-tuning step sees: texts drawn by set, some of them evaded, as ids with what each says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

import numpy as np
from numpy.typing import NDArray

from classifiers.encoder import Tokens
from classifiers.normalise.fold import fold
from classifiers.training.distil import Spoken, Teachers
from classifiers.training.encoder_recipe import Tuning
from classifiers.training.encoder_variants import make_variants
from classifiers.training.evasions import TRAINED, evade
from classifiers.training.rows import UNKNOWN, Rows
from classifiers.training.sets import LabelledSet, named_slugs
from classifiers.windows import Windows

ROUND = 8192  # texts drawn together, so that batches can be of like length


@dataclass(frozen=True, slots=True)
class Batch:
    """`ids` padded; `says` is 1, 0 or `UNKNOWN` per text and category; `odds` are the teachers', if any."""

    ids: NDArray[np.int64]
    says: NDArray[np.int8]
    odds: NDArray[np.float32] | None = None


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
        self._tokens, self._tuning, self._seed, self._teachers = tokens, tuning, seed, teachers
        self._says, self._labelled = with_ordinary(rows, sets), len(rows.texts)
        usable = np.flatnonzero(~rows.held)
        counts = np.bincount(rows.origin[usable], minlength=len(rows.sets)).astype(np.float64)
        mass = np.array([weights.get(name, 1.0) for name in rows.sets]) * counts**tuning.temperature
        each = (mass / np.maximum(counts, 1.0))[rows.origin[usable]]
        self._usable, self._shares = usable, each / each.sum()
        # Labelled texts by the number of their row, then unlabelled ones. What is held back is not even here.
        seen = ["" if apart else text for text, apart in zip(rows.texts, rows.held, strict=True)]
        self._texts = seen + (teachers.texts if teachers else [])
        self._spoken = Spoken(teachers, self._texts) if teachers else None
        variants = tuning.evaded_variants
        self._variants = make_variants(self._texts, tokens, variants, seed) if variants else None

    def round(self, number: int) -> Iterator[Batch]:
        """The batches of a round, in mixed order."""
        random = np.random.default_rng((self._seed, number))
        chosen = random.choice(self._usable, size=ROUND, p=self._shares)
        says = self._says[chosen]
        if self._teachers:
            self._put_unlabelled(chosen, says, number)
        odds = self._spoken(chosen) if self._spoken else None
        cut = self._shown(chosen, number, random)
        batches = list(cut.batches(self._tuning.batch_ids))
        for place in random.permutation(len(batches)):
            ids = cut.padded(batches[place])
            hidden = (random.random(ids.shape) < self._tuning.hidden_characters) & ~self._tokens.special(ids)
            ids[hidden] = self._tokens.mask
            owner = cut.owner[batches[place]]
            yield Batch(ids, says[owner], None if odds is None else odds[owner])

    def _put_unlabelled(self, chosen: NDArray[np.int64], says: NDArray[np.int8], number: int) -> None:
        """Put unlabelled texts, of which nothing is known, in place of some."""
        assert self._teachers
        random = np.random.default_rng((self._seed, number, 1))
        for place in np.flatnonzero(random.random(len(chosen)) < self._teachers.recipe.share):
            chosen[place] = self._labelled + random.integers(len(self._teachers.texts))
            says[place] = UNKNOWN

    def _shown(self, chosen: NDArray[np.int64], number: int, random: np.random.Generator) -> Windows:
        """One window of each text, any of them: a long text would otherwise count many times."""
        if self._variants:
            return self._variants.one_window(chosen, random.random(len(chosen)) < self._tuning.evaded, random)
        by_hand = Random(f"{self._seed}/{number}")  # noqa: S311 - to be repeated, not to be secret
        cut = self._tokens.windows(fold([self._evaded(self._texts[i], by_hand) for i in chosen]))
        lots = random.random(len(cut.owner))
        order = np.lexsort((lots, cut.owner))
        one = order[np.concatenate(([True], np.diff(cut.owner[order]) > 0))]
        return Windows(cut.ids, cut.starts[one], cut.ends[one], cut.owner[one], cut.frame)

    def _evaded(self, text: str, random: Random) -> str:
        return evade(text, random.choice(TRAINED), random) if random.random() < self._tuning.evaded else text


def with_ordinary(rows: Rows, sets: Sequence[LabelledSet]) -> NDArray[np.int8]:
    """What rows say, where ordinary talk also speaks against every category its set's description never names."""
    says = rows.says.copy()
    for number, labelled in enumerate(sets):
        if labelled.ordinary:
            never = np.array([slug not in named_slugs(labelled) for slug in rows.slugs])
            mine = rows.origin == number
            says[mine[:, None] & never & (says == UNKNOWN)] = 0
    return says
