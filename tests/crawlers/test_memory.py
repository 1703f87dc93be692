"""A full disk ends a crawl and is told; what is found with room again is neither lost nor doubled."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from crawlers.state import State
from tests.crawlers.site import Site
from tests.crawlers.test_kills import ROOT, site_file

POSTS, THREADS = 10, 12


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


@pytest.mark.skipif(
    shutil.which("unshare") is None
    or subprocess.run(
        ["unshare", "-rm", "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, check=False
    ).returncode,
    reason="no small disk can be mounted here",
)
def test_a_crawl_whose_memory_finds_the_disk_full_says_so_and_goes_on_when_there_is_room(
    site: Site, forum: Callable[..., None], tmp_path: Path
) -> None:
    forum({f"t{n}": [f"第 {n} 帖第 {m} 层" for m in range(POSTS)] for n in range(THREADS)}, threads_per_page=4)
    state, output = tmp_path / "state", tmp_path / "captures.jsonl"
    state.mkdir()
    command = f"{sys.executable} -m workers crawl {site_file(site, tmp_path)} -o {output} --state {state} --json"
    script = f"mount -t tmpfs -o size=350k none {state}; {command}; mount -o remount,size=9m {state}; {command}"
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
        env=os.environ | {"WOODPECKER_DATA_DIR": str(tmp_path)},
    )  # fmt: skip

    first, second = (json.loads(line) for line in done.stdout.splitlines())
    assert done.stderr.splitlines() == ["test: the crawler's memory cannot be used: database or disk is full"]
    assert "database or disk is full" in first["error"]
    assert first["failed"] == {}
    assert first["captures"] > 0
    assert (done.returncode, "error" in second) == (0, False)
    ids = [json.loads(line)["id"] for line in output.read_text("utf-8").splitlines()]
    assert len(ids) == len(set(ids)) == THREADS * (POSTS + 1)
