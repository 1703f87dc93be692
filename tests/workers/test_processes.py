"""A process tree ends as one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import psutil

from workers.processes import Part, Tree

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]
STUBBORN = [sys.executable, "-c", "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"]


def test_stopping_ends_every_part() -> None:
    tree = Tree([Part("one", SLEEP), Part("two", SLEEP)], notice=lambda message: None)
    tree.start()

    tree.stop()

    assert all(part.ended() is not None for part in tree.parts)


def test_a_part_that_does_not_listen_is_killed_and_that_is_said(monkeypatch) -> None:
    monkeypatch.setattr("workers.processes.STOP_SECONDS", 0.5)
    said: list[str] = []
    tree = Tree([Part("deaf", STUBBORN)], said.append)
    tree.start()
    time.sleep(0.3)

    tree.stop()

    assert tree.parts[0].ended() == -signal.SIGKILL
    assert "deaf did not end" in said[0]


def test_a_part_that_dies_is_started_again() -> None:
    said: list[str] = []
    tree = Tree([Part("short", [sys.executable, "-c", "raise SystemExit(3)"])], said.append)
    tree.start()
    watching = threading.Thread(target=tree.watch)
    watching.start()
    try:
        _await(lambda: len(said) >= 2)
    finally:
        tree.ask_to_stop()
        watching.join()
        tree.stop()

    assert said[0] == "short ended with code 3; starting it again"


def test_children_end_when_their_parent_is_killed_outright() -> None:
    script = (
        "import sys, time; from workers.processes import Part, Tree;"
        f"tree = Tree([Part('child', {SLEEP!r})], print); tree.start();"
        "print(tree.parts[0].process.pid, flush=True); time.sleep(600)"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert parent.stdout
    child = int(parent.stdout.readline())

    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()

    _await(lambda: not _lives(child))


def _await(condition) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("did not happen within 10 s")


def _lives(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
