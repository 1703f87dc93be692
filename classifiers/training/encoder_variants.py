"""Texts evaded ahead of training, in a few variants each, as windows of ids: nothing of Python's is left for a step.

Which variant a text gets depends on the seed, the variant's number and the text's place alone, so they are the same
whether one process made them or many.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classifiers.encoder import Tokens
from classifiers.normalise.fold import fold
from classifiers.training.device import best_device
from classifiers.training.evasions import evade_each
from classifiers.windows import Windows

TOGETHER = 4096  # texts given to a process at once


@dataclass(frozen=True, slots=True)
class Variants:
    """Windows of texts as written (variant 0) and evaded (1 …): text `t` in variant `v` is text `v * texts + t` of
    `windows`, whose windows begin at number `first` of it."""

    windows: Windows
    first: NDArray[np.int64]
    texts: int

    def one_window(self, texts: NDArray[np.int64], evaded: NDArray[np.bool_], random: np.random.Generator) -> Windows:
        """One window of each text, any of them, of the text as written or of any of its variants."""
        variants = len(self.first) // self.texts - 1
        variant = np.where(evaded, random.integers(1, variants + 1, len(texts)), 0)
        number = variant * self.texts + texts
        count = np.append(self.first[1:], len(self.windows.owner))[number] - self.first[number]
        chosen = self.first[number] + (random.random(len(texts)) * count).astype(np.int64)
        made = self.windows
        return Windows(made.ids, made.starts[chosen], made.ends[chosen], np.arange(len(texts)), made.frame)


def make_variants(
    texts: Sequence[str], tokens: Tokens, number: int, seed: int, processes: int | None = None
) -> Variants:
    """So many evaded variants of each text; made by all processors where training runs on a GPU."""
    if processes is None:
        processes = (os.cpu_count() or 1) if best_device().type == "cuda" else 1
    plain = (list(texts[low : low + TOGETHER]) for low in range(0, len(texts), TOGETHER))
    parts = [tokens.windows(fold(chunk)) for chunk in plain]
    parts += [tokens.windows(fold(chunk)) for chunk in _evaded(_chunks(texts, number, seed), processes)]
    windows = _joined(parts)
    owners = (number + 1) * len(texts)
    return Variants(windows, np.searchsorted(windows.owner, np.arange(owners)).astype(np.int64), len(texts))


def _chunks(texts: Sequence[str], number: int, seed: int) -> Iterator[tuple[list[str], list[str]]]:
    for variant in range(1, number + 1):
        for low in range(0, len(texts), TOGETHER):
            some = list(texts[low : low + TOGETHER])
            yield some, [f"{seed}/{variant}/{place}" for place in range(low, low + len(some))]


def _evaded(chunks: Iterable[tuple[list[str], list[str]]], processes: int) -> Iterator[list[str]]:
    if processes == 1:
        yield from map(evade_each, chunks)
        return
    # Processes begun anew, for one that was forked may not touch a GPU that its parent has opened.
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield from pool.map(evade_each, chunks)


def _joined(parts: Sequence[Windows]) -> Windows:
    """Windows of texts one after another, renumbered."""
    ids = np.concatenate([part.ids for part in parts])
    before = np.cumsum([0, *(len(part.ids) for part in parts)])
    owners = np.cumsum([0, *(int(part.owner[-1]) + 1 for part in parts)])  # every text has a window
    shifted = [
        (part.starts + begin, part.ends + begin, part.owner + owner)
        for part, begin, owner in zip(parts, before, owners, strict=False)
    ]
    starts, ends, owner = (np.concatenate(some) for some in zip(*shifted, strict=True))
    return Windows(ids, starts, ends, owner, parts[0].frame)
