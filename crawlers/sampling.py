"""How pages and threads are drawn, and with what probability: the arithmetic alone, without memory or network."""

from __future__ import annotations

import random
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import accumulate
from urllib.parse import urljoin

from config.policy import Section

LEAST_OF_STRATUM = 5
"""Threads drawn of each stratum, where it has so many: fewer say little of how much threads differ."""


@dataclass(frozen=True)
class Chance:
    """How likely something was to be drawn: `probability`, out of the `frame` threads of a `stratum`.

    `stratum` is None where the whole section is one; `probability` is None where it cannot be known.
    """

    probability: float | None = None
    stratum: str | None = None
    frame: int | None = None

    def within(self, share: float) -> Chance:
        """Return the chance of a part that is drawn with probability `share` where the whole is drawn."""
        probability = None if self.probability is None else self.probability * share
        return Chance(probability, self.stratum, self.frame)


UNKNOWN = Chance()


@dataclass(frozen=True)
class StartPage:
    """A page to begin with, and its chance of being drawn."""

    url: str
    chance: Chance = UNKNOWN


@dataclass(frozen=True)
class Listed:
    """A thread as its list last showed it: number of replies, and time of the last one (seconds since 1970)."""

    key: str
    url: str
    signal: str = ""
    replies: int | None = None
    moved_at: float | None = None


def start_pages(section: Section, base_url: str) -> Iterator[StartPage]:
    """Yield every start page of a section; nothing is drawn, so no probability is claimed."""
    templates = section.start or ("/",)
    if section.range is None:
        yield from (StartPage(urljoin(base_url, template)) for template in templates)
        return
    for number in range(section.range[0], section.range[1] + 1):
        yield from numbered_pages(section, base_url, number, UNKNOWN)


def numbered_pages(section: Section, base_url: str, number: int, chance: Chance) -> Iterator[StartPage]:
    """Yield the start pages that one number of the range makes."""
    for template in section.start or ("/",):
        yield StartPage(urljoin(base_url, template.replace("{n}", str(number))), chance)


def place(seed: int, key: str) -> float:
    """Return the lasting random number of a thing, uniform in [0, 1): the same for the same seed and key."""
    return int.from_bytes(blake2b(f"{seed}\x1f{key}".encode(), digest_size=8).digest(), "big") / 2**64


def draw(keys: Sequence[str], size: int, seed: int, cursor: float) -> tuple[list[str], float]:
    """Draw `size` of the keys, each with the same probability; return them and the cursor of the next draw.

    The keys stand in a random order on a circle, and each draw takes those that follow the cursor: a simple random
    sample without replacement, and the draws after it share nothing with it until the circle is through. Where the
    keys come from a stream of unknown length this is reservoir sampling: those with the smallest numbers stay.
    """
    if size >= len(keys):
        return list(keys), cursor
    order = sorted((place(seed, key), key) for key in keys)
    start = bisect_left(order, (cursor, ""))
    chosen = [order[(start + step) % len(order)] for step in range(size)]
    return [key for _, key in chosen], order[(start + size) % len(order)][0]


def strata(section: Section, threads: Sequence[Listed], now: float) -> dict[str, list[Listed]]:
    """Return the threads of a section by age (since the last activity) and size (replies), e.g. `7d-to20`.

    A thread whose age or size the list does not tell stands in a stratum of its own kind.
    """
    found: dict[str, list[Listed]] = {}
    for thread in threads:
        name = f"{_age(section, thread, now)}-{_size(section, thread)}"
        found.setdefault(name, []).append(thread)
    return dict(sorted(found.items()))


def usual_spreads(strata: Mapping[str, Sequence[Listed]]) -> dict[str, float]:
    """Return what is assumed of the spreads of strata before anything was read: the longer threads are, the more.

    Grows with the root of their length, between what holds where hits stand together (length) and the pages that long
    threads cost.
    """
    lengths = {name: [1 + (one.replies or 0) for one in some] for name, some in strata.items()}
    return {name: (sum(some) / len(some)) ** 0.5 for name, some in lengths.items()}


