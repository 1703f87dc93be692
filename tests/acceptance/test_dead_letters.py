"""Texts that no worker survives: through real workers, each ends alone among the dead letters, and the rest is done."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable

from benchmarks.captures import rows
from config.celery import Queue
from crawlers.capture import capture_id
from tests.servers.installations import ROOT, Installation
from tests.servers.poisoned import GROWS, KILLS, RAISES

CAPTURES = 14


def test_three_bad_texts_are_set_aside_and_the_others_become_what_they_are(
    install: Callable[..., Installation],
) -> None:
    here = install("embedded", audit_rate="0", lost_seconds="3", sweep_seconds="1", work_memory_mb="200")
    captures = list(rows(CAPTURES, one_in=2))
    for at, text in ((3, RAISES), (9, KILLS), (11, GROWS)):
        row = captures[at]
        row["text"], row["id"] = text, capture_id(row["site"], row["canonical_url"], row["unit"], text)
    file = here.folder / "captures.jsonl"
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in captures), "utf-8")
    assert here.run("ingest", str(file)).returncode == 0
    _start_poisoned(here)

    status = here.until(lambda now: now["inbox"] == 0 and now["search"]["behind"] == 0, 150)

    assert status["failed"] == status["failures"]["dead_letters"] == 3
    assert status["assessed"] == CAPTURES - 3
    assert status["cases"]["total"] == CAPTURES // 2
    letters = json.loads(here.run("dead", "list", "--json").stdout)["letters"]
    assert {(one["capture"], one["stage"]) for one in letters} == {
        (captures[3]["id"], "assess"), (captures[9]["id"], "read"), (captures[11]["id"], "assess"),
    }  # fmt: skip
    assert "ValueError in tests/servers/poisoned.py" in str(letters)
    assert "MemoryError in tests/servers/poisoned.py" in str(letters)
    for text in (RAISES, KILLS, GROWS):
        assert text not in here.log("celery")
        assert text not in str(letters)

    here.stop()
    here.start("work")
    assert json.loads(here.run("dead", "retry", "--all", "--json").stdout)["left"] == []
    mended = here.until(lambda now: now["inbox"] == 0 and now["assessed"] == CAPTURES, 90)
    assert mended["failed"] == 0


def _start_poisoned(here: Installation) -> None:
    command = [sys.executable, "-m", "celery", "--app", "tests.servers.poisoned", "--quiet", "worker"]
    options = ["--queues", ",".join(Queue), "--concurrency", "1", "--hostname", "assess@%h", "--loglevel", "WARNING"]
    with (here.folder / "celery.log").open("ab") as log:
        here.running.append(
            subprocess.Popen([*command, *options], env=here.environment, cwd=ROOT, stdout=log, stderr=log)
        )
