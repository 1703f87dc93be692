"""No trap springs: each is laid on a real server, and that server's own log is the judge."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from crawlers import gate
from tests.crawlers.site import Site
from tests.crawlers.traps import TRAPS, Ground, Trap, pace
from tests.crawlers.woodpecker import Woodpecker


@pytest.fixture
def ground(
    site: Site, loop: asyncio.AbstractEventLoop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Ground]:
    """A site with a small forum, and our crawler, told to be less patient."""
    monkeypatch.setattr(gate, "BACK_OFF_SECONDS", pace.BACK_OFF)
    with ExitStack() as stack:
        yield Ground(Woodpecker(site, loop, tmp_path / "state"), site, tmp_path, stack)


@pytest.mark.parametrize("trap", TRAPS, ids=lambda trap: trap.name)
def test_a_polite_crawler_walks_past(ground: Ground, trap: Trap) -> None:
    trap.spring(ground)

    assert re.search(trap.told, ground.walker.reasons())


def test_there_are_traps_enough_and_no_two_alike() -> None:
    assert len({trap.name for trap in TRAPS}) == len(TRAPS) >= 40
