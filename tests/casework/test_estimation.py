"""The estimates cover, on a made-up platform whose rate is known; the arithmetic agrees with SciPy's."""

from __future__ import annotations

import math
import random

import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.sampling import STRATEGIES, coverage, saving
from casework.estimation import (
    ThreadSample,
    beta_quantile,
    beta_share,
    estimate,
    exact_interval,
    spreads,
    student_quantile,
)

ONE = ("all", "")


def thread(
    units: int, found: int, *, p: float = 0.1, frame: int | None = None, stratum: tuple[str, ...] = ONE
) -> ThreadSample:
    return ThreadSample(stratum, frame, 1 / p, units, units / p, found / p, found)


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("rate", [0.03, 0.003])
def test_the_interval_covers_the_truth(strategy: str, rate: float) -> None:
    # benchmarks/sampling.py has a hundred seeds on a larger platform
    covered, (mean, _, _) = coverage(rate, strategy, seeds=20, threads=700, sample=140)
    assert covered >= 18
    assert mean == pytest.approx(rate, rel=0.5)


def test_neymans_allocation_needs_fewer_pages_for_the_same_width() -> None:
    uniform, neyman, _ = saving(seeds=4, threads=2500, sample=400)
    assert neyman <= 0.7 * uniform


def test_without_threads_nothing_is_estimated() -> None:
    assert estimate([]) is None
    assert spreads([]) == {}


def test_what_was_read_whole_is_known_exactly() -> None:
    found = estimate([thread(10, 1, p=1.0, frame=2), thread(30, 1, p=1.0, frame=2)])
    assert found
    assert (found.rate, found.low, found.high) == (0.05, 0.05, 0.05)
    assert math.isinf(found.effective)


def test_strata_count_by_how_many_threads_they_hold_not_by_how_many_were_read() -> None:
    # A third of the threads in a, two thirds in b; a was read ten times as densely, and over two runs.
    a = [thread(10, 5, p=0.5, frame=100, stratum=("a",)) for _ in range(100)]
    b = [thread(10, 0, p=0.05, frame=200, stratum=("b",)) for _ in range(10)]
    found = estimate(a + b)
    assert found
    assert found.rate == pytest.approx(5 / 30)


def test_a_stratum_of_one_thread_is_joined_with_another() -> None:
    found = estimate([thread(10, 1, stratum=("a",)), *(thread(10, n % 2, stratum=("b",)) for n in range(9))])
    assert found
    assert 0 < found.low < found.rate < found.high < 1


def test_hits_that_stand_together_tell_less_than_hits_apart() -> None:
    apart = estimate([thread(10, 1) for _ in range(20)] + [thread(10, 0) for _ in range(80)])
    together = estimate([thread(10, 10) for _ in range(2)] + [thread(10, 0) for _ in range(98)])
    assert apart
    assert together
    assert apart.rate == together.rate
    assert together.width > 2 * apart.width


def test_where_nothing_was_found_the_upper_end_still_tells() -> None:
    few, many = (estimate([thread(5, 0) for _ in range(count)]) for count in (20, 2000))
    assert few
    assert many
    assert few.low == many.low == 0
    assert 0 < many.high < few.high < 0.2


@given(
    st.lists(
        st.tuples(st.integers(1, 50), st.integers(0, 50), st.floats(0.001, 1), st.sampled_from("abc")),
        min_size=1,
        max_size=40,
    )
)
def test_whatever_was_read_the_interval_holds_the_estimate(rows: list[tuple[int, int, float, str]]) -> None:
    found = estimate([thread(n, min(hits, n), p=p, stratum=(name,)) for n, hits, p, name in rows])
    assert found
    assert 0 <= found.low <= found.rate + 1e-9
    assert found.rate - 1e-9 <= found.high <= 1


@given(st.floats(1e-4, 1 - 1e-4), st.floats(0.05, 1e4), st.floats(0.05, 1e4))
def test_the_beta_distribution_agrees_with_scipy(x: float, a: float, b: float) -> None:
    assert beta_share(x, a, b) == pytest.approx(scipy.stats.beta.cdf(x, a, b), abs=1e-9)


def test_the_quantiles_agree_with_scipy() -> None:
    dice = random.Random(1)
    for _ in range(50):
        a, b, share = dice.uniform(0.1, 500), dice.uniform(0.1, 5000), dice.uniform(0.01, 0.99)
        assert beta_quantile(share, a, b) == pytest.approx(scipy.stats.beta.ppf(share, a, b), rel=1e-6, abs=1e-9)
        assert student_quantile(a + 1) == pytest.approx(scipy.stats.t.ppf(0.975, a + 1), rel=1e-6)
    assert exact_interval(0.03, 200) == pytest.approx(
        scipy.stats.binomtest(6, 200).proportion_ci(method="exact"), rel=1e-6
    )


def test_a_stratum_whose_threads_differ_more_has_the_larger_spread_and_a_small_one_leans_on_the_rest() -> None:
    calm = [thread(10, 0, stratum=("calm",)) for _ in range(50)]
    wild = [thread(10, 5 * (n % 2), stratum=("wild",)) for n in range(50)]
    found = spreads([*calm, *wild, thread(10, 0, stratum=("new",))])
    assert found["wild",] > found["new",] > found["calm",] > 0
