"""Workers that come up with another model assess again what is open, whatever is killed on the way, in both modes."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from benchmarks.captures import rows
from classifiers.linear import newest
from tests.servers.installations import ROOT, Installation

CASES = 250
ASSESS = """
import sys
from workers.cli.start import prepare
settings = prepare()
from casework import intake
from classifiers.cascade import load
from crawlers.capture import Capture
from workers import assessing
received = intake.receive(map(Capture.model_validate_json, sys.stdin))
for batch_id in received.batch_ids:
    assessing.run(batch_id, load(settings.model_dir))
"""
"""What an installation had assessed by the model before: the way of `ingest` and `work`, in one short process."""


@pytest.mark.parametrize("mode", ["embedded", "services"])
def test_what_is_open_is_assessed_again_by_the_model_that_workers_come_up_with(
    install: Callable[..., Installation], mode: str, tmp_path: Path
) -> None:
    here = install(mode, model_dir=str(newest()), lost_seconds="2")
    captures = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows(CASES, one_in=1))
    before = [sys.executable, "-c", ASSESS]
    subprocess.run(before, input=captures, text=True, env=here.environment, cwd=ROOT, check=True, timeout=200)

    here.environment["WOODPECKER_MODEL_DIR"] = str(_another(tmp_path))
    worker = here.start("work")
    here.until(lambda status: (status["reassessment"] or {"assessed": 0})["assessed"] > 0, 120)
    for process in [*psutil.Process(worker.pid).children(recursive=True), psutil.Process(worker.pid)]:
        process.kill()
    here.start("work")

    after = here.until(lambda status: status["reassessment"]["left"] == 0 and status["search"]["behind"] == 0, 120)
    done, cases = after["reassessment"], after["cases"]
    assert (done["model"], done["failed"]) == ("linear-other", 0)
    assert done["assessed"] == cases["open"] == cases["total"] == CASES - cases["copies"]
    assert after["search"]["documents"] == cases["total"]
    assert here.run("audit", "verify").returncode == 0


def _another(folder: Path) -> Path:
    """Make a second version of the shipped model."""
    copy = folder / "linear-other"
    shutil.copytree(newest(), copy)
    manifest = json.loads((copy / "manifest.json").read_text("utf-8"))
    manifest["version"] = copy.name
    (copy / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    return copy
