"""What did each part bring? The cascade without it; and the linear model trained without one kind of label.

Measured is the mean over the categories of the average precision, on rows that nothing was trained on, as they stand
and with every text evaded in one way. What a part brought is the difference to everything together, with a 95 %
bootstrap interval over the rows, the same rows drawn for both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import Progress

from classifiers.blend import Blend, Blended
from classifiers.calibration import sigmoid
from classifiers.cascade import Cascade, load_cascade
from classifiers.linear import WEIGHTS, LinearModel, load_model, save_model
from classifiers.normalise.fold import Folded, as_given
from classifiers.rules.engine import RuleEngine
from classifiers.rules.model import load_rules
from classifiers.training.encoder_measure import evaded, log_odds
from classifiers.training.recipe import Recipe, load_recipe
from classifiers.training.resample import drawn_precision, interval
from classifiers.training.rows import UNKNOWN, Rows
from classifiers.training.sets import LabelledSet, Tier
from classifiers.training.train import LEAST, about_run, fit_all, halves, progress_bar, read
from config.taxonomy import SLUGS

ALL = "everything"
LABELS = ("typed", "written", "grown", "weak")
"""Labels given by reading, texts written by us, texts grown from our grammars, labels of models and of word rules."""
POSITIVES, OTHERS = 150, 1500
"""Rows measured: so many of each category, and so many of none. Average precision on them is higher than where harm is
rare; only differences mean something."""
DRAWS = 300
Floats = NDArray[np.float64]


def ablate(
    recipe_path: Path,
    data: Path,
    work: Path,
    *,
    model_dir: Path | None = None,
    tier: Tier = "limited",
    console: Console | None = None,
) -> dict[str, Any]:
    """Measure a cascade without each of its parts, and the recipe's linear model without each kind of label.

    Models are kept in `work`, by name: a second call goes on from those that are there.

    Raises:
        RecipeError: the recipe or the description of the sets is wrong.
        DataError: a set is missing or broken, or a category has too few rows held back.
        ModelError: `model_dir`, or a model in `work`, is none.
    """
    recipe, sets = load_recipe(recipe_path, tier)
    cascade = load_cascade(model_dir)
    with progress_bar(console) as progress:
        rows, digests = read(recipe, sets, data, progress)
        chosen = measured_rows(rows, ~halves(rows, recipe.seed) & rows.held, recipe.seed)
        says = rows.says[chosen]
        plain = [rows.texts[i] for i in chosen]
        texts = {"untouched": plain, "evaded": evaded(plain, recipe.seed)}
        columns = [SLUGS.index(slug) for slug in rows.slugs]
        task = progress.add_task("measuring parts", total=5)
        parts = {}
        for name, variant in _parts(cascade).items():
            parts[name] = {kind: variant.scores(some)[:, columns] for kind, some in texts.items()}
            progress.advance(task)
        task = progress.add_task("training without labels", total=1 + len(LABELS))
        labels = {}
        for kind in (ALL, *LABELS):
            model = trained_without(kind, recipe, sets, rows, digests, data, work, progress)
            alone = Cascade(model, cascade.engine, cascade.readers)
            labels[kind] = {name: alone.scores(some)[:, columns] for name, some in texts.items()}
            progress.advance(task)
    draws = np.random.default_rng(recipe.seed).multinomial(len(chosen), np.full(len(chosen), 1 / len(chosen)), DRAWS)
    return {
        "version": cascade.version,
        "recipe": recipe.version,
        "rows": len(chosen),
        "trained_rows": int((~rows.held).sum()),
        "parts": _compared(parts, says, draws),
        "labels": _compared(labels, says, draws),
    }


def measured_rows(rows: Rows, able: NDArray[np.bool_], seed: int) -> NDArray[np.int64]:
    """Numbers of up to `POSITIVES` rows of each category, and `OTHERS` of none, in order."""
    random = np.random.default_rng(seed)
    found = [
        random.permutation(np.flatnonzero(able & (rows.says[:, k] == 1)))[:POSITIVES] for k in range(len(rows.slugs))
    ]
    found.append(random.permutation(np.flatnonzero(able & ~(rows.says == 1).any(axis=1)))[:OTHERS])
    return np.unique(np.concatenate(found))


class _EncoderAlone(Blend):
    """The encoder's own calibrated probability for every text, in place of the blend."""

    def read(self, folded: Folded, margins: Floats, linear: Floats, *, every: bool = False) -> Blended:
        odds, found = np.full_like(linear, np.nan), linear.copy()
        odds[:, self._columns] = log_odds(self.encoder.margins(folded), self.encoder.calibration)
        found[:, self._columns] = sigmoid(odds[:, self._columns])
        return Blended(odds, found)


def _parts(cascade: Cascade) -> dict[str, Cascade]:
    """The cascade, and what it is without each of its parts."""
    model, engine, readers, blend = cascade.model, cascade.engine, cascade.readers, cascade.blend
    silent = RuleEngine(replace(load_rules(), rules=()))
    found = {
        ALL: cascade,
        "rules": Cascade(model, silent, readers, blend),
        "second readings": Cascade(model, engine, (), blend),
        "undoing": Cascade(model, engine, (), blend, fold=as_given),
    }
    if blend is not None:
        found["linear"] = Cascade(model, engine, readers, _EncoderAlone(blend.encoder, model))
        found["encoder"] = Cascade(model, engine, readers)
    return found


