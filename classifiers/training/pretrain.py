"""Pretrain an encoder from a recipe: corpora → packed ids → static vectors → steps with checkpoints → a folder.

Whatever is drawn at a step depends on the recipe's seed and the step's number alone, so a run that was killed and
goes on from its checkpoint sees what it would have seen.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from torch import Tensor
from torch.nn import functional

from classifiers.encoder import TOKENIZER
from classifiers.training.device import ahead, best_device, device_name, moved
from classifiers.training.encoder_model import WoodpeckerConfig, WoodpeckerForPretraining
from classifiers.training.pretrain_checkpoint import Checkpoint, alone, read_checkpoint, save_checkpoint
from classifiers.training.pretrain_corpus import Prepared, prepare
from classifiers.training.pretrain_log import Log, plot_losses, read_log
from classifiers.training.pretrain_noise import Noised, Noiser
from classifiers.training.pretrain_recipe import PretrainRecipe, Steps, load_pretrain_recipe
from classifiers.training.pretrain_vectors import Counted, count, read_counted, save_counted, sounds_of
from classifiers.training.sets import LabelledSet, Tier
from classifiers.training.tokens import save_tokenizer

LOG, MANIFEST, PLOT = "loss.jsonl", "manifest.json", "loss.png"
EVERY = 50  # steps between two entries of the log
HELD_EVERY = 500
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
    run = _Run(recipe, prepared, Noiser(recipe.noise, sounds, counted), folder, say)
    run.model.encoder.embedding.sound_of.copy_(torch.from_numpy(sounds))
    if found is None:
        run.begin_from(counted)
    else:
        run.restore(found)
        say(f"goes on from step {found.step}")
    if not run.go(identity, stop_after):
        return None
    return _finish(run, recipe, prepared, folder, tier, time.monotonic() - began)


class _Run:
    """The model, its optimiser, and the step they stand at."""

    def __init__(
        self, recipe: PretrainRecipe, prepared: Prepared, noiser: Noiser, folder: Path, say: Callable[[str], None]
    ) -> None:
        torch.manual_seed(recipe.seed)
        self.recipe, self.prepared, self.noiser, self.folder, self.say = recipe, prepared, noiser, folder, say
        shape = recipe.shape.model_dump()
        self.device = best_device()
        model = WoodpeckerForPretraining(WoodpeckerConfig(vocab_size=len(prepared.alphabet), **shape))
        self.model = model.to(self.device)
        if recipe.training.compiled:
            self.model.encoder.compile()  # blocks of one shape; the places to guess are of another number each step
        self.step = 0
        plain = [p for p in self.model.parameters() if p.ndim < 2]
        matrices = [p for p in self.model.parameters() if p.ndim >= 2]
        training = recipe.training
        groups = [{"params": matrices, "weight_decay": training.decay}, {"params": plain, "weight_decay": 0.0}]
        self.optimiser = torch.optim.AdamW(groups, lr=training.rate, betas=(0.9, 0.98), eps=1e-6, fused=True)

    def begin_from(self, counted: Counted) -> None:
        """Put the static vectors into the embedding tables."""
        embedding = self.model.encoder.embedding
        with torch.no_grad():
            for name, table in counted.tables.items():
                getattr(embedding, name).weight.copy_(torch.from_numpy(table))
            seen = torch.from_numpy(counted.counts.astype(np.float64))
            self.model.guess_bias.copy_(torch.log((seen + 1) / (seen + 1).sum()) + np.log(len(seen)))

    def restore(self, checkpoint: Checkpoint) -> None:
        """Go back to where a checkpoint was written."""
        self.step = checkpoint.step
        self.model.load_state_dict(_under(checkpoint.tensors, "model."))
        for number, parameter in enumerate(self._parameters()):
            state = _under(checkpoint.tensors, f"optimiser.{number}.")
            self.optimiser.state[parameter] = moved(state, parameter.device)

    def save(self, identity: dict[str, Any]) -> None:
        """Write a checkpoint."""
        tensors = {f"model.{name}": value.contiguous() for name, value in self.model.state_dict().items()}
        for number, parameter in enumerate(self._parameters()):
            for key, value in self.optimiser.state[parameter].items():
                tensors[f"optimiser.{number}.{key}"] = value.contiguous()
        save_checkpoint(self.folder, Checkpoint(self.step, identity, tensors))

    def go(self, identity: dict[str, Any], stop_after: int | None) -> bool:
        """Train to the end of the recipe; False when stopped before."""
        training, steps = self.recipe.training, self.recipe.training.steps
        log = Log(self.folder / LOG, self.step)
        saved = time.monotonic()
        for noised in self._noised(steps):
            losses = self._one(noised, _rate(training, self.step))
            self.step += 1
            log.add(losses)
            if self.step % EVERY == 0 or self.step == steps:
                held = self.held_loss() if self.step % HELD_EVERY == 0 or self.step == steps else None
                self.say(log.write(self.step, steps, training.batch * training.length, held))
            due = time.monotonic() - saved > training.checkpoint_minutes * 60
            if due or self.step in (steps, stop_after):
                self.save(identity)
                saved = time.monotonic()
                if self.step == stop_after and self.step < steps:
                    return False
        return True

    def held_loss(self) -> float:
        """Mean loss, in nats, of guessing masked characters of blocks that are never trained on."""
        noiser = self.noiser.only_masking()
        noised = noiser(self.prepared.held, np.random.default_rng(self.recipe.seed))
        total, places = 0.0, noised.places
        width = self.prepared.held.shape[1]
        self.model.eval()
        with torch.no_grad():
            for low in range(0, len(noised.ids), 128):
                mine = places[(places >= low * width) & (places < (low + 128) * width)]
                truth = self._long(self.prepared.held.reshape(-1)[mine])
                said = self._said(noised.ids[low : low + 128], mine - low * width).characters
                total += float(functional.cross_entropy(said.float(), truth, reduction="sum"))
        self.model.train()
        return total / max(1, len(places))

    def _noised(self, steps: int) -> Iterator[tuple[Any, Noised]]:
        return ahead(self._draw, range(self.step, steps))

    def _draw(self, step: int) -> tuple[Any, Noised]:
        training, seed = self.recipe.training, self.recipe.seed
        ids = self.prepared.mixture.draw(seed, step + 1, training.batch, training.length)
        return ids, self.noiser(ids, np.random.default_rng((seed, step + 1, 1)))

    def _one(self, drawn: tuple[Any, Noised], rate: float) -> Tensor:
        """One step; returns the losses of guessing and of finding, still on the device."""
        ids, noised = drawn
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        said = self._said(noised.ids, noised.places)
        guess = functional.cross_entropy(said.characters.float(), self._long(ids.reshape(-1)[noised.places]))
        asked = torch.from_numpy(noised.replaced.reshape(-1)).to(self.device)
        there = asked >= 0
        found = functional.binary_cross_entropy_with_logits(said.found.float()[there], asked[there].float())
        loss = guess + self.recipe.training.found_weight * found
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimiser.step()
        return torch.stack((guess.detach(), found.detach()))

    def _said(self, ids: Any, places: Any) -> Any:
        half = self.recipe.training.precision == "bfloat16"
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=half):
            return self.model(self._long(ids), self._long(places))

    def _long(self, ids: Any) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(ids).astype(np.int64)).to(self.device)

    def _parameters(self) -> list[Tensor]:
        return [parameter for group in self.optimiser.param_groups for parameter in group["params"]]


def _rate(training: Steps, step: int) -> float:
    """Learning rate of a step: up, level, down."""
    falling = max(1, int(training.steps * training.fall))
    up = min(1.0, (step + 1) / max(1, training.warm_up))
    down = min(1.0, (training.steps - step) / falling)
    return training.rate * min(up, down)


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


def _finish(run: _Run, recipe: PretrainRecipe, prepared: Prepared, folder: Path, tier: Tier, took: float) -> Pretrained:
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


def _under(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
