"""Fine-tune a pretrained encoder for the categories: all sets together, loss only where a row has evidence.

Early stopping watches the mean average precision of the categories on the calibrating half of what is held back; the
running average of the weights is what is watched and kept.
"""

from __future__ import annotations

import copy
import itertools
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from classifiers.encoder import Tokens
from classifiers.evaluation.metrics import average_precision
from classifiers.normalise.fold import Folded, fold
from classifiers.training.begin import OtherForCategories
from classifiers.training.device import ahead, best_device, moved
from classifiers.training.encoder_draws import Batch, Draws
from classifiers.training.encoder_model import WoodpeckerForCategories
from classifiers.training.encoder_recipe import Distilling, EncoderRecipe, Tuning
from classifiers.training.pretrain_checkpoint import Checkpoint, alone, read_checkpoint, save_checkpoint
from classifiers.training.rows import UNKNOWN, Rows
from classifiers.windows import BATCH_IDS

ForCategories = WoodpeckerForCategories | OtherForCategories
WATCHED = 6000  # held-back rows looked at in training


@dataclass(frozen=True, slots=True)
class Watched:
    """Held-back texts, folded, and what they say."""

    folded: Folded
    says: NDArray[np.int8]


class Tuner:
    """The model, its running average and its optimiser, and how many samples they have seen."""

    def __init__(self, model: ForCategories, tokens: Tokens, recipe: EncoderRecipe, draws: Draws) -> None:
        self.device = best_device()
        self.model, self.tokens, self.recipe, self.draws = model.to(self.device), tokens, recipe, draws
        self.average = copy.deepcopy(model).eval()
        self.samples, self.step, self.round, self.place = 0, 0, 0, 0
        self.best, self.best_state = -1.0, {k: v.clone() for k, v in self.average.state_dict().items()}
        tuning = recipe.training
        tables = [p for m in model.modules() if isinstance(m, torch.nn.Embedding) for p in m.parameters()]
        known = {id(p) for p in tables}
        rest = [p for p in model.parameters() if id(p) not in known]
        groups = [{"params": rest, "top": tuning.rate}, {"params": tables, "top": tuning.table_rate}]
        self.optimiser = torch.optim.AdamW(
            groups, lr=tuning.rate, betas=(0.9, 0.98), eps=1e-6, weight_decay=tuning.decay, fused=True
        )

    def go(
        self, watched: Watched, folder: Path, identity: dict[str, Any], say: Callable[[str], None]
    ) -> dict[str, Tensor]:
        """Train to the end of the recipe; returns the best weights seen."""
        with alone(folder):
            self._restore(read_checkpoint(folder, identity), say)
            return self._go(watched, folder, identity, say)

    def _go(
        self, watched: Watched, folder: Path, identity: dict[str, Any], say: Callable[[str], None]
    ) -> dict[str, Tensor]:
        tuning = self.recipe.training
        saved = since = time.monotonic()
        next_check = (self.samples // tuning.check_every + 1) * tuning.check_every
        losses: list[Tensor] = []
        ids_seen = 0
        batches = self._batches()
        while self.samples < tuning.samples:
            batch = next(batches)
            losses.append(self._one(batch))
            ids_seen += batch.ids.size
            self.place += 1
            if self.samples >= next_check or self.samples >= tuning.samples:
                next_check += tuning.check_every
                self._check(watched, torch.stack(losses).mean().item(), ids_seen / (time.monotonic() - since), say)
                losses, ids_seen, since = [], 0, time.monotonic()
            if time.monotonic() - saved > tuning.checkpoint_minutes * 60:
                self._save(folder, identity)
                saved = time.monotonic()
        batches.close()
        self._save(folder, identity)
        return self.best_state

    def _batches(self) -> Generator[Batch]:
        """What is left of the round the run stands in, then the rounds after it, without end."""
        for batches in ahead(lambda number: tuple(self.draws.round(number)), itertools.count(self.round)):
            yield from batches[self.place :]
            self.round, self.place = self.round + 1, 0

    def _one(self, batch: Batch) -> Tensor:
        tuning = self.recipe.training
        for group in self.optimiser.param_groups:
            group["lr"] = group["top"] * _share_of_rate(tuning, self.samples)
        self.model.train()
        torch.manual_seed(self.recipe.drawn_by + self.step)  # dropout depends on the step alone
        half = tuning.precision == "bfloat16"
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=half):
            logits = self.model(torch.from_numpy(batch.ids).to(self.device)).float()
        loss = loss_of(logits, torch.from_numpy(batch.says).to(self.device), tuning.smoothing)
        if batch.odds is not None and self.recipe.distil is not None:
            taught = taught_loss(logits, torch.from_numpy(batch.odds).to(self.device), self.recipe.distil)
            loss = (1 - self.recipe.distil.weight) * loss + self.recipe.distil.weight * taught
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimiser.step()
        self.samples += len(batch.ids)
        self.step += 1
        keep = min(tuning.average, self.step / (self.step + 10))
        with torch.no_grad():
            torch._foreach_lerp_(list(self.average.parameters()), list(self.model.parameters()), 1 - keep)
        return loss.detach()

    def _check(self, watched: Watched, loss: float, speed: float, say: Callable[[str], None]) -> None:
        found = logits_of(self.average, self.tokens, watched.folded)
        score = mean_precision(found, watched.says)
        if score > self.best:
            self.best, self.best_state = score, {k: v.clone() for k, v in self.average.state_dict().items()}
        tuning = self.recipe.training
        say(
            f"{self.samples:,}/{tuning.samples:,} texts: loss {loss:.4f}, held back: mean average precision "
            f"{score:.4f} (best {self.best:.4f}); {speed:,.0f} characters/s"
        )

    def _save(self, folder: Path, identity: dict[str, Any]) -> None:
        parts = {"model": self.model, "average": self.average}
        tensors = {f"{name}.{k}": v.contiguous() for name, part in parts.items() for k, v in part.state_dict().items()}
        tensors |= {f"best.{key}": value for key, value in self.best_state.items()}
        for number, parameter in enumerate(self._parameters()):
            for key, value in self.optimiser.state[parameter].items():
                tensors[f"optimiser.{number}.{key}"] = value.contiguous()
        tensors["state"] = torch.tensor([self.samples, self.round, self.place, self.best], dtype=torch.float64)
        save_checkpoint(folder, Checkpoint(self.step, identity, tensors))

    def _restore(self, found: Checkpoint | None, say: Callable[[str], None]) -> None:
        if found is None:
            return
        under = {
            name: {k.removeprefix(f"{name}."): v for k, v in found.tensors.items() if k.startswith(f"{name}.")}
            for name in ("model", "average", "best")
        }
        self.model.load_state_dict(under["model"])
        self.average.load_state_dict(under["average"])
        self.best_state = under["best"]
        for number, parameter in enumerate(self._parameters()):
            prefix = f"optimiser.{number}."
            state = {k.removeprefix(prefix): v for k, v in found.tensors.items() if k.startswith(prefix)}
            self.optimiser.state[parameter] = moved(state, parameter.device)
        samples, round_, place, self.best = found.tensors["state"].tolist()
        self.samples, self.round, self.place, self.step = int(samples), int(round_), int(place), found.step
        say(f"goes on from {self.samples:,} texts")

    def _parameters(self) -> list[Tensor]:
        return [parameter for group in self.optimiser.param_groups for parameter in group["params"]]