def least_of_stratum(size: int, strata: int) -> int:
    """Return the floor of each stratum: so small that floors take half of the draw at most, never below 2."""
    return max(min(LEAST_OF_STRATUM, size // (2 * max(strata, 1))), 2)


def _age(section: Section, thread: Listed, now: float) -> str:
    if thread.moved_at is None:
        return "undated"
    for bound in section.ages:
        if now - thread.moved_at <= bound.total_seconds():
            return _span(int(bound.total_seconds()))
    return "older"


def _span(seconds: int) -> str:
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds % length == 0:
            return f"{seconds // length}{unit}"
    return f"{seconds}s"


def _size(section: Section, thread: Listed) -> str:
    if thread.replies is None:
        return "uncounted"
    return next((f"to{bound}" for bound in section.sizes if thread.replies <= bound), "longer")


def allocate(sizes: Mapping[str, int], spreads: Mapping[str, float], total: int, floor: int) -> dict[str, int]:
    """Return how many to draw of each stratum: Neyman's allocation, `total` in proportion to size times spread.

    Args:
        sizes: stratum → threads in it.
        spreads: stratum → standard deviation of what a thread adds to the estimate, from the past; a stratum without
            one is taken to be as the others are on average, and without any the allocation is proportional.
        total: threads to draw altogether.
        floor: least of each stratum, where it has so many. Floors may exceed the total.
    """
    known = [spreads[name] for name in sizes if name in spreads]
    usual = sum(known) / len(known) if known and sum(known) else 1.0
    weights = {name: size * spreads.get(name, usual) for name, size in sizes.items()}
    most = max(weights.values(), default=0.0)
    # What weighs next to nothing beside the others gets its floor; a level that gave it more would be past counting.
    weights = {name: weight / most if weight > most * 1e-12 else 0.0 for name, weight in weights.items()}
    low, high = 0.0, max((sizes[name] / weight for name, weight in weights.items() if weight), default=0.0)

    def shares(level: float) -> dict[str, float]:
        return {name: min(max(level * weights[name], float(min(floor, size))), size) for name, size in sizes.items()}

    for _ in range(200):  # the more the level, the more is drawn altogether, so halving finds the one that is right
        middle = (low + high) / 2
        low, high = (middle, high) if sum(shares(middle).values()) < total else (low, middle)
    return _whole(shares(high), sizes)


def _whole(shares: Mapping[str, float], sizes: Mapping[str, int]) -> dict[str, int]:
    """Round to whole numbers that keep the sum: the largest remainders are rounded up."""
    counts = {name: int(share) for name, share in shares.items()}
    missing = round(sum(shares.values())) - sum(counts.values())
    by_remainder = sorted(shares, key=lambda name: (counts[name] - shares[name], name))
    for name in [name for name in by_remainder if counts[name] < sizes[name]][:missing]:
        counts[name] += 1
    return counts


def adaptive_probabilities(weights: Mapping[str, float], size: int, uniform: float) -> dict[str, float]:
    """Return the probability of each key in a draw of `size`: the share `uniform` alike, the rest by weight.

    No probability is below `uniform` × `size` / number of keys; one that would pass 1 is 1, and what it leaves over
    goes to the others.
    """
    if size >= len(weights):
        return dict.fromkeys(weights, 1.0)
    floor = uniform * size / len(weights)
    certain: set[str] = set()
    while True:
        left = {key: max(weight, 0.0) for key, weight in weights.items() if key not in certain}
        rest, whole = size - len(certain) - floor * len(left), sum(left.values())
        found = {key: floor + (rest * weight / whole if whole else rest / len(left)) for key, weight in left.items()}
        over = {key for key, probability in found.items() if probability > 1}
        if not over:
            return {key: found.get(key, 1.0) for key in weights}
        certain |= over


def draw_unequal(probabilities: Mapping[str, float], dice: random.Random) -> list[str]:
    """Draw keys, each with exactly its own probability, as many as the probabilities add up to.

    Systematic sampling in random order (Madow 1949, Hartley and Rao 1962).
    """
    keys = list(probabilities)
    dice.shuffle(keys)
    start = dice.random()
    chosen, before = [], 0.0
    for key, after in zip(keys, accumulate(probabilities[key] for key in keys), strict=True):
        if int(after - start + 1) > int(before - start + 1):
            chosen.append(key)
        before = after
    return chosen


def draw_pages(pages: int, size: int, seed: int, thread: str) -> tuple[list[int], float]:
    """Draw pages of a long thread: return their numbers without the first, which is always read, and their chance.

    The numbers of a thread last: read again, it shows the same pages.

    Args:
        pages: how many the thread has; more than `size`.
        size: how many are read, the first included.
    """
    order = sorted(range(2, pages + 1), key=lambda number: place(seed, f"{thread}\x1f{number}"))
    return sorted(order[: size - 1]), (size - 1) / (pages - 1)
