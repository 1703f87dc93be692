"""Train a model from a recipe: rows → columns → calibration → model folder → figures → card."""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version as installed
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from classifiers.calibration import Platt, fit_platt
from classifiers.cascade import load_cascade
from classifiers.errors import DataError, ModelError
from classifiers.evaluation.reliability import draw
from classifiers.evaluation.thresholds import HeldBack
from classifiers.linear import MODELS, quantise, save_model
from classifiers.rules.engine import RuleEngine
from classifiers.rules.model import load_rules
from classifiers.rules.reading import RuleReader
from classifiers.training.evasions import TRAINED, evade
from classifiers.training.fit import counts, fit_column
from classifiers.training.kept_columns import KeptColumns
from classifiers.training.measure import measure_model
from classifiers.training.pretrain_checkpoint import alone
from classifiers.training.recipe import Column, Recipe, load_recipe
from classifiers.training.rows import UNKNOWN, Rows, load_rows, lot
from classifiers.training.sets import LabelledSet, Tier
from config.taxonomy import SLUGS

CARD, RELIABILITY = "card.json", "reliability.svg"
LEAST = 10  # positives and negatives a column needs, on each side


@dataclass(frozen=True, slots=True)
class Trained:
    """What a run made: the model's folder and the figures in its card."""

    folder: Path
    card: dict[str, Any]


