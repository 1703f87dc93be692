"""Whatever is killed outright, and when: nothing is lost and nothing is doubled."""

from __future__ import annotations

import json
import random
import subprocess
import time
from collections.abc import Callable

import pytest

from benchmarks.captures import rows
from classifiers.cascade import load
from config.policy import load_site
from tests.servers.installations import Installation

CAPTURES = 1500
KILLS = 3


@pytest.mark.parametrize("mode", ["embedded", "services"])
def test_workers_that_are_killed_lose_and_double_nothing(install: Callable[..., Installation], mode: str) -> None:
    here = install(mode, audit_rate="0", batch_size="50", sweep_seconds="1", lost_seconds="3")
    captures = list(rows(CAPTURES, one_in=5))
    file = here.folder / "captures.jsonl"
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in captures), "utf-8")
    dice = random.Random(11)
    workers = [here.start("work")]
    assert here.run("ingest", str(file)).returncode == 0
    for _ in range(KILLS):
        _wait_for_progress(here)
        time.sleep(dice.uniform(0, 0.5))
        _kill(workers)
        workers = [here.start("work")]

    status = here.rest(120)

    expected = _flagged(captures)
    assert status["cases"]["total"] + status["cases"]["copies"] == len(expected)
    assert status["search"]["documents"] == status["cases"]["total"]
    assert (status["inbox"], status["failed"], status["assessed"]) == (0, 0, CAPTURES)


def test_an_ingest_that_is_killed_is_run_again(install: Callable[..., Installation]) -> None:
    here = install("embedded")
    file = here.folder / "captures.jsonl"
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows(5000)), "utf-8")
    here.run("status")
    killed = here.start("ingest", str(file))
    here.until(lambda now: now["inbox"] > 0)
    assert killed.poll() is None
    _kill([killed])

    done = here.run("ingest", str(file), "--json")

    assert done.returncode == 0
    outcome = json.loads(done.stdout)
    assert outcome["accepted"] + outcome["duplicate"] == 5000
    assert here.status()["inbox"] == 5000


def _flagged(captures: list[dict[str, str]]) -> set[str]:
    """The captures that become cases, as the classifier and the policy say without any queue between."""
    thresholds = load_site("demo").thresholds_for("games")
    assessments = load().assess([capture["text"] for capture in captures])
    pairs = zip(captures, assessments, strict=True)
    return {capture["id"] for capture, assessment in pairs if assessment.flagged(thresholds)}


def _wait_for_progress(here: Installation) -> None:
    """Wait until the workers that run now have done something, or all is done."""
    before = here.status()
    here.until(lambda now: now["assessed"] > before["assessed"] or now["inbox"] == 0)


def _kill(processes: list[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        process.kill()
    for process in processes:
        process.wait()