def loss_of(logits: Tensor, says: Tensor, smoothing: float) -> Tensor:
    """Mean logistic loss over what is known, with labels drawn in by `smoothing`."""
    known = says != UNKNOWN
    target = says.clamp(min=0).to(logits.dtype) * (1 - 2 * smoothing) + smoothing
    loss = functional.binary_cross_entropy_with_logits(logits, target, reduction="none")
    # Summed over categories: a text that speaks of many is worth more than one that speaks of one.
    return (loss * known).sum() / max(1, len(logits))


def taught_loss(logits: Tensor, odds: Tensor, recipe: Distilling) -> Tensor:
    """Logistic loss against the teachers' probabilities, both softened; the square keeps gradients of like size."""
    soft = torch.sigmoid(odds.to(logits.dtype) / recipe.temperature)
    loss = functional.binary_cross_entropy_with_logits(logits / recipe.temperature, soft, reduction="none")
    return loss.sum() * recipe.temperature**2 / max(1, len(logits))


def logits_of(model: ForCategories, tokens: Tokens, folded: Folded, ids: int = BATCH_IDS) -> NDArray[np.float64]:
    """The float model's logits, read as the served one reads: by windows, a long text has its strongest."""
    cut = tokens.windows(folded)
    found = np.full((len(folded), model.config.num_labels), -np.inf)
    model.eval()
    device = next(model.parameters()).device
    with torch.no_grad():
        for chosen in cut.batches(ids):
            logits = model(torch.from_numpy(cut.padded(chosen)).to(device)).float().cpu().numpy()
            np.maximum.at(found, cut.owner[chosen], logits)
    return found


def mean_precision(logits: NDArray[np.float64], says: NDArray[np.int8]) -> float:
    """Mean over categories of average precision, where both kinds are held back."""
    found = []
    for k in range(says.shape[1]):
        known = says[:, k] != UNKNOWN
        if len(set(says[known, k].tolist())) == 2:
            found.append(average_precision(logits[known, k], says[known, k]))
    return float(np.mean(found)) if found else 0.0


def watch(rows: Rows, calibrating: NDArray[np.bool_], seed: int, most: int = WATCHED) -> Watched:
    """A sample of the calibrating rows, of small sets more of their rows, at most `most` in all."""
    able = np.flatnonzero(calibrating)
    random = np.random.default_rng(seed)
    counts = np.bincount(rows.origin[able], minlength=len(rows.sets))
    p = counts[rows.origin[able]] ** -0.5
    chosen = np.sort(random.choice(able, size=min(most, len(able)), replace=False, p=p / p.sum()))
    return Watched(fold([rows.texts[i] for i in chosen]), rows.says[chosen])


def _share_of_rate(tuning: Tuning, samples: int) -> float:
    """Up in a straight line, then down to nothing."""
    done = samples / tuning.samples
    up = 1.0 if tuning.warm_up == 0 else min(1.0, (done + 1e-3) / tuning.warm_up)
    return min(up, max(0.0, (1 - done) / max(1e-9, 1 - tuning.warm_up)))
