"""A full disk ends a crawl and is told; what is found with room again is neither lost nor doubled."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.crawlers.site import Site
from tests.crawlers.test_kills import ROOT, site_file

POSTS, THREADS = 10, 12


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
