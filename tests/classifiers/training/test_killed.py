"""`woodpecker pretrain`, `train --encoder` and `distil`, killed in the middle: called again they end as if nothing had
been, and refuse a checkpoint that is damaged or of other data."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from typer.testing import CliRunner

from tests.classifiers.training.test_encoder_train import ENCODER, PRETRAIN, data
from workers.cli import build

__all__ = ["data"]

pytestmark = pytest.mark.timeout(1200)  # whole trainings, in processes of their own, on a machine that may be busy

OFTEN = "checkpoint_minutes: 0.0001"
PRETRAINED, TUNED, DISTILLED = "pretrained-killed", "encoder-killed", "distilled-killed"
RECIPES = {
    "pretrain-killed": PRETRAIN.replace("pretrained-tiny", PRETRAINED).replace(
        "tokens: 1280", f"tokens: 51200, {OFTEN}"
    ),
    "encoder-killed": ENCODER.replace("encoder-tiny", TUNED).replace("check_every", f"{OFTEN}, check_every"),
    "distil-killed": ENCODER.replace("encoder-tiny", DISTILLED).replace(
        "check_every", f"{OFTEN}, evaded_variants: 2, check_every"
    )
    + "distil: {unlabelled: [posts.txt], most: 200, share: 0.5, weight: 0.5}\n",
}


class Commands:
    """The three commands on made-up data, each with a folder of its own to work in."""

    def __init__(self, data: Path) -> None:
        self.data = data
        for name, recipe in RECIPES.items():
            (data / f"{name}.yaml").write_text(recipe, encoding="utf-8")
        if not (data / "labelled").exists():
            (data / "labelled").symlink_to(data)

    def call(self, command: str, work: Path) -> list[str]:
        encoder = ["--encoder", str(self.data / "work" / "pretrained-tiny" / "model")]
        made = ["--models", str(work / "models"), "--linear", str(self.data / "models" / "linear-tiny")]
        return {
            "pretrain": ["pretrain", str(self.data / "pretrain-killed.yaml")],
            "train": ["train", str(self.data / "encoder-killed.yaml"), *encoder, *made],
            "distil": ["distil", str(self.data / "distil-killed.yaml"), *encoder, *made]
            + ["--teacher", str(self.data / "teachers" / TUNED)],
        }[command] + ["--data", str(self.data), "--work", str(work), "--json"]

    def run(self, command: str, work: Path) -> tuple[int, str, str]:
        """Run to the end; exit code, standard output and standard error."""
        done = CliRunner().invoke(build(), self.call(command, work))
        return done.exit_code, done.stdout, done.stderr

    def kill(self, command: str, work: Path) -> None:
        """Run in a process of its own, and kill it when it has left a checkpoint."""
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        call = [sys.executable, "-m", "workers", *self.call(command, work)]
        process = subprocess.Popen(call, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
        waited = time.monotonic()
        while not (work / VERSIONS[command] / "checkpoint.json").is_file():
            assert process.poll() is None, "ended before it left a checkpoint"
            assert time.monotonic() - waited < 900
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL


VERSIONS = {"pretrain": PRETRAINED, "train": TUNED, "distil": DISTILLED}


@pytest.fixture(scope="module")
def commands(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Commands:
    made = Commands(data)
    undisturbed = data / "undisturbed"
    assert made.run("train", undisturbed)[0] == 0
    shutil.copytree(undisturbed / "models", data / "teachers")
    return made


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """As the killed process has: sums in another order are other sums."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def _weights(work: Path, command: str) -> dict[str, torch.Tensor]:
    return dict(load_file(work / VERSIONS[command] / "model" / "model.safetensors"))


@pytest.mark.parametrize("command", ["pretrain", "train", "distil"])
def test_a_killed_run_ends_as_one_that_was_not_killed(commands: Commands, tmp_path: Path, command: str) -> None:
    undisturbed = commands.data / "undisturbed"
    if command != "train":  # that one was made for all
        assert commands.run(command, undisturbed)[0] == 0
    commands.kill(command, tmp_path)
    code, out, err = commands.run(command, tmp_path)
    assert code == 0, err
    assert "goes on from" in err
    assert json.loads(out.splitlines()[-1])["folder"].startswith(str(tmp_path))
    expected, found = _weights(undisturbed, command), _weights(tmp_path, command)
    assert expected.keys() == found.keys()
    for name, value in expected.items():
        assert torch.allclose(value, found[name], atol=1e-4), name
    assert not list((tmp_path / VERSIONS[command]).glob("*.part"))
    _spoil_and_try_again(commands, tmp_path, command)


def _spoil_and_try_again(commands: Commands, work: Path, command: str) -> None:
    """A finished run's checkpoint is what an ended one's is: read before anything else is done."""
    folder = work / VERSIONS[command]
    (checkpoint,) = folder.glob("checkpoint-*.safetensors")
    whole = checkpoint.read_bytes()
    checkpoint.write_bytes(whole[:-1000] + bytes(1000))
    code, out, _ = commands.run(command, work)
    assert code == 2
    assert "missing or damaged" in json.loads(out.splitlines()[-1])["error"]
    checkpoint.write_bytes(whole)
    read = commands.data / ("posts.txt" if command == "pretrain" else "forum.jsonl")
    before = read.read_text(encoding="utf-8")
    more = "今天" if command == "pretrain" else json.dumps({"text": "今天作文课春游", "label": 0})
    read.write_text(f"{before}\n{more}", encoding="utf-8")
    try:
        code, out, _ = commands.run(command, work)
    finally:
        read.write_text(before, encoding="utf-8")
    assert code == 2
    error = json.loads(out.splitlines()[-1])["error"]
    assert "a run with another" in error
    assert "data = " in error


def test_an_encoder_is_tuned_by_the_recipe_for_others_unless_one_is_named(data: Path) -> None:
    call = ["train", "--encoder", str(data / "work" / "pretrained-tiny" / "model"), "--data", str(data), "--json"]
    done = CliRunner().invoke(build(), call)
    assert done.exit_code == 2
    assert "no such file" in done.stderr  # the recipe was read; the shipped sets are not in this folder
    done = CliRunner().invoke(build(), [call[0], "linear", *call[1:]])
    assert done.exit_code == 2
    assert "linear.yaml: columns: found a linear model's recipe" in json.loads(done.stdout.splitlines()[-1])["error"]
    assert "`other` or `labels`" in done.stderr


@pytest.mark.parametrize(
    ("command", "recipe", "line", "said"),
    [
        ("pretrain", "pretrain-killed", "warmth: 2", "unknown key 'warmth'"),
        ("train", "encoder-killed", "warmth: 2", "unknown key 'warmth'"),
        ("distil", "distil-killed", "  warmth: 2", "unknown key 'warmth'"),
    ],
)
def test_an_unknown_key_is_named_by_each_command(
    commands: Commands, tmp_path: Path, command: str, recipe: str, line: str, said: str
) -> None:
    path = commands.data / f"{recipe}.yaml"
    written = RECIPES[recipe]
    spoiled = written.replace("weight: 0.5}", "weight: 0.5, warmth: 2}") if command == "distil" else written + line
    path.write_text(spoiled, encoding="utf-8")
    try:
        code, out, _ = commands.run(command, tmp_path)
    finally:
        path.write_text(written, encoding="utf-8")
    assert code == 2
    assert said in json.loads(out.splitlines()[-1])["error"]
