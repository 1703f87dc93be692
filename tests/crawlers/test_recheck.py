"""When a thread that no list announces is looked at again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from crawlers.recheck import DAY, HOUR, LONGEST_RECHECK, SHORTEST_RECHECK, due, mean_gap


@given(st.floats(0, 1e9), st.floats(0, 1e9), st.floats(0, 1e9), st.floats(0, 1e9))
def test_a_thread_is_looked_at_again_between_ten_minutes_and_a_week(
    changed: float, quiet: float, gap: float, wait: float
) -> None:
    checked = changed + quiet
    if due(checked, changed, gap, checked + wait):
        assert wait >= SHORTEST_RECHECK * 0.99
    else:
        assert wait < LONGEST_RECHECK * 1.01


def test_the_longer_a_thread_is_quiet_the_rarer_it_is_looked_at() -> None:
    assert due(2 * HOUR, 0, 0, 3.01 * HOUR)
    assert not due(10 * HOUR, 0, 0, 14 * HOUR)
    assert due(10 * HOUR, 0, 0, 15.01 * HOUR)


def test_a_thread_that_just_changed_is_looked_at_as_often_as_it_usually_changes() -> None:
    busy, slow = mean_gap(0, HOUR, 12), mean_gap(0, 4 * DAY, 1)
    assert (busy, slow) == (300, 4 * DAY)
    assert due(DAY, DAY, busy, DAY + 601)
    assert not due(DAY, DAY, slow, DAY + 40 * HOUR)
    assert due(DAY, DAY, slow, DAY + 49 * HOUR)


def test_the_mean_gap_follows_a_thread_that_quickens_and_one_that_slows() -> None:
    assert mean_gap(4 * HOUR, 2 * HOUR, 1) == 3 * HOUR
    assert mean_gap(4 * HOUR, 12 * HOUR, 1) == 8 * HOUR
