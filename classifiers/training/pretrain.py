"""Pretrain an encoder from a recipe: corpora → packed ids → static vectors → steps with checkpoints → a folder."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

import torch
from rich.console import Console

from classifiers.encoder import TOKENIZER
from classifiers.training.device import device_name
from classifiers.training.pretrain_checkpoint import alone, read_checkpoint
from classifiers.training.pretrain_corpus import Prepared, prepare
from classifiers.training.pretrain_log import plot_losses, read_log
from classifiers.training.pretrain_recipe import PretrainRecipe, load_pretrain_recipe
from classifiers.training.pretrain_run import LOG, Run
from classifiers.training.pretrain_vectors import Counted, count, read_counted, save_counted, sounds_of
from classifiers.training.sets import LabelledSet, Tier
from classifiers.training.tokens import save_tokenizer

MANIFEST, PLOT = "manifest.json", "loss.png"
REHEARSED = 4  # sequences in a step of a rehearsal


@dataclass(frozen=True, slots=True)
class Pretrained:
    """What a run made: the folder `AutoModel.from_pretrained` reads, and its manifest."""

    folder: Path
    manifest: dict[str, Any]


def pretrain(
    recipe_path: Path,
    data: Path,
    work: Path,
    *,
    tier: Tier = "limited",
    console: Console | None = None,
    stop_after: int | None = None,
) -> Pretrained | None:
    """Run a recipe, from its checkpoint where `work` holds one; returns None when stopped after `stop_after` steps.

    Raises:
        RecipeError: the recipe is wrong.
        DataError: a file is missing or damaged.
        ModelError: the checkpoint is damaged, or of another recipe or other data.
    """
    recipe, sets = load_pretrain_recipe(recipe_path, tier)
    return pretrain_as(recipe, sets, data, work, tier=tier, console=console, stop_after=stop_after)


def rehearse(
    recipe_path: Path, data: Path, work: Path, *, tier: Tier = "limited", console: Console | None = None
) -> dict[str, Any]:
    """Run two small steps of a recipe's own shape and precision, and keep nothing of them; what is packed and counted
    stays for the run itself. Returns what was seen: losses, parameters, device, seconds of both steps.

    Raises:
        RecipeError, DataError, ModelError: as `pretrain`.
    """
    recipe, sets = load_pretrain_recipe(recipe_path, tier)
    length = recipe.training.length
    small = recipe.training.model_copy(update={"batch": REHEARSED, "tokens": 2 * REHEARSED * length})
    with tempfile.TemporaryDirectory(dir=_made(work)) as scratch:
        packed = work / recipe.version / "packed"
        cut = recipe.model_copy(update={"training": small})
        made = pretrain_as(cut, sets, data, Path(scratch), packed=packed, tier=tier, console=console)
    assert made
    about = made.manifest
    return {
        **{key: about[key] for key in ("version", "steps", "loss", "parameters")},
        "steps_of_the_run": recipe.training.steps,
        "device": about["made_with"]["device"],
        "seconds_of_steps": about["made_with"]["seconds_of_steps"],
    }


def pretrain_as(
    recipe: PretrainRecipe,
    sets: Sequence[LabelledSet],
    data: Path,
    work: Path,
    *,
    packed: Path | None = None,
    tier: Tier = "limited",
    console: Console | None = None,
    stop_after: int | None = None,
) -> Pretrained | None:
    """As `pretrain`, of a recipe that was read; runs over the same corpora may share the folder `packed`.

    Raises:
        DataError, ModelError: as `pretrain`.
    """
    folder = work / recipe.version
    with alone(folder):
        return _pretrain(recipe, sets, data, folder, packed or folder / "packed", tier, console, stop_after)


def _pretrain(
    recipe: PretrainRecipe,
    sets: Sequence[LabelledSet],
    data: Path,
    folder: Path,
    packed: Path,
    tier: Tier,
    console: Console | None,
    stop_after: int | None,
) -> Pretrained | None:
    began = time.monotonic()
    say = _speaker(console)
    prepared = prepare(recipe, sets, data, packed, lambda name: say(f"packed {name}"))
    sounds = sounds_of(prepared.alphabet)
    identity = {"recipe": recipe.identity(), "data": prepared.digests, "alphabet": prepared.alphabet.digest}
    found = read_checkpoint(folder, identity)
    counted = _counted(recipe, prepared, sounds, packed, say)
    run = Run(recipe, prepared, sounds, counted, folder, say)
    if found is None:
        run.begin_from(counted)
    else:
        run.restore(found)
        say(f"goes on from step {found.step}")
    if not run.go(identity, stop_after):
        return None
    return _finish(run, recipe, prepared, folder, tier, time.monotonic() - began)


def _counted(
    recipe: PretrainRecipe, prepared: Prepared, sounds: Any, packed: Path, say: Callable[[str], None]
) -> Counted:
    """What is counted before the first step; kept beside the packed ids under a name made of all it depends on."""
    made_from = [recipe.shape.tables(), recipe.vectors and recipe.vectors.model_dump(), recipe.seed]
    key = json.dumps([made_from, prepared.digests, prepared.alphabet.digest], sort_keys=True)
    path = packed / f"counted-{hashlib.sha256(key.encode()).hexdigest()[:16]}.npz"
    if path.is_file():
        return read_counted(path)
    streams = prepared.mixture.streams
    counted = count(streams, sounds, recipe.shape, recipe.vectors, recipe.seed, lambda name: say(f"counted {name}"))
    partial = path.with_suffix(f".{os.getpid()}.npz")
    save_counted(counted, partial)
    os.replace(partial, path)
    return counted


def _finish(run: Run, recipe: PretrainRecipe, prepared: Prepared, folder: Path, tier: Tier, took: float) -> Pretrained:
    target = folder / "model"
    run.model.cpu().save_pretrained(target)
    save_tokenizer(prepared.alphabet, target / TOKENIZER)
    log = read_log(folder / LOG)
    plot_losses(log, target / PLOT)
    manifest = {
        "version": recipe.version,
        "tier": tier,
        "recipe": recipe.model_dump(mode="json"),
        "data": prepared.digests,
        "steps": run.step,
        "tokens": run.step * recipe.training.batch * recipe.training.length,
        "loss": log[-1] if log else None,
        "parameters": sum(p.numel() for p in run.model.parameters()),
        "made_with": {
            "python": platform.python_version(),
            **{name: installed(name) for name in ("numpy", "torch", "transformers", "opencc", "pypinyin")},
            "machine": f"{platform.machine()} {platform.system()}, {os.cpu_count()} processors",
            "threads": torch.get_num_threads(),
            "device": device_name(run.device),
            "seconds_of_steps": log[-1]["seconds"] if log else 0.0,
            "seconds_of_last_call": round(took, 1),
        },
    }
    (target / MANIFEST).write_text(json.dumps(manifest, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    return Pretrained(target, manifest)


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _speaker(console: Console | None) -> Callable[[str], None]:
    shown = console or Console(stderr=True)
    return lambda line: shown.print(line, markup=False, highlight=False)