def train(
    recipe_path: Path,
    data: Path,
    work: Path,
    *,
    models: Path = MODELS,
    tier: Tier = "limited",
    console: Console | None = None,
) -> Trained:
    """Train and measure a model; goes on from the columns that an ended run kept in `work`.

    Raises:
        RecipeError: the recipe or the description of the sets is wrong.
        DataError: a set is missing or broken, or a category has too few rows.
        ModelError: a column that was kept is damaged, or another process is at work on the run.
    """
    began = time.monotonic()
    recipe, sets = load_recipe(recipe_path, tier)
    version = recipe.version if tier == "limited" else f"{recipe.version}-{tier}"
    with alone(work / version), progress_bar(console) as progress:
        rows, digests = read(recipe, sets, data, progress)
        rows = with_evaded(rows, recipe.evaded, recipe.seed)
        calibrating = halves(rows, recipe.seed)
        task = progress.add_task("fitting", total=len(recipe.columns))
        columns, weights = fit_all(
            rows,
            recipe,
            calibrating,
            data,
            lambda: progress.advance(task),
            work=work / version,
            say=partial(progress.console.print, markup=False),
        )
    folder = models / version
    about = about_run(recipe, rows, sets, digests, time.monotonic() - began)
    save_model(folder, version=version, bits=recipe.bits, columns=columns, weights=weights, about=about)
    card = measure_model(load_cascade(folder), rows, ~calibrating & rows.held, recipe, sets, about)
    (folder / CARD).write_text(json.dumps(card, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    (folder / RELIABILITY).write_text(draw(card), encoding="utf-8")
    return Trained(folder, card)


def evaluate(
    recipe_path: Path,
    data: Path,
    *,
    model_dir: Path | None = None,
    tier: Tier = "limited",
    console: Console | None = None,
) -> dict[str, Any]:
    """Measure a model on the rows that the recipe holds back; returns figures in the shape of a card.

    Raises:
        RecipeError, DataError: as `train`.
        ModelError: the folder holds no model.
    """
    recipe, sets = load_recipe(recipe_path, tier)
    cascade = load_cascade(model_dir)
    with progress_bar(console) as progress:
        rows, digests = read(recipe, sets, data, progress)
        unseen = ~halves(rows, recipe.seed) & rows.held
        return measure_model(cascade, rows, unseen, recipe, sets, {"data": digests})


def held_back(
    recipe_path: Path,
    data: Path,
    *,
    model_dir: Path | None = None,
    tier: Tier = "limited",
    console: Console | None = None,
) -> tuple[HeldBack, str]:
    """Score every row that the recipe holds back; returns them, and the model's version.

    Raises:
        RecipeError, DataError, ModelError: as `evaluate`.
    """
    recipe, sets = load_recipe(recipe_path, tier)
    cascade = load_cascade(model_dir)
    with progress_bar(console) as progress:
        rows, _ = read(recipe, sets, data, progress)
        unseen = np.flatnonzero(rows.held)
        scores = cascade.scores([rows.texts[i] for i in unseen])
    origin = rows.origin[unseen]
    found = HeldBack(
        slugs=rows.slugs,
        scores=scores[:, [SLUGS.index(slug) for slug in rows.slugs]],
        says=rows.says[unseen],
        registers={entry.name: origin == rows.sets.index(entry.name) for entry in sets if entry.ordinary},
        half=halves(rows, recipe.seed)[unseen],
    )
    return found, cascade.version


def trained_texts(recipe_path: Path, data: Path, *, tier: Tier = "limited") -> tuple[list[str], dict[str, str]]:
    """The texts that a recipe trains on, and the SHA-256 of each file they are from.

    Raises:
        RecipeError, DataError: as `train`.
    """
    recipe, sets = load_recipe(recipe_path, tier)
    with progress_bar(None) as progress:
        rows, digests = read(recipe, sets, data, progress)
    return [text for text, held in zip(rows.texts, rows.held, strict=True) if not held], digests


def read(recipe: Recipe, sets: list[LabelledSet], data: Path, progress: Progress) -> tuple[Rows, dict[str, str]]:
    """A recipe's rows, and the SHA-256 of each file."""
    task = progress.add_task("reading", total=len(sets))
    return load_rows(
        data,
        sets,
        tuple(recipe.columns),
        RuleReader(RuleEngine(load_rules())).strongest,
        seed=recipe.seed,
        most=recipe.most,
        tick=lambda _: progress.advance(task),
    )


SCORERS = ("linear", "encoder", "average", "agreement")


def keep_card(folder: Path, card: dict[str, Any]) -> None:
    """Write a whole cascade's figures as a model's card; what training and an ablation measured of the parts stays."""
    path = folder / CARD
    before = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    parts = before.get("parts") or {name: before[name] for name in SCORERS if "untouched" in before.get("encoder", {})}
    if parts:
        card = {**card, "parts": parts}
    if "ablation" in before:
        card = {**card, "ablation": before["ablation"]}
    path.write_text(json.dumps(card, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def keep_ablation(folder: Path, found: dict[str, Any]) -> None:
    """Write what an ablation measured into a model's card, beside what else it tells.

    Raises:
        ModelError: the folder has no card.
    """
    path = folder / CARD
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(
            path, f"no card ({error})", "a model with the card that training or `evaluate --card` writes"
        ) from error
    path.write_text(json.dumps(card | {"ablation": found}, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def with_evaded(rows: Rows, share: float, seed: int) -> Rows:
    """Add a copy, evading in one way drawn at random, of a share of the rows that are trained on."""
    random = Random(seed)  # noqa: S311 - repeatable, not secret
    able = [i for i in range(len(rows)) if not rows.held[i] and random.random() < share]
    texts = [evade(rows.texts[i], random.choice(TRAINED), random) for i in able]
    chosen = np.array([*range(len(rows)), *able], dtype=np.int64)
    return Rows(
        texts=rows.texts + texts,
        slugs=rows.slugs,
        says=rows.says[chosen],
        held=rows.held[chosen],
        group=rows.group[chosen],
        origin=rows.origin[chosen],
        sets=rows.sets,
    )


def halves(rows: Rows, seed: int) -> NDArray[np.bool_]:
    """Half of the held-back near-copy groups calibrate, the other half measure.

    A group's half depends on the least of its held-back texts alone: what was calibrated on is never measured on
    because rows were added or texts are folded otherwise.
    """
    least: dict[int, str] = {}
    held = np.flatnonzero(rows.held)
    for i, group in zip(held.tolist(), rows.group[held].tolist(), strict=True):
        least[group] = min(least.get(group, rows.texts[i]), rows.texts[i])
    calibrating = {group for group, text in least.items() if lot(f"half {text}", seed) < 0.5}
    half: NDArray[np.bool_] = rows.held & np.isin(rows.group, list(calibrating))
    return half


def fit_all(
    rows: Rows,
    recipe: Recipe,
    calibrating: NDArray[np.bool_],
    data: Path,
    advance: Callable[[], object],
    *,
    work: Path | None = None,
    say: Callable[[str], object] = lambda _: None,
) -> tuple[list[dict[str, Any]], NDArray[np.int8]]:
    """Fit and calibrate every column; with `work` each is kept there when it is fitted, and taken from there if it was.

    Raises:
        DataError: a category has too few rows.
        ModelError: a column that was kept is damaged.
    """
    x = counts(rows.texts, recipe.bits)
    kept = KeptColumns(work, x) if work else None
    dense = np.zeros((1 << recipe.bits, len(recipe.columns)))
    offsets: list[float] = []
    for k, (slug, column) in enumerate(recipe.columns.items()):
        use = _rows_for(rows, column, k) & ~rows.held
        _check_enough(rows.says[use, k], data, slug, "training")
        weight = np.array([column.weights.get(name, 1.0) for name in rows.sets])[rows.origin[use]]
        how = {"strength": column.strength, "smoothing": column.smoothing}
        fit = partial(fit_column, x[use], rows.says[use, k], weight, **how, seed=recipe.seed)
        fitted_on = (use, rows.says[use, k], weight, how, recipe.seed)
        dense[:, k], offset = kept.fitted(slug, *fitted_on, fit=fit) if kept else fit()
        offsets.append(offset)
        advance()
    if kept and kept.found:
        say(f"goes on from {kept.found} of {len(recipe.columns)} columns, kept in {work}")
    rounded, scales = quantise(dense)
    columns = []
    for k, slug in enumerate(recipe.columns):
        use = calibrating & (rows.says[:, k] != UNKNOWN)
        _check_enough(rows.says[use, k], data, slug, "calibration")
        # Margins as served: from the rounded weights.
        margins = np.asarray(x[use] @ rounded[:, k].astype(np.float64)).ravel() * scales[k] + offsets[k]
        platt: Platt = fit_platt(margins, rows.says[use, k], as_common(rows.says[use, k], recipe.least_share))
        columns.append({"slug": slug, "scale": scales[k], "offset": offsets[k], "platt": [platt.slope, platt.offset]})
    return columns, rounded


def as_common(labels: NDArray[np.int8], least: float) -> NDArray[np.float64]:
    """Weights under which at least a share of `least` of the rows are positive."""
    share = float((labels == 1).mean())
    if share >= least:
        return np.ones(len(labels))
    return np.where(labels == 1, least / share, (1 - least) / (1 - share))


def _rows_for(rows: Rows, column: Column, k: int) -> NDArray[np.bool_]:
    left_out = [number for number, name in enumerate(rows.sets) if name in column.leave_out]
    result: NDArray[np.bool_] = (rows.says[:, k] != UNKNOWN) & ~np.isin(rows.origin, left_out)
    return result


def _check_enough(labels: NDArray[np.int8], data: Path, slug: str, purpose: str) -> None:
    positives, negatives = int((labels == 1).sum()), int((labels == 0).sum())
    if min(positives, negatives) < LEAST:
        found = f"{positives} positives and {negatives} negatives for {purpose}"
        raise DataError(data, slug, found, f"at least {LEAST} of each; drop the column or name more sets")


def about_run(
    recipe: Recipe, rows: Rows, sets: list[LabelledSet], digests: dict[str, str], took: float
) -> dict[str, Any]:
    return {
        "tier": "open" if all(entry.tier == "open" for entry in sets) else "limited",
        "recipe": json.loads(recipe.model_dump_json()),
        "trained_rows": int((~rows.held).sum()),
        "data": [
            {"set": s.name, "file": s.file, "sha256": digests[s.file], "licence": s.licence, "tier": s.tier}
            for s in sets
        ],
        "made_with": {
            "python": platform.python_version(),
            **{name: installed(name) for name in ("numpy", "scipy", "scikit-learn", "opencc", "pypinyin")},
            "machine": f"{platform.machine()} {platform.system()}",
            "seconds": round(took, 1),
        },
    }


def progress_bar(console: Console | None) -> Progress:
    from rich.progress import BarColumn, MofNCompleteColumn

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    return Progress(*columns, console=console or Console(stderr=True))
