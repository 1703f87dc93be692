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
from classifiers.training.pretrain_corpus import Prepared, from_packed, packed_files, packed_from, prepare
from classifiers.training.pretrain_log import plot_losses, read_log
from classifiers.training.pretrain_parts import Note, read_parts, write_parts
from classifiers.training.pretrain_recipe import PretrainRecipe, load_pretrain_recipe
from classifiers.training.pretrain_run import LOG, Run
from classifiers.training.pretrain_vectors import Counted, count, read_counted, save_counted, sounds_of
from classifiers.training.sets import LabelledSet, Tier
from classifiers.training.tokens import save_tokenizer

MANIFEST, PLOT, PACKED = "manifest.json", "loss.png", "packed"
REHEARSED = 4  # sequences in a step of a rehearsal


@dataclass(frozen=True, slots=True)
class Pretrained:
    """What a run made: the folder `AutoModel.from_pretrained` reads, and its manifest."""

    folder: Path
    manifest: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Source:
    """Where a run reads: a folder of corpora and labelled sets, or one that `pack_only` made of them."""

    folder: Path
    packed: bool = False

    def prepare(
        self, recipe: PretrainRecipe, sets: Sequence[LabelledSet], into: Path, tick: Callable[[str], None]
    ) -> Prepared:
        """What the run reads, packed in the folder `into`."""
        if not self.packed:
            return prepare(recipe, sets, self.folder, into, lambda name: tick(f"packed {name}"))
        made_from = packed_from(recipe, sets)
        digests = read_parts(self.folder, into, made_from, lambda name: tick(f"unpacked {name}"))
        return from_packed(recipe, sets, into, digests)


def pretrain(
    recipe_path: Path,
    source: Source,
    work: Path,
    *,
    tier: Tier = "limited",
    console: Console | None = None,
    stop_after: int | None = None,
) -> Pretrained | None:
    """Run a recipe, from its checkpoint where `work` holds one; returns None when stopped after `stop_after` steps.

    Raises:
        RecipeError: the recipe is wrong.
        DataError: a file is missing or damaged, or was packed for another recipe.
        ModelError: the checkpoint is damaged, or of another recipe or other data.
    """
    recipe, sets = load_pretrain_recipe(recipe_path, tier)
    return pretrain_as(recipe, sets, source, work, tier=tier, console=console, stop_after=stop_after)


def rehearse(
    recipe_path: Path, source: Source, work: Path, *, tier: Tier = "limited", console: Console | None = None
) -> dict[str, Any]:
    """Run two small steps of a recipe's own shape and precision, and keep nothing of them; what is packed and counted
    stays for the run itself. Returns what was seen: losses, parameters, device, seconds of both steps.

    Raises:
        RecipeError, DataError, ModelError: as `pretrain`.
    """
    recipe, sets = load_pretrain_recipe(recipe_path, tier)
    length = recipe.training.length
    changed = {"batch": REHEARSED, "tokens": 2 * REHEARSED * length, "seconds": None}
    cut = recipe.model_copy(update={"training": recipe.training.model_copy(update=changed)})
    with tempfile.TemporaryDirectory(dir=_made(work)) as scratch:
        packed = work / recipe.version / PACKED
        made = pretrain_as(cut, sets, source, Path(scratch), packed=packed, tier=tier, console=console)
    assert made
    about = made.manifest
    return {
        **{key: about[key] for key in ("version", "steps", "loss", "parameters")},
        "steps_of_the_run": recipe.training.steps,
        "seconds_of_the_run": recipe.training.seconds,
        "device": about["made_with"]["device"],
        "seconds_of_steps": about["made_with"]["seconds_of_steps"],
    }


def pack_only(
    recipe_path: Path,
    source: Source,
    work: Path,
    target: Path,
    *,
    part_mib: int,
    tier: Tier = "limited",
    console: Console | None = None,
) -> Note:
    """Pack and count what a recipe reads, and write it to `target` in parts of at most so many MiB, to be carried to
    where it is trained: `Source(target, packed=True)`.

    Raises:
        RecipeError, DataError, ModelError: as `pretrain`; DataError also where `target` holds something.
    """
    recipe, sets = load_pretrain_recipe(recipe_path, tier)
    say, folder = _speaker(console), work / recipe.version
    with alone(folder):
        prepared, _, _ = _read(recipe, sets, source, folder / PACKED, say)
        files = [*packed_files(recipe, sets, folder / PACKED), _counted_file(recipe, prepared, folder / PACKED)]
        made_from = packed_from(recipe, sets)
        return write_parts(
            files,
            target,
            part_mib,
            made_from=made_from,
            digests=prepared.digests,
            tick=lambda name: say(f"in parts: {name}"),
        )


def pretrain_as(
    recipe: PretrainRecipe,
    sets: Sequence[LabelledSet],
    source: Source,
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
    began, say, folder = time.monotonic(), _speaker(console), work / recipe.version
    with alone(folder):
        prepared, sounds, counted = _read(recipe, sets, source, packed or folder / PACKED, say)
        identity = {"recipe": recipe.identity(), "data": prepared.digests, "alphabet": prepared.alphabet.digest}
        found = read_checkpoint(folder, identity)
        run = Run(recipe, prepared, sounds, counted, folder, say)
        if found is None:
            run.begin_from(counted)
        else:
            run.restore(found)
            say(f"goes on from step {found.step}")
        if not run.go(identity, stop_after):
            return None
        return _finish(run, recipe, prepared, folder, tier, time.monotonic() - began)


def _read(
    recipe: PretrainRecipe, sets: Sequence[LabelledSet], source: Source, packed: Path, say: Callable[[str], None]
) -> tuple[Prepared, Any, Counted]:
    """What is read, how each character sounds, and what is counted before the first step."""
    prepared = source.prepare(recipe, sets, packed, say)
    sounds = sounds_of(prepared.alphabet)
    return prepared, sounds, _counted(recipe, prepared, sounds, packed, say)


def _counted_file(recipe: PretrainRecipe, prepared: Prepared, packed: Path) -> Path:
    """Where what is counted is kept, beside the packed ids, under a name made of all it depends on."""
    made_from = [recipe.shape.tables(), recipe.vectors and recipe.vectors.model_dump(), recipe.seed]
    key = json.dumps([made_from, prepared.digests, prepared.alphabet.digest], sort_keys=True)
    return packed / f"counted-{hashlib.sha256(key.encode()).hexdigest()[:16]}.npz"


def _counted(
    recipe: PretrainRecipe, prepared: Prepared, sounds: Any, packed: Path, say: Callable[[str], None]
) -> Counted:
    path = _counted_file(recipe, prepared, packed)
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
