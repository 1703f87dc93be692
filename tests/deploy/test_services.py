"""The servers for development and tests: what does not come up leaves nothing behind, what is noted is stopped."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

import psutil
import psycopg
import pytest

from deploy.services import __main__, postgres, running, system


def test_a_server_that_ends_at_once_is_not_waited_for(tmp_path: Path) -> None:
    with pytest.raises(system.CannotStart, match=r"Runner ended with 3; the end of .*\nno room"):
        system.start(["sh", "-c", "echo no room; exit 3"], tmp_path / "log", lambda: False, "Runner", seconds=250)


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


def test_a_server_that_fails_to_write_a_text_does_not_note_it_in_its_log(tmp_path: Path) -> None:
    planted = "planted-marker-of-a-text"
    state = Path(tempfile.mkdtemp(prefix="woodpecker-postgres-"))  # another user has to come in
    state.chmod(0o711)
    system.ensure_user()
    server = running.Server("postgres", str(state / "postgres"), system.free_port(), "word")
    try:
        postgres.make(Path(server.folder), server.password)
        server.serve()
        with psycopg.connect(server.address, autocommit=True) as connection:
            connection.execute("CREATE TABLE texts (text text CHECK (length(text) < 5), n int)")
            for values in (f"'{planted}', 1", f"'{planted}', 'none'"):
                with pytest.raises(psycopg.Error):
                    connection.execute(f"INSERT INTO texts VALUES ({values})")
    finally:
        system.stop(server.pid)
    log = (Path(server.folder) / "log").read_text("utf-8")
    shutil.rmtree(state)
    assert 'violates check constraint "texts_text_check"' in log
    assert planted not in log


def test_compose_keeps_the_server_as_silent() -> None:
    compose = (Path(__file__).resolve().parents[2] / "deploy" / "compose.yaml").read_text("utf-8")
    for setting in postgres.SILENT:
        assert f"-c, {setting}" in compose
