"""A process that assesses batch after batch keeps Python from looking through its model again and again."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from workers import entry, garbage, tasks


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    pace = gc.get_threshold()
    yield
    gc.set_threshold(*pace)
    gc.unfreeze()


def test_what_is_loaded_is_never_looked_at_again_and_cycles_made_later_are_still_found() -> None:
    loaded = [[] for _ in range(1000)]
    garbage.look_seldom()
    assert gc.get_freeze_count() > len(loaded)
    assert gc.get_threshold()[0] == garbage.YOUNG
    assert not any(one is loaded[0] for one in gc.get_objects())
    cycle: list[object] = []
    cycle.append(cycle)
    del cycle
    assert gc.collect() > 0


@pytest.mark.parametrize(("sender", "kept"), [("assess@here", True), ("crawl@here", False)])
def test_a_worker_that_assesses_does_so_once_its_model_is_there(
    sender: str, kept: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[int] = []
    monkeypatch.setattr(tasks, "assessor", lambda: loaded.append(gc.get_freeze_count()))
    entry.load_model(sender)
    assert loaded == ([0] if kept else [])
    assert (gc.get_freeze_count() > 0) is kept
