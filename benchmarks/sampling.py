"""Do the intervals cover, and what does an allocation save? `python -m benchmarks.sampling [--seeds 100]`

A made-up platform of heavy-tailed threads, whose rate is known exactly, is drawn from by the crawler's own code with
many seeds; each draw is estimated by the code behind `woodpecker prevalence`. Prints two tables: for each strategy
and rate, in how many seeds the 95 % interval covers the truth; and how many pages Neyman's allocation needs for the
width that a uniform draw has.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray

from casework.estimation import ThreadSample, estimate, spreads
from config.policy import Section, SitePolicy, load_class
from crawlers.drawing import Drawing, Spreads
from crawlers.frame import Drawn
from crawlers.sampling import Listed
from crawlers.state import State

PAGE = 20
"""Units on a page."""
BASE = "https://forum.example/"
STRATEGIES = ("random", "reservoir", "stratified", "neyman", "adaptive", "pages")


@dataclass(frozen=True)
class Platform:
    """A platform whose every unit is known: by thread, its board, age in days, number of units, and which are hits."""

    board: NDArray[np.intp]
    age: NDArray[np.float64]
    size: NDArray[np.intp]
    hits: list[NDArray[np.bool_]]

    @property
    def rate(self) -> float:
        """The truth."""
        return sum(int(one.sum()) for one in self.hits) / int(self.size.sum())


def platform(rate: float, threads: int, seed: int = 1, boards: tuple[float, ...] = (1.0,)) -> Platform:
    """Make a platform with exactly this rate (to the nearest unit).

    Thread sizes follow a Pareto law of exponent 1.2, cut at 2,000; hits come in samples, since threads differ in
    how likely they are (log-normal), and boards by the factors given.
    """
    dice = np.random.default_rng(seed)
    size = np.minimum(np.floor(dice.pareto(1.2, threads) + 1), 2000).astype(int)
    board = dice.integers(0, len(boards), threads)
    age = dice.lognormal(2.0, 1.8, threads)
    likely = dice.lognormal(0.0, 1.0, threads) * np.array(boards)[board]
    # The k smallest of exponential times with rate `likely` are a draw of k units in proportion to it.
    times = dice.exponential(1.0, int(size.sum())) / np.repeat(likely, size)
    hit = np.zeros(len(times), dtype=bool)
    hit[np.argsort(times)[: max(round(rate * len(times)), 1)]] = True
    return Platform(board, age, size, np.split(hit, np.cumsum(size)[:-1]))


@dataclass(frozen=True)
class Draw:
    """What one run read: threads for the estimate, and the pages that it cost."""

    samples: list[ThreadSample]
    pages: int


@contextmanager
def listed(world: Platform) -> Iterator[State]:
    """Give a crawler's memory that has seen every list of the platform."""
    now = time.time()
    with tempfile.TemporaryDirectory() as folder:
        state = State(Path(folder), "made-up")
        for number, (board, age, size) in enumerate(zip(world.board, world.age, world.size, strict=True)):
            moved = now - float(age) * 86400
            state.frame.note_listed(f"b{board}", Listed(str(number), f"{BASE}{number}", "1", int(size) - 1, moved))
        yield state
        state.close()


def run(world: Platform, state: State, strategy: str, sample: int, seed: int, past: Spreads | None = None) -> Draw:
    """Draw from the platform as a crawl does, and read what was drawn.

    Args:
        past: spreads for Neyman's allocation.
    """
    policy = _policy(world, strategy, sample)
    drawing = Drawing(policy, state, seed, past or {}, {}, b"")
    read = [_read(world, one, section, drawing) for section in policy.sections for one in _drawn(drawing, section)]
    return Draw([one for one, _ in read], sum(pages for _, pages in read))


