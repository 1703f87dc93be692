"""Distillation: a student learns what teachers say of labelled and of unlabelled texts, evaded ones included.

The loss is that of Hinton, Vinyals and Dean, "Distilling the Knowledge in a Neural Network" (2015), for independent
categories: logistic loss against the teachers' probabilities at a temperature, beside the loss against the labels.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from classifiers.calibration import Platt
from classifiers.encoder import GRAPH, Encoder, load_encoder
from classifiers.errors import DataError, ModelError
from classifiers.normalise import Folded, fold
from classifiers.training.encoder_recipe import Distilling
from classifiers.training.tokens import corpus_lines, file_digest

LONGEST_LINE = 500  # characters of an unlabelled text that a student is shown


class Teacher(Protocol):
    """A served encoder, or what stands for one."""

    @property
    def folder(self) -> Path: ...

    @property
    def slugs(self) -> tuple[str, ...]: ...

    @property
    def calibration(self) -> tuple[Platt, ...]: ...

    def margins(self, folded: Folded) -> NDArray[np.float64]: ...


class Teachers:
    """Encoders whose calibrated log-odds are averaged, and unlabelled texts that they speak of."""

    def __init__(self, encoders: Sequence[Teacher], slugs: Sequence[str], texts: list[str], recipe: Distilling) -> None:
        for encoder in encoders:
            if missing := [slug for slug in slugs if slug not in encoder.slugs]:
                raise ModelError(encoder.folder, f"no head for {', '.join(missing)}", "every category of the recipe")
        self.encoders, self.texts, self.recipe = encoders, texts, recipe
        self._columns = [[encoder.slugs.index(slug) for slug in slugs] for encoder in encoders]

    def odds(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Mean calibrated log-odds, one row per text, columns in the order of the recipe's categories."""
        folded = fold(texts)
        every = []
        for encoder, columns in zip(self.encoders, self._columns, strict=True):
            margins = encoder.margins(folded)[:, columns]
            curves = [encoder.calibration[column] for column in columns]
            every.append(margins * [curve.slope for curve in curves] + [curve.offset for curve in curves])
        return np.asarray(np.mean(every, axis=0))


class Spoken:
    """What teachers say of texts as they were written, each read once, when it is first asked for."""

    def __init__(self, teachers: Teachers, texts: Sequence[str]) -> None:
        self._teachers, self._texts = teachers, texts
        self._odds: NDArray[np.float32] | None = None
        self._read = np.zeros(len(texts), dtype=bool)

    def __call__(self, chosen: NDArray[np.int64]) -> NDArray[np.float32]:
        """Mean log-odds of the texts of these numbers, one row each."""
        new = np.unique(chosen[~self._read[chosen]])
        if len(new):
            odds = self._teachers.odds([self._texts[number] for number in new])
            if self._odds is None:
                self._odds = np.empty((len(self._texts), odds.shape[1]), dtype=np.float32)
            self._odds[new], self._read[new] = odds, True
        assert self._odds is not None
        return np.asarray(self._odds[chosen])


def load_teachers(
    folders: Sequence[Path],
    recipe: Distilling,
    slugs: Sequence[str],
    data: Path,
    threads: int,
    speaks: Callable[[Encoder], Teacher],
) -> tuple[Teachers, dict[str, str]]:
    """Load teachers and unlabelled texts; returns them with the SHA-256 of every file that was read. `speaks` gives
    what says an encoder's logits: it, or its float model on a GPU.

    Raises:
        ModelError: a folder holds no served encoder, or lacks a category.
        DataError: a corpus is missing or damaged.
    """
    encoders = [load_encoder(folder, threads=threads) for folder in folders]
    digests = {f"{encoder.version}/{GRAPH}": encoder.manifest["files"][GRAPH] for encoder in encoders}
    texts: list[str] = []
    for name in recipe.unlabelled:
        path = data / name
        if not path.is_file():
            raise DataError(path, "unlabelled", "no such file", "a corpus below the data folder")
        lines = (line[:LONGEST_LINE] for batch in corpus_lines(path) for line in batch)
        texts += islice(lines, recipe.most)
        digests[path.name] = file_digest(path)
    if recipe.share > 0 and not texts:
        raise DataError(data, "unlabelled", "no text", "corpora that hold some, or distil.share: 0")
    return Teachers([speaks(encoder) for encoder in encoders], slugs, texts, recipe), digests
