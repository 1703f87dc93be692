"""Trials under one budget on made-up sets: sizes and ways of fine-tuning are trained, measured, kept and shown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from classifiers.errors import RecipeError
from classifiers.training import trials
from classifiers.training.begin import begin
from classifiers.training.encoder_recipe import load_encoder_recipe
from classifiers.training.recipe import find_recipe
from classifiers.training.trials_recipe import Trials
from tests.classifiers.training.test_encoder_train import data

__all__ = ["data"]

RECIPE = """
version: trials-tiny
pretrain: pretrain
tune: encoder
tokens: 1280
samples: 3000
counted: 2000
encoders:
  small: {}
  wide: {shape: {hidden: 32}, tokens: 0}
  chance: {tokens: 0, vectors: false}
trials:
  small: {encoder: small}
  wide: {encoder: wide}
  chance: {encoder: chance, seed: 6}
  never-evaded: {encoder: small, training: {evaded: 0}}
shrunk: {thin: {width: 0.5}}
sizes: {all: [small, wide, thin]}
ablation: {base: small, trials: [chance, never-evaded]}
"""


def _invoke(*more: str) -> Any:
    import typer

    app = typer.Typer()
    app.command()(trials.main)
    return CliRunner().invoke(app, list(more))


@pytest.fixture(scope="module")
def written(data: Path) -> Path:
    path = data / "trials.yaml"
    path.write_text(RECIPE, encoding="utf-8")
    if not (data / "labelled").exists():
        (data / "labelled").symlink_to(data)
    return path


@pytest.fixture(scope="module")
def done(written: Path, data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    work = tmp_path_factory.mktemp("trials")
    begun = begin(load_encoder_recipe(data / "encoder.yaml")[0], str(data / "work" / "pretrained-tiny" / "model"))
    begun.model.save_pretrained(work / "trained")
    begun.save_tokenizer(work / "trained")
    call = ["--data", str(data), "--recipe", str(written), "--work", str(work), "--output", str(work / "report")]
    first = _invoke(*call, "--only", "small")
    assert first.exit_code == 0, first.output
    assert not (work / "report").exists()
    without = _invoke(*call)
    assert without.exit_code == 2
    assert "--shrink MODEL" in without.stderr
    again = _invoke(*call, "--shrink", str(work / "trained"))
    assert again.exit_code == 0, again.output
    assert "small: fine-tuning" not in again.stderr
    return work


def test_figures_tables_and_plot_are_written_when_all_are_done(done: Path) -> None:
    whole = json.loads((done / "report" / "trials.json").read_text(encoding="utf-8"))
    assert set(whole["trials"]) == {"small", "wide", "chance", "never-evaded", "thin"}
    assert whole["trials"]["thin"]["bytes"] < whole["trials"]["small"]["bytes"]
    small, wide = whole["trials"]["small"], whole["trials"]["wide"]
    assert 0.3 < small["untouched"]["average_precision"] <= 1
    assert wide["bytes"] > small["bytes"] > 1000
    assert small["cpu_seconds_for_a_thousand"] > 0
    assert small["pretrained"]["loss"]["held"] > 0
    assert wide["pretrained"] == {"steps": 0, "tokens": 0, "loss": None}
    table = (done / "report" / "trials.md").read_text(encoding="utf-8").splitlines()
    assert sum(line.startswith("| `small` | all |") for line in table) == 1
    assert any(line.startswith("| `never-evaded` |") for line in table)
    plot = (done / "report" / "sizes.svg").read_text(encoding="utf-8")
    assert "<svg" in plot


def test_a_second_seed_changes_what_is_drawn_and_not_what_is_held_back(written: Path) -> None:
    read = Trials(written)
    assert (read.tuning("chance").drawn_by, read.tuning("small").drawn_by) == (6, 5)
    assert read.tuning("chance").seed == read.tuning("small").seed == 5


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("hidden: 32", "hiden: 32", "encoders.wide.shape.*unknown key 'hiden'"),
        ("{evaded: 0}", "{evaded: 7}", "trials.never-evaded.training.evaded"),
        ("{evaded: 0}", "{sleep: 7}", "trials.never-evaded.training.*unknown key 'sleep'"),
        ("encoder: chance", "encoder: lost", "'lost'.*small, wide, chance"),
        ("all: [small, wide, thin]", "all: [small, tall]", "sizes.*'tall'"),
        ("samples: 3000", "samples: 3000\ncolour: red", "unknown key 'colour'"),
    ],
)
def test_a_wrong_recipe_says_where_and_what_is_allowed(
    written: Path, tmp_path: Path, before: str, after: str, said: str
) -> None:
    for name in ("pretrain", "encoder", "sets"):
        (tmp_path / f"{name}.yaml").write_text((written.parent / f"{name}.yaml").read_text("utf-8"), encoding="utf-8")
    wrong = tmp_path / "trials.yaml"
    assert before in RECIPE
    wrong.write_text(RECIPE.replace(before, after), encoding="utf-8")
    with pytest.raises(RecipeError, match=said):
        Trials(wrong)


def test_an_unknown_trial_is_refused_with_the_known_ones(written: Path, data: Path, tmp_path: Path) -> None:
    found = _invoke("--data", str(data), "--recipe", str(written), "--work", str(tmp_path), "--only", "nobody")
    assert found.exit_code == 2
    assert "never-evaded" in found.stderr


@pytest.mark.parametrize("name", ["trials", "sizes"])
def test_the_shipped_trials_are_valid(name: str) -> None:
    shipped = Trials(find_recipe(name))
    assert all(len(line) >= 4 for line in shipped.recipe.sizes.values())
