"""How common something is, estimated from a sample of threads whose probabilities are known: the arithmetic alone.

The sampling unit is the thread: what is written in one thread is alike, so that a hundred comments of one thread tell
less than a hundred comments of a hundred threads. All variances are therefore between threads.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

CONFIDENCE = 0.95
USUAL_CORRELATION = 0.05
"""Correlation within a thread that is assumed where nothing was found, so that nothing can be measured."""
UNITS_OF_A_PAGE = 20.0
"""About what one request brings; long threads cost more."""
PRIOR_THREADS = 5.0
"""Weight, in threads, of the common spread in that of a stratum from which few were read."""

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class ThreadSample:
    """What was read of one thread.

    Attributes:
        stratum: what it was drawn from, e.g. (section, stratum).
        frame: threads in that stratum; None where the weights alone tell.
        drawn: 1 / probability of the thread.
        units: what was read of it.
        weight: sum over its units of 1 / probability.
        hits: the same sum over those units that were found to be what is counted.
        found: number of those units.
    """

    stratum: tuple[str, ...]
    frame: int | None
    drawn: float
    units: int
    weight: float
    hits: float = 0.0
    found: int = 0


@dataclass(frozen=True)
class Estimate:
    """A share of all units with its 95 % interval; `effective`: the simple random sample that would tell as much."""

    rate: float
    low: float
    high: float
    units: int
    found: int
    threads: int
    effective: float

    @property
    def width(self) -> float:
        """Width of the interval."""
        return self.high - self.low


def estimate(samples: Sequence[ThreadSample]) -> Estimate | None:
    """Estimate a share from the threads that were drawn; None when nothing was.

    Horvitz–Thompson totals, brought in each stratum to its known number of threads, give a combined ratio. Its
    variance is a delete-one-thread jackknife within strata (Wolter 2007, ch. 4), with the finite population
    correction. The interval is Korn and Graubard's (1998): Clopper–Pearson on the effective sample size, with degrees
    of freedom by Satterthwaite, so that it covers for rare things and few threads too.
    """
    if not samples:
        return None
    sums = _Sums.of(samples)
    rate, (low, high, effective) = sums.rate, _interval(sums)
    rest = sums.where(sums.unread > 0)
    if 0 < len(rest.hits) < len(sums.hits):
        # What was read whole is certain, and what it holds must not make the rest look certain too.
        known, share = sums.hits.sum() - rest.hits.sum(), rest.weight.sum()
        lowest, highest, _ = _interval(rest)
        low = min(low, float((known + lowest * share) / sums.weight.sum()))
        high = max(high, float((known + highest * share) / sums.weight.sum()))
    found = sum(one.found for one in samples)
    return Estimate(rate, low, high, int(sums.units.sum()), found, len(samples), effective)


def _interval(sums: _Sums) -> tuple[float, float, float]:
    """Return the interval of the rate, and the effective sample size."""
    rate, units = sums.rate, float(sums.units.sum())
    free, corrected, degrees = _jackknife(sums, rate)
    unread = float(np.average(sums.unread, weights=sums.weight))
    if unread <= 0:
        return rate, rate, math.inf  # everything was read
    plain = units / _kish(sums)
    effective = min(rate * (1 - rate) / free, plain) if free else plain / _assumed_effect(sums.units)
    effective /= max(corrected / free, unread) if free else unread
    usual, few = student_quantile(max(effective - 1, 1.0)), student_quantile(degrees)
    low, high = exact_interval(rate, effective * (usual / few) ** 2)
    return low, high, effective


def spreads(samples: Sequence[ThreadSample]) -> dict[tuple[str, ...], float]:
    """Return stratum → what one more thread of it tells, for Neyman's allocation.

    The standard deviation of a thread's contribution to the estimate, by the root of the pages that it costs. A
    stratum from which few threads were read leans on the others.
    """
    if not samples:
        return {}
    rate = sum(one.hits for one in samples) / sum(one.weight for one in samples)
    groups: dict[tuple[str, ...], list[ThreadSample]] = {}
    for one in samples:
        groups.setdefault(one.stratum, []).append(one)
    squares = {name: sum(_residual(one, rate) ** 2 for one in some) for name, some in groups.items()}
    common = sum(squares.values()) / len(samples)
    found = {}
    for name, some in groups.items():
        variance = (squares[name] + PRIOR_THREADS * common) / (len(some) + PRIOR_THREADS)
        pages = max(sum(one.weight / one.drawn for one in some) / len(some) / UNITS_OF_A_PAGE, 1.0)
        found[name] = math.sqrt(variance / pages)
    return found


def _residual(one: ThreadSample, rate: float) -> float:
    return (one.hits - rate * one.weight) / one.drawn


@dataclass(frozen=True)
class _Sums:
    """Of each thread: weighted totals, number of its stratum, share of the stratum that was not drawn, units."""

    hits: Numbers
    weight: Numbers
    stratum: NDArray[np.intp]
    unread: Numbers
    units: Numbers

    @classmethod
    def of(cls, samples: Sequence[ThreadSample]) -> _Sums:
        drawn = np.array([one.drawn for one in samples])
        number = _numbered([one.stratum for one in samples])
        scale = np.ones(len(samples))
        for group in range(number.max() + 1):
            inside = number == group
            frames = [one.frame for one, here in zip(samples, inside, strict=True) if here and one.frame]
            if frames:
                scale[inside] = max(frames) / drawn[inside].sum()
        weight = np.array([one.weight for one in samples])
        units = np.array([one.units for one in samples], dtype=float)
        # A thread of which a part was drawn again varies within itself too: there no correction is made.
        whole = weight <= units * drawn * (1 + 1e-9)
        unread = np.where(whole, np.maximum(1 - 1 / drawn, 0.0), 1.0)
        hits = np.array([one.hits for one in samples])
        return cls(hits * scale, weight * scale, _collapsed(number), unread, units)

    @property
    def rate(self) -> float:
        """The combined ratio."""
        return float(self.hits.sum() / self.weight.sum())

    def where(self, some: NDArray[np.bool_]) -> _Sums:
        """Return a part of the threads."""
        numbers = np.unique(self.stratum[some], return_inverse=True)[1]
        stratum = _collapsed(numbers) if len(numbers) else numbers
        return _Sums(self.hits[some], self.weight[some], stratum, self.unread[some], self.units[some])


def _numbered(strata: Sequence[tuple[str, ...]]) -> NDArray[np.intp]:
    numbers = {name: number for number, name in enumerate(dict.fromkeys(strata))}
    return np.array([numbers[name] for name in strata], dtype=np.intp)


def _collapsed(number: NDArray[np.intp]) -> NDArray[np.intp]:
    """Join the strata with a single thread, which alone tell nothing of how threads differ."""
    counts = np.bincount(number)
    alone = counts[number] == 1
    if alone.sum() == 1 and len(counts) > 1:
        alone |= number == counts.argmax()
    return np.where(alone, number.max() + 1, number)


def _jackknife(sums: _Sums, rate: float) -> tuple[float, float, float]:
    """Return the variance of the rate without and with the finite population correction, and degrees of freedom."""
    counts = np.bincount(sums.stratum)
    size = counts[sums.stratum].astype(float)
    several = size > 1
    if not several.any():
        return 0.0, 0.0, 1.0
    left = {}
    for name, values in (("hits", sums.hits), ("weight", sums.weight)):
        inside = np.bincount(sums.stratum, values)[sums.stratum]
        without = np.where(several, (inside - values) * size / np.maximum(size - 1, 1), inside)
        left[name] = values.sum() - inside + without
    with np.errstate(divide="ignore", invalid="ignore"):
        replicate = np.where(left["weight"] > 0, left["hits"] / left["weight"], rate)
    parts = np.where(several, (size - 1) / size * (replicate - rate) ** 2, 0.0)
    free, corrected = float(parts.sum()), float((parts * sums.unread).sum())
    nominal = float(len(size) - (counts > 0).sum())
    degrees = min(nominal, free**2 / float((parts**2).sum())) if free else nominal
    return free, corrected, max(degrees, 1.0)


def _kish(sums: _Sums) -> float:
    """Return by how much unequal weights alone enlarge the variance (Kish 1965)."""
    return max(float(sums.units.sum() * (sums.weight**2 / sums.units).sum() / sums.weight.sum() ** 2), 1.0)


def _assumed_effect(units: Numbers) -> float:
    """Return the design effect of threads where nothing was found."""
    mean = float((units**2).sum() / units.sum())
    return 1 + (mean - 1) * USUAL_CORRELATION


def exact_interval(rate: float, size: float) -> tuple[float, float]:
    """Return Clopper and Pearson's interval for a rate seen in a sample of `size`, which need not be whole."""
    hits, tail = rate * size, (1 - CONFIDENCE) / 2
    low = beta_quantile(tail, hits, size - hits + 1) if hits > 0 else 0.0
    high = beta_quantile(1 - tail, hits + 1, size - hits) if size > hits else 1.0
    return low, high


@lru_cache(maxsize=4096)
def student_quantile(degrees: float) -> float:
    """Return the two-sided 95 % quantile of Student's t."""
    x = beta_quantile(1 - CONFIDENCE, degrees / 2, 0.5)
    return math.sqrt(degrees * (1 - x) / x)


def beta_quantile(share: float, a: float, b: float) -> float:
    """Return the quantile of a beta distribution, by bisection."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if beta_share(middle, a, b) < share else (low, middle)
    return (low + high) / 2


def beta_share(x: float, a: float, b: float) -> float:
    """Return the distribution function of a beta distribution: the regularised incomplete beta function.

    Lentz's continued fraction (DLMF 8.17.22). SciPy has it too, but is many times as large as all that serving needs.
    """
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        return 1 - beta_share(1 - x, b, a)
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)) / a
    c, d = 1.0, 1 / _off_zero(1 - (a + b) * x / (a + 1))
    fraction = d
    for m in range(1, 10_000):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d, c = 1 / _off_zero(1 + term * d), _off_zero(1 + term / c)
            step = c * d
            fraction *= step
        if abs(step - 1) < 1e-14:
            break
    return front * fraction


def _off_zero(value: float) -> float:
    return value if abs(value) > 1e-300 else 1e-300
