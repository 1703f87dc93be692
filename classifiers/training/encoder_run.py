"""Train the encoder that is served: rows → fine-tuning → int8 → calibration → blend with the linear model → card."""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console

from classifiers.blend import mean_odds
from classifiers.calibration import Platt
from classifiers.encoder import Encoder, load_encoder, read_manifest, save_manifest
from classifiers.errors import DataError, ModelError, RecipeError
from classifiers.linear import MODELS, LinearModel, load_model, newest
from classifiers.normalise import Folded, fold
from classifiers.rules.engine import RuleEngine
from classifiers.rules.model import load_rules
from classifiers.rules.reading import RuleReader, build_reader
from classifiers.training.begin import Begun, begin
from classifiers.training.device import best_device, device_name
from classifiers.training.distil import Teachers, load_teachers
from classifiers.training.encoder_draws import Draws
from classifiers.training.encoder_measure import Floats, evaded, figures, fit_curves, log_odds, mean_of, read_twice
from classifiers.training.encoder_recipe import EncoderRecipe, load_encoder_recipe
from classifiers.training.encoder_train import Tuner, logits_of, watch
from classifiers.training.export import export
from classifiers.training.float_teacher import on_gpu
from classifiers.training.reach import reach_of
from classifiers.training.rows import Rows, load_rows
from classifiers.training.sets import LabelledSet, Tier, check_tier
from classifiers.training.train import CARD, LEAST, Trained, halves

LABELLED = "labelled"  # where a data folder with corpora keeps the labelled sets
FITTING = 1500  # texts that fix the scales of activations
COMPARED = 5000  # texts that the int8 graph is compared with the float model on


