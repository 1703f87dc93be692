"""Which texts does the glance at ingest call urgent, and from which probability on should it?

python -m benchmarks.glance [--data DATA] [--model FOLDER]

All texts are ones the shipped model was never trained on: ours (`classifiers/training/written`) and, with the folder of
labelled sets, those of ordinary talk. To set `classifiers.triage.AT_A_GLANCE` for another model take the highest
probability that still marks 95 % of what is flagged as self_harm.
"""

from __future__ import annotations

import time
from pathlib import Path
from random import Random
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from classifiers import triage
from classifiers.cascade import load_cascade
from classifiers.training.recipe import find_recipe, load_recipe
from classifiers.training.rows import files_of, held_back, read_jsonl
from classifiers.training.sets import LabelledSet
from classifiers.training.written import read_written
from config.taxonomy import SLUGS
from workers.cli.classify import thresholds_of

LEVELS = (0.02, 0.05, 0.08, 0.1, 0.15, 0.2, 0.3, 0.5)
WHAT = "self_harm"
POSTS = "suicide_risk_0_10"
"""A set of what people wrote, not we."""


def main(
    data: Annotated[Path | None, typer.Option(help="Folder of labelled sets: adds ordinary talk.")] = None,
    model: Annotated[Path | None, typer.Option(help="Folder of a model; default: the shipped one.")] = None,
    most: Annotated[int, typer.Option(help="Texts of each set of ordinary talk, and of ours.")] = 4000,
) -> None:
    """Print per probability the share of what is flagged as self_harm that is marked, and of ordinary texts."""
    recipe, sets = load_recipe(find_recipe("linear"))
    assessor, threshold = load_cascade(model), thresholds_of(None, as_json=False)[WHAT]

    def flagged(texts: list[str]) -> list[str]:
        score = assessor.scores(texts)[:, SLUGS.index(WHAT)]
        return [texts[i] for i in np.flatnonzero(score >= threshold)]

    own, harmless = written(recipe.seed)
    columns = {"ours, flagged": flagged(own), "ours, harmless": harmless[:most]}
    for labelled in sets if data else ():
        if labelled.ordinary:
            columns[labelled.name] = drawn(labelled, data or Path(), recipe.seed)[:most]
        elif labelled.name == POSTS:
            columns["posts, flagged"] = flagged(drawn(labelled, data or Path(), recipe.seed)[:most])
    table = Table("from", *(f"{name} ({len(texts):,})" for name, texts in columns.items()))
    for level in LEVELS:
        glance = triage.load(model_dir=model, at_least=level)
        table.add_row(f"{level}", *(f"{marked(glance, texts).mean():.1%}" for texts in columns.values()))
    Console(width=120).print(
        table, f"A glance costs {cost(triage.load(model_dir=model), harmless[:most]):.0f} µs a text"
    )


def written(seed: int) -> tuple[list[str], list[str]]:
    """Our own texts that are held back from training: those about self-harm, and those that are harmless."""
    found: tuple[list[str], list[str]] = ([], [])
    for labelled in load_recipe(find_recipe("linear"))[1]:
        if labelled.name == "written":
            rows = [row for path in files_of(labelled, Path()) for row in read_written(path)]
            apart = held_back(rows, [row["text"] for row in rows], labelled.hold_back, seed)
            for row in (rows[i] for i in np.flatnonzero(apart)):
                if WHAT in row["slugs"] or not row["slugs"]:
                    found[not row["slugs"]].append(row["text"])
    for texts in found:
        Random(seed).shuffle(texts)
    return found


def drawn(labelled: LabelledSet, data: Path, seed: int) -> list[str]:
    """Texts of a set that are held back from training, shuffled."""
    rows = [row for path in files_of(labelled, data) for row in read_jsonl(path)]
    texts = [row["text"] for row in rows]
    kept = [texts[i] for i in np.flatnonzero(held_back(rows, texts, labelled.hold_back, seed))]
    Random(seed).shuffle(kept)
    return kept


def marked(glance: triage.Triage, texts: list[str]) -> NDArray[np.bool_]:
    """Which texts must not wait."""
    return np.array([bool(slugs) for slugs in glance.slugs(texts)], dtype=bool)


def cost(glance: triage.Triage, texts: list[str]) -> float:
    """Microseconds of CPU a text, the best of three."""
    best = np.inf
    for _ in range(3):
        began = time.process_time()
        glance.slugs(texts)
        best = min(best, time.process_time() - began)
    return float(best) / len(texts) * 1e6


if __name__ == "__main__":
    typer.run(main)
