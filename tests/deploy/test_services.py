"""The servers for development and tests: what does not come up leaves nothing behind, what is noted is stopped."""

from __future__ import annotations

import sys
from pathlib import Path

import psutil
import pytest

from deploy.services import __main__, running, system


def test_a_server_that_does_not_answer_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    before = set(psutil.Process().children(recursive=True))
    log = tmp_path / "log"
    with pytest.raises(system.CannotStart, match=r"Sleeper did not answer within 0 s; the end of .*\nstarting"):
        system.start(["sh", "-c", "echo starting; sleep 300 & sleep 300"], log, lambda: False, "Sleeper", seconds=0.4)
    assert set(psutil.Process().children(recursive=True)) == before


@pytest.mark.parametrize("act", ["up", "down"])
@pytest.mark.parametrize(
    "kept", ['{"folder": {}, "pids": {"redis": "1"}}', '{"servers": [{"name": "redis"}]}', "[]", "{"]
)
def test_a_file_that_another_version_wrote_is_named_and_left(
    act: str, kept: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    state = tmp_path / "servers.json"
    state.write_text(kept, "utf-8")
    monkeypatch.setattr(sys, "argv", ["services", act, "--state", str(state)])
    assert __main__.main() == 1
    said = capsys.readouterr()
    assert said.err.startswith(f"services: {state}: found no servers as this version notes them")
    assert "Traceback" not in said.err + said.out
    assert state.read_text("utf-8") == kept


def test_what_is_noted_is_stopped_and_its_data_are_gone(tmp_path: Path) -> None:
    folder, state = tmp_path / "data" / "redis", tmp_path / "servers.json"
    folder.mkdir(parents=True)
    pid = system.start(["sleep", "300"], folder / "log", lambda: True, "Sleeper")
    running.note(state, [running.Server("redis", str(folder), 1, "word", pid)])
    running.down(state)
    assert not psutil.pid_exists(pid)
    assert not folder.parent.exists()
    assert not state.exists()
