"""When a thread that no list announces is looked at again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from crawlers.recheck import LONGEST_RECHECK, SHORTEST_RECHECK, due
from crawlers.state import ThreadState


@given(st.floats(0, 1e9), st.floats(0, 1e9), st.floats(0, 1e9))
def test_a_thread_is_looked_at_again_between_ten_minutes_and_a_week(changed: float, quiet: float, wait: float) -> None:
    checked = changed + quiet
    thread = ThreadState("", "", checked, changed)
    if due(thread, checked + wait):
        assert wait >= SHORTEST_RECHECK * 0.99
    else:
        assert wait < LONGEST_RECHECK * 1.01


def test_the_longer_a_thread_is_quiet_the_rarer_it_is_looked_at() -> None:
    hour = 3600.0
    assert due(ThreadState("", "", 2 * hour, 0), 3.01 * hour)
    assert not due(ThreadState("", "", 10 * hour, 0), 14 * hour)
    assert due(ThreadState("", "", 10 * hour, 0), 15.01 * hour)
