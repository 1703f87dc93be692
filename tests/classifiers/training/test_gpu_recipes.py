"""Recipes for a GPU are read and run here for a few steps, made small: what they say is understood, all the way."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import pytest
import torch
import yaml
from rich.console import Console
from typer.testing import CliRunner

from classifiers.training.device import ahead, best_device, moved
from classifiers.training.encoder_recipe import load_encoder_recipe
from classifiers.training.pretrain import Source, pretrain
from classifiers.training.pretrain_recipe import load_pretrain_recipe
from classifiers.training.recipe import RECIPES
from workers.cli import build

QUIET = Console(quiet=True)
SMALL = {"hidden": 8, "heads": 2, "inner": 8, "character": 8, "pair": 8, "pair_buckets": 64, "triple": 8,
    "triple_buckets": 64, "sound": 4, "sound_pair": 4, "sound_pair_buckets": 64}  # fmt: skip
GPU = ("pretrain-teacher", "pretrain-student")
WORDS = ("今天", "作文课", "真有", "意思", "春游", "去", "哪里", "同学", "一起", "天气", "很好")


def _shrunk(name: str, folder: Path) -> Path:
    """A shipped recipe with everything that it says but sizes: one small corpus, short steps."""
    whole: dict[str, Any] = yaml.safe_load((RECIPES / f"{name}.yaml").read_text(encoding="utf-8"))
    whole |= {"corpora": [{"file": "posts.txt", "weight": 1, "tier": "open"}], "labelled": []}
    whole |= {"alphabet": {"size": 64, "least": 1}, "vectors": {"tokens": 5000, "window": 2, "contexts": 16}}
    whole["shape"] |= SMALL
    whole["training"] |= {"tokens": 3 * 4 * 16, "batch": 4, "length": 16, "compiled": False}
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(whole), encoding="utf-8")
    return path


@pytest.fixture
def data(tmp_path: Path) -> Path:
    random = Random(1)
    lines = ["".join(random.choices(WORDS, k=30)) for _ in range(200)]
    (tmp_path / "posts.txt").write_text("\n".join(lines), encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("name", GPU)
def test_a_recipe_for_a_gpu_runs_a_few_steps_in_its_own_precision(name: str, data: Path) -> None:
    recipe, _ = load_pretrain_recipe(RECIPES / f"{name}.yaml")
    assert recipe.training.tokens >= 1_000_000_000
    assert recipe.training.precision == "bfloat16"
    made = pretrain(_shrunk(name, data), Source(data), data / "work", console=QUIET)
    assert made
    assert made.manifest["steps"] == 3
    assert made.manifest["loss"]["held"] > 0
    assert made.manifest["recipe"]["shape"]["layers"] == recipe.shape.layers


def test_a_run_of_bfloat16_ended_anywhere_goes_on_as_if_it_had_not_been(data: Path) -> None:
    path = _shrunk("pretrain-student", data)
    whole = pretrain(path, Source(data), data / "a", console=QUIET)
    assert pretrain(path, Source(data), data / "b", console=QUIET, stop_after=2) is None
    parts = pretrain(path, Source(data), data / "b", console=QUIET)
    assert whole
    assert parts
    assert abs(whole.manifest["loss"]["held"] - parts.manifest["loss"]["held"]) < 1e-3


def test_recipes_for_teachers_hold_back_what_the_student_holds_back() -> None:
    shipped, _ = load_encoder_recipe(RECIPES / "encoder.yaml")
    for name in ("teacher", "distil", "shallow", "labels", "other"):
        recipe, _ = load_encoder_recipe(RECIPES / f"{name}.yaml")
        assert (recipe.seed, recipe.most, recipe.sets) == (shipped.seed, shipped.most, shipped.sets)
    teacher, _ = load_encoder_recipe(RECIPES / "teacher.yaml")
    assert teacher.drawn_by != teacher.seed


def test_a_rehearsal_says_what_runs_and_keeps_only_what_was_packed(data: Path) -> None:
    path = _shrunk("pretrain-teacher", data)
    call = ["pretrain", str(path), "--data", str(data), "--work", str(data / "work"), "--rehearse"]
    done = CliRunner().invoke(build(), call)
    assert done.exit_code == 0, done.stderr
    assert "2 small steps on cpu" in done.stdout
    assert [entry.name for entry in (data / "work").iterdir()] == ["pretrained-teacher-2026.11.4"]
    assert [entry.name for entry in (data / "work").glob("*/*")] == ["packed"]
    stopped = CliRunner().invoke(build(), [*call[:-1], "--stop-after", "1"])
    assert stopped.exit_code == 0, stopped.stderr
    assert (data / "work" / "pretrained-teacher-2026.11.4" / "checkpoint.json").is_file()
    assert "counted" not in stopped.stderr  # by the rehearsal


def test_drawing_ahead_gives_the_same_in_the_same_order_and_passes_errors_on() -> None:
    assert list(ahead(lambda step: step * step, range(50), threads=3)) == [step * step for step in range(50)]
    assert list(ahead(lambda step: step, range(3))) == [0, 1, 2]

    def fails(step: int) -> int:
        if step == 20:
            raise ValueError("drawn wrong")
        return step

    with pytest.raises(ValueError, match="drawn wrong"):
        list(ahead(fails, range(50), threads=2))


def test_an_optimisers_state_is_copied_to_where_its_parameter_is() -> None:
    state = {"step": torch.tensor(3.0), "exp_avg": torch.ones(4)}
    copied = moved(state, best_device())
    copied["exp_avg"] += 1
    assert state["exp_avg"].tolist() == [1, 1, 1, 1]
    assert copied["step"].device.type == best_device().type
