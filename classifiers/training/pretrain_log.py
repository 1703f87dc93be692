"""The losses of a run: one JSON object a line while it runs, and a drawing of them.

`python -m classifiers.training.pretrain_log LOSS_JSONL PLOT` draws a run's log anew, as PNG or SVG by the name.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from classifiers.training.drawing import panels, save


class Log:
    """Losses and speed, one JSON object a line; entries after the step a run goes on from are dropped."""

    def __init__(self, path: Path, step: int, done: float = 0.0) -> None:
        self._path, self._done = path, done
        kept = [entry for entry in read_log(path) if entry["step"] <= step]
        path.write_text("".join(json.dumps(entry) + "\n" for entry in kept), encoding="utf-8")
        self._seconds = kept[-1]["seconds"] if kept else 0.0
        self._losses: list[Any] = []
        self._since = time.monotonic()

    def add(self, losses: Any) -> None:
        """Keep the losses of a step, a tensor of two; they are looked at when an entry is written."""
        self._losses.append(losses)

    def write(self, step: int, tokens: int, done: float, held: float | None) -> str:
        """Write an entry; returns it as a line for people. `tokens` are those of a step, `done` is how much of the run
        lies behind, from 0 to 1."""
        guess, found = np.mean([losses.tolist() for losses in self._losses], axis=0).tolist()
        took = time.monotonic() - self._since
        speed = len(self._losses) * tokens / max(took, 1e-9)
        self._seconds += took
        entry: dict[str, Any] = {
            "step": step,
            "tokens": step * tokens,
            "guess": round(guess, 4),
            "found": round(found, 4),
        }
        entry |= {"held": None if held is None else round(held, 4), "seconds": round(self._seconds, 1)}
        with self._path.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(entry) + "\n")
        self._losses, self._since = [], time.monotonic()
        left = (1 - done) * took / max(done - self._done, 1e-9) / 60
        self._done = done
        watched = "" if held is None else f", held back {held:.3f}"
        return (
            f"step {step}, {done:.1%}: guessing {guess:.3f}, finding {found:.4f}{watched}; "
            f"{speed:,.0f} tokens/s, {left:.0f} min left"
        )


def read_log(path: Path) -> list[dict[str, Any]]:
    """The entries of a run's log; a last line that a kill cut short is left out."""
    if not path.is_file():
        return []
    entries = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            entries.append(json.loads(line))
        except ValueError:
            break
    return entries


def plot_losses(log: list[dict[str, Any]], path: Path) -> None:
    """Draw the losses of a run against the tokens read."""
    figure, (axis,) = panels()
    tokens = [entry["tokens"] / 1e6 for entry in log]
    axis.plot(tokens, [entry["guess"] for entry in log], color="tab:blue", linewidth=0.8, label="noised characters")
    watched = [(entry["tokens"] / 1e6, entry["held"]) for entry in log if entry["held"] is not None]
    if watched:
        axis.plot(*zip(*watched, strict=True), "o-", color="tab:red", markersize=3, label="masked, held back")
    axis.set_xlabel("million tokens read")
    axis.set_ylabel("loss, nats per character")
    axis.legend()
    save(figure, path)


if __name__ == "__main__":
    plot_losses(read_log(Path(sys.argv[1])), Path(sys.argv[2]))
