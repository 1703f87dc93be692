"""The servers for development and tests: what does not come up leaves nothing behind."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from deploy.services import system


def test_a_server_that_does_not_answer_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    before = set(psutil.Process().children(recursive=True))
    log = tmp_path / "log"
    with pytest.raises(system.CannotStart, match=r"Sleeper did not answer within 0 s; the end of .*\nstarting"):
        system.start(["sh", "-c", "echo starting; sleep 300 & sleep 300"], log, lambda: False, "Sleeper", seconds=0.4)
    assert set(psutil.Process().children(recursive=True)) == before
