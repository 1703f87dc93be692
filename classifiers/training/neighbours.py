"""Count which characters stand side by side: `python -m classifiers.training.neighbours --data DATA`.

Reads the corpora of `recipes/neighbours.yaml` and the training rows of the linear recipe, and writes what
`classifiers/normalise/neighbours.py` loads. Rows that are held back are not counted.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, cast

import numpy as np
import typer
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from classifiers.normalise.fold import fold
from classifiers.normalise.neighbours import FILE, SYMBOLS, save_neighbours
from classifiers.normalise.tables import CODE_POINTS
from classifiers.training.recipe import find_recipe
from classifiers.training.sets import Tier, read_yaml, validate
from classifiers.training.tokens import corpus_lines
from classifiers.training.train import trained_texts

BATCH = 4096  # texts folded together
MERGED = 3_000_000  # pairs gathered before they are added up
LONGEST = 2000  # characters of one text
DISCOUNT = 0.75

Keys = NDArray[np.int64]


class Corpus(BaseModel):
    """A plain text, one a line, and how many characters of it are read at most."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: str
    most: int = Field(gt=0)
    tier: Tier


class CountRecipe(BaseModel):
    """A recipe as written; a pair of neighbours seen less than `least` times counts as never seen."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    corpora: tuple[Corpus, ...]
    least: int = Field(ge=1)


@dataclass(slots=True)
class Counts:
    """How often each character, and each pair of neighbours (first · CODE_POINTS + second), was seen."""

    characters: Keys = field(default_factory=lambda: np.zeros(CODE_POINTS, dtype=np.int64))
    pairs: Keys = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    times: Keys = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    def add(self, gathered: list[Keys]) -> None:
        """Add pairs to what was counted before."""
        fresh, times = np.unique(np.concatenate(gathered), return_counts=True)
        pairs = np.concatenate([self.pairs, fresh])
        order = np.argsort(pairs, kind="stable")
        pairs, times = pairs[order], np.concatenate([self.times, times])[order]
        heads = np.flatnonzero(np.concatenate([[True], pairs[1:] != pairs[:-1]]))
        self.pairs, self.times = pairs[heads], np.add.reduceat(times, heads)


def count(texts: Iterable[str]) -> Counts:
    """Count characters and neighbours of texts, folded as they are when they are judged."""
    found, gathered, waiting = Counts(), list[Keys](), 0
    source = iter(texts)
    while batch := [text[:LONGEST] for text in islice(source, BATCH)]:
        folded = fold(batch)
        points = folded.points.astype(np.int64)
        found.characters += np.bincount(points, minlength=CODE_POINTS)
        owner = np.repeat(np.arange(len(folded)), np.diff(folded.bounds))
        pairs = (points[:-1] * CODE_POINTS + points[1:])[owner[1:] == owner[:-1]]
        gathered.append(pairs)
        waiting += len(pairs)
        if waiting >= MERGED:
            found.add(gathered)
            gathered, waiting = [], 0
    if waiting:
        found.add(gathered)
    return found


def write(counts: Counts, path: Path, about: dict[str, Any], least: int) -> dict[str, Any]:
    """Smooth counts into a model and write it with its manifest; returns the manifest.

    A pair that was seen less than `least` times counts as never seen.
    """
    order = np.argsort(-counts.characters, kind="stable")[:SYMBOLS]
    symbols = order[counts.characters[order] > 0]
    symbol = np.zeros(CODE_POINTS, dtype=np.int64)
    symbol[symbols] = np.arange(1, len(symbols) + 1)
    single = np.bincount(symbol, counts.characters, minlength=len(symbols) + 1)
    before, after = symbol[counts.pairs // CODE_POINTS], symbol[counts.pairs % CODE_POINTS]
    use = (before > 0) & (after > 0) & (counts.times >= least)
    before, after, times = before[use], after[use], counts.times[use].astype(np.float64)
    log_single = np.log(np.maximum(single, 1) / single.sum())
    mass = np.bincount(before, times, minlength=len(single))
    kinds = np.bincount(before, minlength=len(single))
    total = np.maximum(np.maximum(single, mass), 1)
    left = np.clip(1 - (mass - DISCOUNT * kinds) / total, 1e-3, 1)
    chance = (times - DISCOUNT) / total[before] + left[before] * np.exp(log_single[after])
    keys = before << 13 | after
    sorted_ = np.argsort(keys)
    digest = save_neighbours(
        path,
        symbols.astype(np.uint32),
        log_single,
        np.log(left),
        keys[sorted_],
        (np.log(chance) - log_single[after])[sorted_],
        times[sorted_],
    )
    manifest = {"sha256": digest, "characters": int(counts.characters.sum()), "pairs": len(keys), **about}
    path.with_suffix(".json").write_text(json.dumps(manifest, ensure_ascii=False, indent=2) + "\n", "utf-8")
    return manifest


def main(
    data: Annotated[Path, typer.Option(help="Folder with `corpus/` and `labelled/`, as docs/encoder.md names them.")],
    output: Annotated[Path, typer.Option(help="The model's file; its manifest is written beside it.")] = FILE,
    recipe: Annotated[str, typer.Option(help="Name of a shipped recipe, or a recipe file.")] = "neighbours",
    tier: Annotated[str, typer.Option(help="Which licences may be used: open, or limited.")] = "limited",
) -> None:
    """Count which characters stand side by side and write the model that hidden words are guessed with."""
    path = find_recipe(recipe)
    wanted = validate(CountRecipe, read_yaml(path), path)
    permitted = cast(Tier, tier)
    corpora = [corpus for corpus in wanted.corpora if permitted == "limited" or corpus.tier == "open"]
    texts, digests = trained_texts(find_recipe("linear"), data / "labelled", tier=permitted)
    counts = count(itertools.chain(texts, *(_beginning(data / corpus.file, corpus.most) for corpus in corpora)))
    about = {"corpora": [one.model_dump() for one in corpora], "labelled": digests}
    manifest = write(counts, output, about, wanted.least)
    typer.echo(f"{output}: {manifest['pairs']:,} pairs seen in {manifest['characters']:,} characters")


def _beginning(path: Path, most: int) -> Iterator[str]:
    """The lines of a corpus up to so many characters."""
    seen = 0
    for line in itertools.chain.from_iterable(corpus_lines(path)):
        yield line
        seen += len(line) + 1  # its line break too
        if seen >= most:
            return


if __name__ == "__main__":
    typer.run(main)
