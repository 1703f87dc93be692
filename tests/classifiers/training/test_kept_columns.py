"""`woodpecker train linear`, killed between two columns: called again it fits those that are missing, and ends as if
nothing had been."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest
from rich.console import Console

from classifiers.errors import ModelError
from classifiers.linear import WEIGHTS
from classifiers.training.pretrain_checkpoint import alone
from classifiers.training.train import train
from tests.classifiers.made_up import PLAIN, described, told_by_label

SLUGS = ("gambling", "bullying", "self_harm")
KILLED = """
import os, signal, sys
from pathlib import Path
from classifiers.training import train

whole, fitted = train.fit_column, []

def dies(*given, **how):
    if len(fitted) == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    fitted.append(1)
    return whole(*given, **how)

train.fit_column = dies
folder = Path(sys.argv[1])
train.train(folder / "tiny.yaml", folder, folder / "work", models=folder / "models")
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A recipe of three columns, and what it reads."""
    random = Random(3)
    for slug in SLUGS:
        talk = ["".join(random.sample(PLAIN, 6)) for _ in range(200)]
        rows = [{"text": text + "某词" * (k % 2), "label": k % 2} for k, text in enumerate(talk)]
        (tmp_path / f"{slug}.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    (tmp_path / "sets.yaml").write_text("".join(described(slug, told_by_label(slug)) for slug in SLUGS), "utf-8")
    columns = ", ".join(f"{slug}: {{}}" for slug in SLUGS)
    recipe = f"version: tiny\nseed: 5\nbits: 12\nsets_file: sets.yaml\ncolumns: {{{columns}}}\n"
    (tmp_path / "tiny.yaml").write_text(recipe, "utf-8")
    return tmp_path


def run(folder: Path, work: str = "work") -> tuple[bytes, str]:
    """The weights' file, and what was said."""
    said = io.StringIO()
    console = Console(file=said, width=200)
    made = train(folder / "tiny.yaml", folder, folder / work, models=folder / f"models-{work}", console=console)
    return (made.folder / WEIGHTS).read_bytes(), said.getvalue()


def kept(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in (folder / "work" / "tiny").glob("column-*")}


def test_a_killed_run_ends_as_one_that_was_not_and_fits_no_column_twice(folder: Path) -> None:
    call = [sys.executable, "-c", KILLED, str(folder)]
    assert subprocess.run(call, capture_output=True, env=os.environ, check=False).returncode == -signal.SIGKILL
    before = kept(folder)
    assert len(before) == 2
    weights, said = run(folder)
    assert "goes on from 2 of 3 columns" in said
    after = kept(folder)
    assert len(after) == 3
    assert before.items() <= after.items()
    undisturbed, said = run(folder, "undisturbed")
    assert "goes on" not in said
    assert weights == undisturbed
    drawing = (folder / "models-work" / "tiny" / "reliability.svg").read_text("utf-8")
    assert all(f">{slug}</text>" in drawing for slug in SLUGS)


def test_only_columns_that_depend_on_what_changed_are_fitted_again(folder: Path) -> None:
    run(folder)
    before = kept(folder)
    recipe = (folder / "tiny.yaml").read_text("utf-8")
    (folder / "tiny.yaml").write_text(recipe.replace("bullying: {}", "bullying: {strength: 2}"), "utf-8")
    run(folder)
    assert {name.split("-")[1] for name in before.keys() - kept(folder).keys()} == {"bullying"}
    assert len(kept(folder)) == 3
    with (folder / "gambling.jsonl").open("a", encoding="utf-8") as rows:
        rows.write("\n" + json.dumps({"text": "今天作文课春游", "label": 0}))
    _, said = run(folder)
    assert "goes on" not in said


def test_a_damaged_column_and_a_run_at_work_are_named(folder: Path) -> None:
    run(folder)
    with alone(folder / "work" / "tiny"), pytest.raises(ModelError, match="another process"):
        run(folder)
    [column] = (folder / "work" / "tiny").glob("column-bullying-*")
    whole = column.read_bytes()
    column.write_bytes(whole[:3000] + b"x" + whole[3001:])
    with pytest.raises(ModelError, match=f"{column.name}: found a damaged column.*remove it"):
        run(folder)
