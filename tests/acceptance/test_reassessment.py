"""Workers that come up with another model assess again what is open, whatever is killed on the way, in both modes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from benchmarks.captures import rows
from classifiers.linear import newest
from tests.servers.installations import Installation


@pytest.mark.parametrize("mode", ["embedded", "services"])
def test_what_is_open_is_assessed_again_by_the_model_that_workers_come_up_with(
    install: Callable[..., Installation], mode: str, tmp_path: Path
) -> None:
    here = install(mode, model_dir=str(newest()), lost_seconds="2")
    file = here.folder / "captures.jsonl"
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows(250, one_in=1)), "utf-8")
    here.start("work")
    assert here.run("ingest", str(file)).returncode == 0
    here.rest()
    before = here.until(lambda status: status["reassessment"] is not None)
    assert before["reassessment"] == {
        **dict.fromkeys(("assessed", "graver", "lighter", "below", "restricted", "left", "failed"), 0),
        "model": newest().name,
    }
    here.stop()

    here.environment["WOODPECKER_MODEL_DIR"] = str(_another(tmp_path))
    told = json.loads(here.run("reassess", "--dry-run", "--json").stdout.splitlines()[-1])
    open_ = before["cases"]["open"] - told["left"]["restricted"]
    assert (told["model"], told["left"]["waiting"]) == ("linear-other", open_)
    worker = here.start("work")
    here.until(lambda status: status["reassessment"]["assessed"] > 0)
    for process in [*psutil.Process(worker.pid).children(recursive=True), psutil.Process(worker.pid)]:
        process.kill()
    here.start("work")

    after = here.until(lambda status: status["reassessment"]["left"] == 0 and status["search"]["behind"] == 0)
    done = after["reassessment"]
    assert (done["model"], done["assessed"], done["failed"]) == ("linear-other", open_, 0)
    assert done["below"] > 0
    assert after["cases"] == before["cases"]
    assert after["search"] == before["search"]
    assert here.run("audit", "verify").returncode == 0


def _another(folder: Path) -> Path:
    """Make a second version of the shipped model, which is less sure of everything."""
    copy = folder / "linear-other"
    shutil.copytree(newest(), copy)
    manifest = json.loads((copy / "manifest.json").read_text("utf-8"))
    manifest["version"] = copy.name
    for column in manifest["columns"]:
        column["platt"] = [column["platt"][0], column["platt"][1] - 6]
    (copy / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    return copy
