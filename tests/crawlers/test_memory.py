"""Where the crawler's memory finds no room, nothing is noted that would not be kept, and no turn is held for ever."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from crawlers.state import State


def test_from_the_first_write_that_found_no_room_nothing_is_noted_any_more(tmp_path: Path) -> None:
    state = State(tmp_path, "a")
    state.note_unit("t1", "p1", "safe")
    state.commit()
    (pages,) = state._db.execute("PRAGMA page_count").fetchone()
    state._db.execute(f"PRAGMA max_page_count={pages + 1}")
    state.note_unit("t2", "p1", "x")
    with pytest.raises(sqlite3.OperationalError, match="full"):
        _fill(state)
    with pytest.raises(sqlite3.OperationalError, match="full"):
        state.commit()  # SQLite may have undone a part of it
    assert state.broken is not None
    state.close()

    again = State(tmp_path, "a")
    assert again.broken is None
    assert (again.units_of("t1"), again.units_of("t2")) == (1, 0)
    again.close()


def _fill(state: State) -> None:
    for n in range(1000):
        state.note_unit("t2", f"unit {n}", "x" * 64)


def test_a_turn_is_given_back_even_where_its_end_cannot_be_noted(tmp_path: Path) -> None:
    ours, theirs = State(tmp_path, "a"), State(tmp_path, "b")
    assert ours.take_turn("forum.example", 1000.0, 1.0) == 0
    ours._gate.broken = sqlite3.OperationalError("database or disk is full")
    with pytest.raises(sqlite3.OperationalError):
        ours.end_turn("forum.example", 1001.0)
    ours._gate.broken = None

    assert theirs.take_turn("forum.example", 1002.0, 1.0) == 0