def trained_without(
    kind: str,
    recipe: Recipe,
    sets: list[LabelledSet],
    full: Rows,
    digests: dict[str, str],
    data: Path,
    work: Path,
    progress: Progress,
) -> LinearModel:
    """Train the recipe's linear model without one of `LABELS`, or with all; one that is in `work` is taken from there.

    What is held back, and what it says, is the same for all: they are calibrated and measured on one thing. A category
    for which nothing else is labelled is not trained: word rules alone speak for it.

    Raises:
        DataError: a set is missing or broken, or a category has too few rows held back.
    """
    version = f"{recipe.version}-without-{kind}" if kind != ALL else recipe.version
    folder = work / version
    if not (folder / WEIGHTS).is_file():
        same = all(without(kind, entry) == entry for entry in sets)
        fewer = full if same else read(recipe, [without(kind, entry) for entry in sets], data, progress)[0]
        rows = joined(fewer, full, [entry.name for entry in sets if silenced(kind, entry)])
        rows, recipe = _trainable(rows, recipe)
        columns, weights = fit_all(rows, recipe, halves(rows, recipe.seed), data, lambda: None)
        about = about_run(recipe, rows, sets, digests, 0.0) | {"without": kind}
        save_model(folder, version=version, bits=recipe.bits, columns=columns, weights=weights, about=about)
    return load_model(folder)


def _trainable(rows: Rows, recipe: Recipe) -> tuple[Rows, Recipe]:
    """Without the categories that nothing is left to train on: word rules alone speak for them."""
    kept = [k for k in range(len(rows.slugs)) if all((rows.says[~rows.held, k] == v).sum() >= LEAST for v in (0, 1))]
    slugs = tuple(rows.slugs[k] for k in kept)
    columns = {slug: recipe.columns[slug] for slug in slugs}
    return replace(rows, says=rows.says[:, kept], slugs=slugs), recipe.model_copy(update={"columns": columns})


def without(kind: str, entry: LabelledSet) -> LabelledSet:
    """A set without its evidence of one kind."""
    kept = [e for e in entry.evidence if not (e.typed_by_reading if kind == "typed" else e.typed_by_rules)]
    return entry.model_copy(update={"evidence": tuple(kept)}) if kind in ("typed", "weak") else entry


def silenced(kind: str, entry: LabelledSet) -> bool:
    """Whether every label of a set is of one kind."""
    ours = "grown" if entry.grown else "written"
    return (kind == ours and entry.ours) or (kind == "weak" and entry.weak)


def joined(fewer: Rows, full: Rows, silent: Sequence[str]) -> Rows:
    """What is trained on, of the one, but for sets that are silent; what is held back, of the other."""
    left_out = [full.sets.index(name) for name in silent]
    train, held = np.flatnonzero(~fewer.held & ~np.isin(fewer.origin, left_out)), np.flatnonzero(full.held)
    return Rows(
        texts=[fewer.texts[i] for i in train] + [full.texts[i] for i in held],
        slugs=full.slugs,
        says=np.concatenate([fewer.says[train], full.says[held]]),
        held=np.concatenate([fewer.held[train], full.held[held]]),
        # Groups only split what is held back in halves: those of the training rows, of another reading, are left out.
        group=np.concatenate([np.zeros(len(train), dtype=np.int64), full.group[held]]),
        origin=np.concatenate([fewer.origin[train], full.origin[held]]),
        sets=full.sets,
    )


def _compared(found: dict[str, dict[str, Floats]], says: NDArray[np.int8], draws: NDArray[np.int64]) -> dict[str, Any]:
    """By variant and texts: the figure, and what everything together has more, with its interval."""
    once = np.ones((1, len(says)), dtype=np.int64)
    drawn = {
        (name, kind): mean_precision(scores, says, np.concatenate([once, draws]))
        for name, by_kind in found.items()
        for kind, scores in by_kind.items()
    }
    compared: dict[str, Any] = {}
    for (name, kind), values in drawn.items():
        brought = drawn[ALL, kind] - values
        low, high = interval(brought[1:])
        compared.setdefault(name, {})[kind] = {
            "average_precision": round(float(values[0]), 4),
            "brought": round(float(brought[0]), 4),
            "interval": [round(low, 4), round(high, 4)],
        }
    return compared


def mean_precision(scores: Floats, says: NDArray[np.int8], draws: NDArray[np.int64]) -> Floats:
    """Mean over the categories of the average precision, one for each draw; `draws[d, i]` is how often row i counts."""
    total, categories = np.zeros(len(draws)), 0
    for k in range(says.shape[1]):
        known = np.flatnonzero(says[:, k] != UNKNOWN)
        order = known[np.argsort(-scores[known, k], kind="stable")]
        true = says[order, k] == 1
        if not true.any():
            continue
        total += drawn_precision(draws[:, order], true)
        categories += 1
    return total / max(1, categories)