def _policy(world: Platform, strategy: str, sample: int) -> SitePolicy:
    method = {"neyman": "stratified", "pages": "reservoir"}.get(strategy, strategy)
    boards = np.bincount(world.board)
    thread: dict[str, Any] = {
        "items": ".post", "key": ".key", "text": ".text", "paging": {"kind": "page_number", "total": ".total"},
    }  # fmt: skip
    sections: list[dict[str, Any]] = []
    for number, size in enumerate(boards):
        share = max(sample * int(size) // len(world.board), 2)
        section: dict[str, Any] = {"slug": f"b{number}", "title": "版", "method": method, "sample": share}
        if method == "random":
            section |= {"start": ["/{n}"], "range": (0, int(size) - 1)}
        if strategy == "pages":
            section["pages"] = 3
        sections.append(section)
    values: dict[str, Any] = {
        "name": "made-up", "title": "虚构", "platform_class": load_class("forum_qa"), "base_url": BASE,
        "basis": {"kind": "owner", "document": "虚构"}, "thresholds": load_class("forum_qa").thresholds,
        "pages_per_day": 1000, "delay_seconds": 0, "sections": sections,
        "crawl": {"list": {"items": ".thread", "url": "a::attr(href)"}, "thread": thread},
    }  # fmt: skip
    if strategy == "neyman":
        values["allocation"] = {"threads": sample, "floor": 5}
    return SitePolicy.model_validate(values)


def _drawn(drawing: Drawing, section: Section) -> Iterator[Drawn]:
    if section.method != "random":
        yield from drawing.threads(section, time.time())
        return
    for start in drawing.starts(section, BASE, None):
        yield Drawn(start.url.removeprefix(BASE), start.url, start.chance)


def _read(world: Platform, drawn: Drawn, section: Section, drawing: Drawing) -> tuple[ThreadSample, int]:
    """Return what a thread adds to the estimate, and the pages that it cost."""
    number, chance = int(drawn.key), drawn.chance
    if section.method == "random":  # numbers of a range count within their board
        number = int(np.flatnonzero(world.board == int(section.slug[1:]))[number])
    hits, size = world.hits[number], int(world.size[number])
    assert chance.probability is not None
    whole, pages = 1 / chance.probability, -(-size // PAGE)
    weights = np.full(size, whole)
    if inner := drawing.pages(section, str(number), pages):
        weights[PAGE:] = 0
        for page in inner[0]:
            weights[(page - 1) * PAGE : page * PAGE] = whole / inner[1]
        pages = 1 + len(inner[0])
    units, found = int((weights > 0).sum()), weights[hits]
    stratum = (section.slug, chance.stratum or "")
    totals = float(weights.sum()), float(found.sum()), int((found > 0).sum())
    return ThreadSample(stratum, chance.frame, whole, units, *totals), pages


def _past(world: Platform, state: State, sample: int) -> Spreads:
    """Return the spreads that an earlier draw tells, of strata and of whole sections."""
    before = run(world, state, "stratified", sample, seed=10_000).samples
    whole = [replace(one, stratum=(one.stratum[0], "")) for one in before]
    return {(name[0], name[1]): value for name, value in (spreads(before) | spreads(whole)).items()}


def coverage(rate: float, strategy: str, seeds: int, threads: int = 3000, sample: int = 450) -> tuple[int, list[float]]:
    """Return in how many seeds the interval covers the truth, and the mean rate, lower and upper end."""
    world = platform(rate, threads, boards=(0.5, 1.0, 3.0))
    with listed(world) as state:
        past = _past(world, state, sample) if strategy == "neyman" else {}
        found = [estimate(run(world, state, strategy, sample, seed, past).samples) for seed in range(seeds)]
    told = [one for one in found if one is not None]
    covered = sum(one.low <= world.rate <= one.high for one in told)
    return covered, [fmean(getattr(one, name) for one in told) for name in ("rate", "low", "high")]


def saving(seeds: int, threads: int = 4000, sample: int = 600) -> tuple[float, float, float]:
    """Return pages of a uniform draw, pages of Neyman's allocation at the same width, and that width.

    Six boards whose rates differ up to sixtyfold; the spreads come from a draw before.
    """
    world = platform(0.03, threads, boards=(0.1, 0.1, 0.2, 0.5, 1.0, 6.0))
    with listed(world) as state:
        past = _past(world, state, sample)
        uniform, width = _mean(world, state, "reservoir", sample, seeds, {})
        for share in np.arange(0.2, 1.3, 0.05):
            neyman, reached = _mean(world, state, "neyman", int(sample * share), seeds, past)
            if reached <= width:
                break
    return uniform, neyman, width


def _mean(world: Platform, state: State, strategy: str, sample: int, seeds: int, past: Spreads) -> tuple[float, float]:
    draws = [run(world, state, strategy, sample, seed, past) for seed in range(seeds)]
    return fmean(one.pages for one in draws), fmean(one.width for draw in draws if (one := estimate(draw.samples)))


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=100)
    seeds = parser.parse_args().seeds
    print(f"| strategy | true rate | seeds of {seeds} covered | mean estimate | mean interval |\n|---|---|---|---|---|")
    for strategy in STRATEGIES:
        for rate in (0.03, 0.003):
            covered, mean = coverage(rate, strategy, seeds)
            told = f"{mean[0]:.2%} | {mean[1]:.2%} to {mean[2]:.2%}"
            print(f"| {strategy} | {rate:.1%} | {covered} | {told} |", flush=True)
    uniform, neyman, width = saving(max(seeds // 5, 5))
    print(
        f"\nFor an interval {width:.2%} wide: uniform {uniform:.0f} pages, Neyman {neyman:.0f} pages, "
        f"{neyman / uniform:.0%} of it."
    )


if __name__ == "__main__":
    main()