def train_encoder(
    recipe_path: Path,
    data: Path,
    encoder: str,
    work: Path,
    *,
    teachers: Sequence[Path] = (),
    models: Path = MODELS,
    linear: Path | None = None,
    tier: Tier = "limited",
    console: Console | None = None,
) -> Trained:
    """Fine-tune, export, calibrate and measure; goes on from a checkpoint in `work` where there is one.

    `encoder` is the folder of a pretrained encoder, ours or in the Hugging Face format, or a name on a hub; `teachers`
    are folders of served encoders that it learns from, where the recipe says how. `data` holds the labelled sets, or,
    for a recipe that distils, `labelled/` and corpora.

    Raises:
        RecipeError: the recipe or the description of the sets is wrong.
        DataError: a set is missing or broken, or a category has too few rows.
        ModelError: `encoder`, a teacher or `linear` is no model or not of the tier, or the checkpoint is damaged or of
            another run.
    """
    began = time.monotonic()
    say = _speaker(console)
    recipe, sets = load_encoder_recipe(recipe_path, tier)
    partner = load_model(linear or newest())
    _check_partner(partner, recipe, linear or newest(), tier)
    engine = RuleEngine(load_rules())
    typer = RuleReader(engine).strongest
    _check_teachers(recipe_path, recipe, teachers, tier)
    begun = begin(recipe, encoder, tier)
    model = begun.model
    labelled = data / LABELLED if recipe.distil else data
    rows, digests = load_rows(
        labelled,
        sets,
        recipe.categories,
        typer,
        seed=recipe.seed,
        most=recipe.most,
        tick=lambda name: say(f"read {name}"),
    )
    calibrating = halves(rows, recipe.seed)
    _check_enough(rows, calibrating, labelled)
    taught: Teachers | None = None
    if recipe.distil:
        threads = os.cpu_count() or 1
        taught, more = load_teachers(
            teachers, recipe.distil, recipe.categories, data, threads, lambda served: on_gpu(served, work)
        )
        digests |= more
    if recipe.training.evaded_variants:
        say(f"evading each text in {recipe.training.evaded_variants} ways")
    draws = Draws(rows, sets, recipe.weights, begun.tokens, recipe.training, recipe.drawn_by, taught)
    identity = {
        "recipe": recipe.identity(),
        "data": digests,
        "pretrained": begun.digest,
    }
    version = recipe.version if tier == "limited" else f"{recipe.version}-{tier}"
    best = Tuner(model, begun.tokens, recipe, draws).go(
        watch(rows, calibrating, recipe.seed), work / version, identity, say
    )
    model.load_state_dict(best)
    model.cpu().eval()
    model.save_pretrained(work / version / "model")
    folder = models / version
    folder.mkdir(parents=True, exist_ok=True)
    begun.save_tokenizer(folder)
    begun.save_tokenizer(work / version / "model")
    told = json.dumps({"version": version, "tier": tier, "begun_from": begun.digest}, indent=2)
    (work / version / "model" / "manifest.json").write_text(f"{told}\n", encoding="utf-8")
    export(model, begun.tokens, folder, sample_texts(rows, ~rows.held, FITTING, recipe.seed))
    about = {"tier": tier, **_about(recipe, sets, digests, begun, partner, time.monotonic() - began)}
    served = _calibrate(folder, version, rows, calibrating, partner, recipe, about)
    say("measuring")
    card = _card(served, partner, rows, ~calibrating & rows.held, build_reader(engine), recipe.seed)
    texts = sample_texts(rows, ~calibrating & rows.held, COMPARED, recipe.seed)
    floats = logits_of(model, begun.tokens, fold(texts))
    card |= {"agreement": _agreement(served, floats, texts), "version": version, "about": about}
    (folder / CARD).write_text(json.dumps(card, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    return Trained(folder, card)


def _calibrate(
    folder: Path,
    version: str,
    rows: Rows,
    calibrating: NDArray[np.bool_],
    partner: LinearModel,
    recipe: EncoderRecipe,
    about: dict[str, Any],
) -> Encoder:
    """Write the manifest: a curve for the encoder alone, and one for its mean with the linear model."""
    plain = [{"slug": slug, "platt": [1.0, 0.0]} for slug in rows.slugs]
    save_manifest(folder, version=version, categories=plain, about=about)
    served = load_encoder(folder)
    chosen = np.flatnonzero(calibrating)
    says = rows.says[chosen]
    margins = in_batches([rows.texts[i] for i in chosen], served.margins)
    curves = fit_curves(margins, says, recipe.common)
    together = in_batches([rows.texts[i] for i in chosen], lambda folded: linear_odds(partner, folded, rows.slugs))
    mean = mean_odds(log_odds(margins, curves), together, np.array(recipe.shares))
    blend = fit_curves(mean, says, recipe.common)
    both = log_odds(mean, blend)
    reach = reach_of(both, together, [recipe.lowest.get(slug, recipe.lowest_else) for slug in rows.slugs])
    categories = [
        {
            "slug": slug,
            "platt": [curve.slope, curve.offset],
            "encoder_share": share,
            "blend": [mixed.slope, mixed.offset],
            "reach": least_,
        }
        for slug, curve, share, mixed, least_ in zip(rows.slugs, curves, recipe.shares, blend, reach, strict=True)
    ]
    save_manifest(folder, version=version, categories=categories, about=about)
    return load_encoder(folder, threads=os.cpu_count() or 1)


def linear_odds(model: LinearModel, folded: Folded, slugs: Sequence[str]) -> Floats:
    """Calibrated log-odds of the linear model for these categories."""
    odds = log_odds(model.margins(model.grams(folded)), model.calibration)
    return odds[:, [model.slugs.index(slug) for slug in slugs]]


def _card(
    served: Encoder, partner: LinearModel, rows: Rows, measuring: NDArray[np.bool_], reader: Any, seed: int
) -> dict[str, Any]:
    """The three scorers on the measuring half, untouched and with every text evaded in one way."""
    chosen = np.flatnonzero(measuring)
    blend = [Platt(*entry["blend"]) for entry in served.manifest["categories"]]
    shares = np.array([entry["encoder_share"] for entry in served.manifest["categories"]])
    card: dict[str, Any] = {}
    untouched = [rows.texts[i] for i in chosen]
    for name, texts in (("untouched", untouched), ("evaded", evaded(untouched, seed))):
        own = read_twice(texts, reader, lambda folded: log_odds(served.margins(folded), served.calibration))
        other = read_twice(texts, reader, lambda folded: linear_odds(partner, folded, rows.slugs))
        scores = {"encoder": own, "linear": other, "average": log_odds(mean_odds(own, other, shares), blend)}
        for scorer, odds in scores.items():
            found = figures(odds, rows, chosen)
            means = {figure: round(mean_of(found, figure), 4) for figure in ("macro_f1", "average_precision", "ece")}
            card.setdefault(scorer, {})[name] = {"mean": means, "categories": found}
    return card


def _agreement(served: Encoder, floats: NDArray[np.float64], texts: list[str]) -> dict[str, Any]:
    """Share of decisions, at each category's calibrated ½, in which the int8 graph says what the float model says."""
    quick = log_odds(in_batches(texts, served.margins), served.calibration)
    exact = log_odds(floats, served.calibration)
    same = (quick > 0) == (exact > 0)
    either = (quick > 0) | (exact > 0)
    return {
        "texts": len(texts),
        "decisions": round(float(same.mean()), 5),
        "of_those_flagged_by_either": round(float(same[either].mean()), 5) if either.any() else 1.0,
    }


def in_batches(texts: Sequence[str], score: Callable[[Folded], Floats]) -> Floats:
    """Score texts, so many at a time that memory does not grow with their number."""
    return np.concatenate([score(fold(texts[i : i + 2048])) for i in range(0, len(texts), 2048)])


def sample_texts(rows: Rows, able: NDArray[np.bool_], most: int, seed: int) -> list[str]:
    """At most so many texts of the rows that may be taken, drawn by the seed."""
    numbers = np.flatnonzero(able)
    chosen = np.random.default_rng(seed).choice(numbers, size=min(most, len(numbers)), replace=False)
    return [rows.texts[i] for i in np.sort(chosen)]


def _check_enough(rows: Rows, calibrating: NDArray[np.bool_], data: Path) -> None:
    for purpose, use in (("training", ~rows.held), ("calibration", calibrating)):
        for k, slug in enumerate(rows.slugs):
            positives, negatives = (int((rows.says[use, k] == value).sum()) for value in (1, 0))
            if min(positives, negatives) < LEAST:
                found = f"{positives} positives and {negatives} negatives for {purpose}"
                raise DataError(data, slug, found, f"at least {LEAST} of each; drop the category or name more sets")


def _check_teachers(path: Path, recipe: EncoderRecipe, teachers: Sequence[Path], tier: Tier) -> None:
    if recipe.distil and not teachers:
        raise RecipeError(path, "distil", "no teacher", "one or more, with `woodpecker distil --teacher DIR`")
    if teachers and not recipe.distil:
        raise RecipeError(path, "distil", "nothing about it", "how a student learns from its teachers")
    for folder in teachers:
        check_tier(folder, read_manifest(folder), tier, "woodpecker train RECIPE --encoder DIR --tier open")


def _check_partner(partner: LinearModel, recipe: EncoderRecipe, folder: Path, tier: Tier) -> None:
    check_tier(folder, partner.manifest, tier, "woodpecker train linear --tier open, then --linear DIR")
    missing = [slug for slug in recipe.categories if slug not in partner.slugs]
    if missing:
        found = f"no column for {', '.join(missing)}"
        raise ModelError(folder, found, "a linear model with every category of the recipe, to blend with")


def _about(
    recipe: EncoderRecipe,
    sets: list[LabelledSet],
    digests: dict[str, str],
    begun: Begun,
    partner: LinearModel,
    took: float,
) -> dict[str, Any]:
    return {
        "recipe": recipe.model_dump(mode="json"),
        "linear": partner.version,
        **begun.entries,
        "data": [
            {"set": s.name, "file": s.file, "sha256": digests[s.file], "licence": s.licence, "tier": s.tier}
            for s in sets
        ],
        "made_with": {
            "python": platform.python_version(),
            **{name: installed(name) for name in ("numpy", "torch", "transformers", "onnxruntime")},
            "machine": f"{platform.machine()} {platform.system()}, {os.cpu_count()} processors",
            "threads": torch.get_num_threads(),
            "device": device_name(best_device()),
            "seconds": round(took, 1),
        },
    }


def _speaker(console: Console | None) -> Callable[[str], None]:
    shown = console or Console(stderr=True)
    return lambda line: shown.print(line, markup=False, highlight=False)
