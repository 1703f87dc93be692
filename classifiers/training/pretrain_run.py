"""The steps of a pretraining run: what is drawn, computed, logged and kept at each.

Whatever is drawn at a step depends on the recipe's seed and the step's number alone, so a run that was killed and
goes on from its checkpoint sees what it would have seen. Nothing in a step asks the device for a number, so a GPU has
always the next step's work before it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from classifiers.training.device import best_device, moved, seeded
from classifiers.training.encoder_model import WoodpeckerConfig, WoodpeckerForPretraining
from classifiers.training.pretrain_blocks import Blocks
from classifiers.training.pretrain_checkpoint import Checkpoint, save_checkpoint
from classifiers.training.pretrain_corpus import Prepared
from classifiers.training.pretrain_log import Log
from classifiers.training.pretrain_losses import Losses
from classifiers.training.pretrain_noise import IGNORED, Noised, Noiser, only_masking
from classifiers.training.pretrain_recipe import PretrainRecipe, Steps
from classifiers.training.pretrain_vectors import Counted

LOG = "loss.jsonl"
EVERY = 50  # steps between two entries of the log
HELD_EVERY = 500
HELD = 512  # blocks, or more where a step has more


class Run:
    """The model, its optimiser, and the step they stand at."""

    def __init__(
        self,
        recipe: PretrainRecipe,
        prepared: Prepared,
        sounds: NDArray[np.int64],
        counted: Counted,
        folder: Path,
        say: Callable[[str], None],
    ) -> None:
        torch.manual_seed(recipe.seed)
        self.recipe, self.folder, self.say = recipe, folder, say
        self.step, self.seconds = 0, 0.0
        self.device = best_device()
        training = recipe.training
        config = WoodpeckerConfig(vocab_size=len(prepared.alphabet), **recipe.shape.model_dump())
        self.model = WoodpeckerForPretraining(config).to(self.device)
        self.model.encoder.embedding.sound_of.copy_(torch.from_numpy(sounds))
        self.losses = Losses(self.model, half=training.precision == "bfloat16", compiled=training.compiled)
        self.blocks = Blocks(prepared.mixture, self.device)
        self.noiser = Noiser(recipe.noise, sounds, counted, self.device)
        self.held = [noised.to(self.device) for noised in _held(recipe, prepared, sounds, counted)]
        plain = [p for p in self.model.parameters() if p.ndim < 2]
        matrices = [p for p in self.model.parameters() if p.ndim >= 2]
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
        self.seconds = float(checkpoint.tensors.get("seconds", torch.tensor(0.0)))
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
        tensors["seconds"] = torch.tensor(self.seconds, dtype=torch.float64)
        save_checkpoint(self.folder, Checkpoint(self.step, identity, tensors))

    def go(self, identity: dict[str, Any], stop_after: int | None) -> bool:
        """Train to the end of the recipe; False when stopped before."""
        training = self.recipe.training
        done = _done(training, self.step, self.seconds)
        log = Log(self.folder / LOG, self.step, done)
        saved = time.monotonic()
        began = saved - self.seconds
        while done < 1:
            log.add(self._one(_rate(training, self.step, done)))
            self.step, self.seconds = self.step + 1, time.monotonic() - began
            done = _done(training, self.step, self.seconds)
            if self.step % EVERY == 0 or done == 1:
                held = self.held_loss() if self.step % HELD_EVERY == 0 or done == 1 else None
                now = _done(training, self.step, time.monotonic() - began)  # the look took its time too
                self.say(log.write(self.step, training.batch * training.length, now, held))
            due = time.monotonic() - saved > training.checkpoint_minutes * 60
            if due or done == 1 or self.step == stop_after:
                self.seconds = time.monotonic() - began
                self.save(identity)
                saved = time.monotonic()
                if self.step == stop_after and done < 1:
                    return False
        return True

    def held_loss(self) -> float:
        """Mean loss, in nats, of guessing masked characters of blocks that are never trained on."""
        found, asked = 0.0, 0
        for noised in self.held:
            places = int((noised.truth != IGNORED).sum())
            # In the shape and the mode of a step, gradients and all: another would be compiled anew.
            found += float(self.losses(noised)[0].detach()) * places
            asked += places
        return found / max(1, asked)

    def _one(self, rate: float) -> Tensor:
        """One step; returns the losses of guessing and of finding, still on the device."""
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        guess, found = self.losses(self._drawn())
        loss = guess + self.recipe.training.found_weight * found
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimiser.step()
        return torch.stack((guess.detach(), found.detach()))

    def _drawn(self) -> Noised:
        generator = seeded(self.device, self.recipe.seed, self.step + 1)
        ids = self.blocks.draw(self.recipe.training.batch, self.recipe.training.length, generator)
        return self.noiser(ids, generator)

    def _parameters(self) -> list[Tensor]:
        return [parameter for group in self.optimiser.param_groups for parameter in group["params"]]


def _held(recipe: PretrainRecipe, prepared: Prepared, sounds: NDArray[np.int64], counted: Counted) -> Iterator[Noised]:
    """Held-back blocks with masks, in batches as large as a step's; the same on every device."""
    processor, training = torch.device("cpu"), recipe.training
    generator = seeded(processor, recipe.seed, 0)
    blocks = Blocks(prepared.held, processor)
    noiser = Noiser(only_masking(recipe.noise), sounds, counted, processor)
    for _ in range(0, HELD, training.batch):
        yield noiser(blocks.draw(training.batch, training.length, generator), generator)


def _done(training: Steps, step: int, seconds: float) -> float:
    """How much of a run lies behind after so many steps that took so many seconds, from 0 to 1."""
    if training.seconds is not None:
        return min(1.0, seconds / training.seconds)
    return min(1.0, step / training.steps) if training.steps else 1.0


def _rate(training: Steps, step: int, done: float) -> float:
    """Learning rate of a step: up, level, down."""
    up = min(1.0, (step + 1) / max(1, training.warm_up))
    down = min(1.0, (1 - done) / max(training.fall, 1e-9))
    return training.rate * min(up, down)


def _under(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
