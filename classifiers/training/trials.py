"""Many small trainings under one budget, to choose by: `python -m classifiers.training.trials --data DATA`.

Each trial pretrains (or takes what another trial pretrained), fine-tunes, exports to int8 and measures the encoder
alone on the measuring half of what is held back. A trial that was ended goes on from its checkpoint, one that is done
is not done again, and several processes may each do some (`--only`). When all are done the sizes' speeds are measured
one after another in one process, and the figures, tables and plot are written.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import time
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer
from numpy.typing import NDArray
from rich.console import Console

from classifiers.alphabet import Alphabet
from classifiers.encoder import GRAPH, TOKENIZER, load_encoder, save_manifest
from classifiers.errors import ClassifierError, ModelError
from classifiers.rules.engine import RuleEngine
from classifiers.rules.model import load_rules
from classifiers.rules.reading import RuleReader
from classifiers.training.begin import begin
from classifiers.training.encoder_draws import Draws
from classifiers.training.encoder_measure import evaded, fit_curves, log_odds
from classifiers.training.encoder_model import WoodpeckerForCategories
from classifiers.training.encoder_run import LABELLED, in_batches, sample_texts
from classifiers.training.encoder_train import Tuner, Watched, watch
from classifiers.training.export import export
from classifiers.training.pretrain import Source, pretrain_as
from classifiers.training.recipe import find_recipe
from classifiers.training.resample import DRAWS, means, resampled_means
from classifiers.training.rows import Rows, load_rows
from classifiers.training.shrink import parameters, shrink
from classifiers.training.train import halves
from classifiers.training.trials_recipe import Trials
from classifiers.training.trials_report import draw_sizes, tables

RESULT = "result.json"
FIGURES, TABLES, PLOT = "trials.json", "trials.md", "sizes.svg"
TIMED = 1000  # ordinary texts that speed is measured on
ROUNDS = 2
WATCHED = 2000  # rows that scores are calibrated by
FITTING = 300  # texts that fix the scales of activations
EACH, OTHERS = 150, 2000  # rows of each category, and of none, that are measured on
Say = Callable[[str], None]


class Bench:
    """What every trial shares: the rows, what is held back of them, and where things are kept."""

    def __init__(self, trials: Trials, data: Path, work: Path, say: Say) -> None:
        self.trials, self.data, self.work, self.say = trials, data, work / trials.recipe.version, say

    def folder(self, name: str) -> Path:
        """Where what is made in a trial, or by shrinking, is kept."""
        return self.work / f"{'tuned' if name in self.trials.recipe.trials else 'shrunk'}-{name}"

    @cached_property
    def _loaded(self) -> tuple[Rows, dict[str, str]]:
        base = self.trials.tune_base
        self.say("reading the labelled sets")
        typer_ = RuleReader(RuleEngine(load_rules())).strongest
        sets = self.trials.tune_sets
        return load_rows(self.data / LABELLED, sets, base.categories, typer_, seed=base.seed, most=base.most)

    @property
    def rows(self) -> Rows:
        """The labelled rows."""
        return self._loaded[0]

    @property
    def digests(self) -> dict[str, str]:
        """SHA-256 of each file of the labelled sets."""
        return self._loaded[1]

    @cached_property
    def calibrating(self) -> NDArray[np.bool_]:
        """The calibrating half of what is held back."""
        return halves(self.rows, self.trials.tune_base.seed)

    @cached_property
    def watched(self) -> Watched:
        """A sample of the calibrating half: what training watches, and what scores are calibrated by."""
        return watch(self.rows, self.calibrating, self.trials.tune_base.seed, WATCHED)

    @cached_property
    def measured(self) -> dict[str, list[str]]:
        """The texts of the measuring half, untouched and evaded."""
        texts = [self.rows.texts[i] for i in self.measuring]
        return {"untouched": texts, "evaded": evaded(texts, self.trials.tune_base.seed)}

    @cached_property
    def measuring(self) -> NDArray[np.int64]:
        """Numbers of rows of the measuring half: of each category up to `EACH`, and some of none."""
        half, says = ~self.calibrating & self.rows.held, self.rows.says
        random = np.random.default_rng(self.trials.tune_base.seed)
        able = [np.flatnonzero(half & (says[:, k] == 1)) for k in range(says.shape[1])]
        drawn = [random.choice(rows, size=min(EACH, len(rows)), replace=False) for rows in able]
        others = np.flatnonzero(half & ~(says == 1).any(axis=1))
        drawn.append(random.choice(others, size=min(OTHERS, len(others)), replace=False))
        return np.unique(np.concatenate(drawn))

    @cached_property
    def ordinary(self) -> list[str]:
        """Held-back ordinary texts, as long as what platforms carry: what speed is measured on."""
        sets = [number for number, labelled in enumerate(self.trials.tune_sets) if labelled.ordinary]
        able = self.rows.held & np.isin(self.rows.origin, sets)
        return sample_texts(self.rows, able, TIMED, self.trials.tune_base.seed)


def run_trial(bench: Bench, name: str) -> dict[str, Any]:
    """Train and measure one trial; returns its figures, from before where it was done before.

    Raises:
        DataError, ModelError: as `woodpecker pretrain` and `woodpecker train`.
    """
    folder = bench.folder(name)
    kept = folder / RESULT
    if kept.is_file():
        return dict(json.loads(kept.read_text(encoding="utf-8")))
    trial = bench.trials.recipe.trials[name]
    pretrained = _pretrained(bench, trial.encoder)
    recipe = bench.trials.tuning(name)
    began, used = time.monotonic(), time.process_time()
    begun = begin(recipe, str(pretrained))
    draws = Draws(bench.rows, bench.trials.tune_sets, recipe.weights, begun.tokens, recipe.training, recipe.drawn_by)
    identity = {"recipe": recipe.identity(), "data": bench.digests, "pretrained": begun.digest}
    bench.say(f"{name}: fine-tuning")
    begun.model.load_state_dict(
        Tuner(begun.model, begun.tokens, recipe, draws).go(bench.watched, folder, identity, bench.say)
    )
    took = {"seconds": round(time.monotonic() - began, 1), "cpu_seconds": round(time.process_time() - used, 1)}
    begun.save_tokenizer(folder)
    found: dict[str, Any] = {
        "trial": name,
        **trial.model_dump(mode="json"),
        "seed": recipe.drawn_by,
        "samples": recipe.training.samples,
        "pretrained": {key: begun.about[key] for key in ("steps", "tokens", "loss")},
        **took,
        **_served(bench, begun.model.cpu().eval(), begun.tokens, folder, begun.entries),
    }
    kept.write_text(json.dumps(found, ensure_ascii=False) + "\n", encoding="utf-8")
    return found


def run_shrunk(bench: Bench, name: str, source: Path) -> dict[str, Any]:
    """Make a trained encoder smaller and measure it; returns its figures, from before where it was done before.

    Raises:
        ModelError: `source` is no folder of a float model that `woodpecker train --encoder` left, with its tokenizer.
    """
    folder = bench.folder(name)
    kept = folder / RESULT
    if kept.is_file():
        return dict(json.loads(kept.read_text(encoding="utf-8")))
    if not (source / "model.safetensors").is_file():
        raise ModelError(source, "no model.safetensors", "the folder `model` that `woodpecker train` leaves in --work")
    bench.say(f"{name}: shrinking")
    tokens = Alphabet.read(source / TOKENIZER)
    wanted = bench.trials.recipe.shrunk[name]
    model = shrink(WoodpeckerForCategories.from_pretrained(source).eval(), wanted)
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source / TOKENIZER, folder / TOKENIZER)
    found: dict[str, Any] = {
        "trial": name,
        "encoder": name,
        **wanted.model_dump(mode="json"),
        "pretrained": {"loss": None},
        **_served(bench, model, tokens, folder, {}),
    }
    kept.write_text(json.dumps(found, ensure_ascii=False) + "\n", encoding="utf-8")
    return found


def _served(bench: Bench, model: Any, tokens: Any, folder: Path, entries: dict[str, Any]) -> dict[str, Any]:
    """Export a model beside its tokenizer, and measure the file as it is served."""
    base = bench.trials.tune_base
    export(model, tokens, folder, sample_texts(bench.rows, ~bench.rows.held, FITTING, base.seed))
    categories = [{"slug": slug, "platt": [1.0, 0.0]} for slug in base.categories]
    save_manifest(folder, version=folder.name, categories=categories, about={"tier": "limited", **entries})
    size = (folder / GRAPH).stat().st_size
    return {"parameters": parameters(model), "bytes": size, **_figures(bench, folder)}


def _pretrained(bench: Bench, encoder: str) -> Path:
    recipe, sets = bench.trials.pretraining(encoder)
    done = bench.work / recipe.version / "model"
    if (done / "manifest.json").is_file():
        return done
    bench.say(f"{encoder}: pretraining")
    console = Console(stderr=True)
    made = pretrain_as(recipe, sets, Source(bench.data), bench.work, packed=bench.work / "packed", console=console)
    assert made
    return made.folder


def _figures(bench: Bench, folder: Path) -> dict[str, Any]:
    """Of the encoder alone, calibrated on rows of one half of what is held back and measured on rows of the other."""
    served = load_encoder(folder, threads=torch.get_num_threads())
    curves = fit_curves(served.margins(bench.watched.folded), bench.watched.says, bench.trials.tune_base.common)
    says = bench.rows.says[bench.measuring]
    found: dict[str, Any] = {}
    for name, texts in bench.measured.items():
        odds = log_odds(in_batches(texts, served.margins), curves)
        found[name] = means(odds, says) | {"drawn": resampled_means(odds, says, DRAWS, bench.trials.tune_base.seed)}
    return found


def speeds(folders: Sequence[Path], texts: Sequence[str]) -> list[float]:
    """CPU seconds for a thousand texts, of each folder: one thread, the best of a few rounds that take turns."""
    served = [load_encoder(folder) for folder in folders]
    took = np.full((ROUNDS, len(served)), np.inf)
    for turn in range(ROUNDS):
        for place, encoder in enumerate(served):
            used = time.process_time()
            in_batches(texts, encoder.margins)
            took[turn, place] = time.process_time() - used
    return [round(float(best) * 1000 / len(texts), 4) for best in took.min(axis=0)]


def _gather(bench: Bench, found: dict[str, dict[str, Any]], output: Path) -> None:
    sizes = list(dict.fromkeys(name for line in bench.trials.recipe.sizes.values() for name in line))
    bench.say("measuring speeds")
    for name, speed in zip(sizes, speeds([bench.folder(name) for name in sizes], bench.ordinary), strict=True):
        found[name]["cpu_seconds_for_a_thousand"] = speed
    lengths = [len(text) for text in bench.ordinary]
    about = {
        "recipe": bench.trials.recipe.model_dump(mode="json"),
        "machine": f"{platform.machine()} {platform.system()}, {os.cpu_count()} processors",
        "rows_measured": len(bench.measuring),
        "timed": {"texts": len(lengths), "mean_characters": round(float(np.mean(lengths)), 1)},
        "data": bench.digests,
    }
    output.mkdir(parents=True, exist_ok=True)
    whole = {"about": about, "trials": found}
    (output / FIGURES).write_text(json.dumps(whole, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    (output / TABLES).write_text(tables(whole), encoding="utf-8")
    draw_sizes(whole, output / PLOT)


def main(
    data: Annotated[Path, typer.Option(help="Folder with corpus/ and labelled/, as docs/encoder.md says.")],
    recipe: Annotated[str, typer.Option(help="Name of a shipped recipe, or a recipe file.")] = "trials",
    work: Annotated[Path, typer.Option(help="Where packed ids, checkpoints and models are kept.")] = Path("var/trials"),
    output: Annotated[Path, typer.Option(help="Folder for the figures, tables and plot.")] = Path("var/trials/report"),
    shrunk: Annotated[
        Path | None, typer.Option("--shrink", help="A float model that `woodpecker train` left: its folder `model`.")
    ] = None,
    only: Annotated[list[str] | None, typer.Option(help="Do this trial alone; may be given again.")] = None,
) -> None:
    """Compare sizes and ways of fine-tuning under one budget; writes figures, tables and a plot when all are done."""
    errors = Console(stderr=True)
    try:
        trials = Trials(find_recipe(recipe))
        known = [*trials.recipe.trials, *trials.recipe.shrunk]
        if unknown := [name for name in only or () if name not in known]:
            raise typer.BadParameter(f"{', '.join(unknown)}; allowed: {', '.join(known)}")
        wanted = only or known
        if shrunk is None and any(name in trials.recipe.shrunk for name in wanted):
            raise typer.BadParameter("the recipe shrinks an encoder; allowed: with --shrink MODEL")
        bench = Bench(trials, data, work, lambda line: errors.print(line, markup=False, highlight=False))
        found = {
            name: run_trial(bench, name)
            if shrunk is None or name in trials.recipe.trials
            else run_shrunk(bench, name, shrunk)
            for name in wanted
        }
        if not only:
            _gather(bench, found, output)
    except ClassifierError as error:
        errors.print(str(error), markup=False)
        raise typer.Exit(2) from error


if __name__ == "__main__":
    typer.run(main)
