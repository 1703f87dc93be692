"""A whole pretraining run on a made-up corpus: what it makes, and that ending it anywhere changes nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
import torch
from rich.console import Console
from safetensors.torch import load_file
from torch.utils._python_dispatch import TorchDispatchMode
from transformers import AutoModel
from typer.testing import CliRunner

from classifiers.alphabet import PAD, Alphabet
from classifiers.errors import DataError, ModelError
from classifiers.training.encoder_model import WoodpeckerEncoder, WoodpeckerForPretraining, register
from classifiers.training.pretrain import Source, _read, pack_only, pretrain
from classifiers.training.pretrain_blocks import _joined
from classifiers.training.pretrain_checkpoint import alone, read_checkpoint, save_checkpoint
from classifiers.training.pretrain_log import read_log
from classifiers.training.pretrain_recipe import Steps, load_pretrain_recipe
from classifiers.training.pretrain_run import LOG, Run, _done, _rate
from classifiers.training.pretrain_vectors import read_counted
from workers.cli import build

RECIPE = """
version: tiny
seed: 7
corpora:
  - {file: posts.txt, weight: 2, tier: open}
  - {file: news.txt, weight: 1, tier: limited}
alphabet: {size: 64, least: 1}
shape: {hidden: 16, layers: 1, heads: 2, inner: 16, character: 8, pair: 8, pair_buckets: 64, triple: 8,
  triple_buckets: 64, sound: 4, sound_pair: 4, sound_pair_buckets: 64}
vectors: {tokens: 5000, window: 2, contexts: 16}
training: {tokens: 6400, batch: 4, length: 16, warm_up: 5, rate: 0.01}
"""
QUIET = Console(quiet=True)
WORDS = ("今天", "作文课", "真有", "意思", "春游", "去", "哪里", "同学", "一起", "天气", "很好")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    random = Random(1)
    folder = tmp_path / "data"
    folder.mkdir()
    for name in ("posts.txt", "news.txt"):
        lines = ["".join(random.choices(WORDS, k=6)) for _ in range(400)]
        (folder / name).write_text("\n".join(lines), encoding="utf-8")
    (folder / "recipe.yaml").write_text(RECIPE, encoding="utf-8")
    return folder


def run(data: Path, work: Path, **more: Any) -> Any:
    return pretrain(data / "recipe.yaml", Source(data), work, console=QUIET, **more)


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return dict(WoodpeckerForPretraining.from_pretrained(folder).state_dict())


def test_a_run_learns_and_leaves_a_model_with_its_tokenizer_manifest_and_plot(data: Path, tmp_path: Path) -> None:
    made = run(data, tmp_path / "work")
    log = read_log(tmp_path / "work" / "tiny" / LOG)
    assert log[-1]["step"] == 100
    assert log[-1]["guess"] < log[0]["guess"]
    assert log[-1]["held"] is not None
    manifest = json.loads((made.folder / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["recipe"]["seed"] == 7
    assert set(manifest["data"]) == {"posts.txt", "news.txt"}
    assert manifest["made_with"]["torch"]
    assert (made.folder / "loss.png").read_bytes()[:4] == b"\x89PNG"
    register()
    encoder = AutoModel.from_pretrained(made.folder)
    assert isinstance(encoder, WoodpeckerEncoder)
    assert len(Alphabet.read(made.folder / "tokenizer.json")) == encoder.config.vocab_size


def test_a_run_ended_anywhere_goes_on_as_if_it_had_not_been(data: Path, tmp_path: Path) -> None:
    whole = run(data, tmp_path / "a")
    assert run(data, tmp_path / "b", stop_after=37) is None
    parts = run(data, tmp_path / "b")
    for name, value in weights(whole.folder).items():
        assert torch.allclose(value, weights(parts.folder)[name], atol=1e-5), name


def test_a_run_may_be_made_longer(data: Path, tmp_path: Path) -> None:
    assert run(data, tmp_path / "work", stop_after=20) is None
    (data / "recipe.yaml").write_text(RECIPE.replace("6400", "12800"), encoding="utf-8")
    assert run(data, tmp_path / "work").manifest["steps"] == 200


def test_the_embeddings_begin_from_the_static_vectors(data: Path, tmp_path: Path) -> None:
    run(data, tmp_path / "work", stop_after=1)
    folder = tmp_path / "work" / "tiny"
    kept = load_file(next(folder.glob("checkpoint-*.safetensors")))
    counted = read_counted(next((folder / "packed").glob("counted-*.npz")))
    for name, table in counted.tables.items():
        # One step of the optimiser moves a weight by at most about the learning rate of that step.
        assert np.abs(kept[f"model.encoder.embedding.{name}.weight"].numpy() - table).max() < 0.01, name


@pytest.mark.parametrize("place", [0.1, 0.5, 0.95])
def test_a_damaged_checkpoint_is_named_and_not_gone_on_from(data: Path, tmp_path: Path, place: float) -> None:
    run(data, tmp_path / "work", stop_after=10)
    (checkpoint,) = (tmp_path / "work" / "tiny").glob("checkpoint-*.safetensors")
    content = bytearray(checkpoint.read_bytes())
    content[int(len(content) * place)] ^= 0xFF
    checkpoint.write_bytes(content)
    with pytest.raises(ModelError, match=r"checkpoint-\d+\.safetensors.*damaged.*remove"):
        run(data, tmp_path / "work")


def test_a_checkpoint_cut_short_or_gone_or_with_a_broken_note_is_named(data: Path, tmp_path: Path) -> None:
    run(data, tmp_path / "work", stop_after=10)
    folder = tmp_path / "work" / "tiny"
    (checkpoint,) = folder.glob("checkpoint-*.safetensors")
    whole = checkpoint.read_bytes()
    checkpoint.write_bytes(whole[:100])
    with pytest.raises(ModelError, match="damaged"):
        run(data, tmp_path / "work")
    checkpoint.unlink()
    with pytest.raises(ModelError, match="missing"):
        run(data, tmp_path / "work")
    checkpoint.write_bytes(whole)
    (folder / "checkpoint.json").write_text("{", encoding="utf-8")
    with pytest.raises(ModelError, match=r"checkpoint\.json.*unreadable"):
        run(data, tmp_path / "work")


def test_changed_data_and_a_changed_recipe_are_no_continuation(data: Path, tmp_path: Path) -> None:
    run(data, tmp_path / "work", stop_after=10)
    (data / "recipe.yaml").write_text(RECIPE.replace("rate: 0.01", "rate: 0.02"), encoding="utf-8")
    with pytest.raises(ModelError, match="another recipe"):
        run(data, tmp_path / "work")
    (data / "recipe.yaml").write_text(RECIPE, encoding="utf-8")
    posts = data / "posts.txt"
    posts.write_text(posts.read_text(encoding="utf-8") + "\n今天", encoding="utf-8")
    with pytest.raises(ModelError, match="another data"):
        run(data, tmp_path / "work")


def test_a_missing_corpus_is_named(data: Path, tmp_path: Path) -> None:
    (data / "news.txt").unlink()
    with pytest.raises(DataError, match=r"news\.txt.*no such file"):
        run(data, tmp_path / "work")


def test_only_one_checkpoint_is_kept_and_a_log_cut_short_is_read(data: Path, tmp_path: Path) -> None:
    run(data, tmp_path / "work", stop_after=60)
    run(data, tmp_path / "work", stop_after=80)
    folder = tmp_path / "work" / "tiny"
    assert [path.name for path in folder.glob("checkpoint-*")] == ["checkpoint-00000080.safetensors"]
    with (folder / LOG).open("a", encoding="utf-8") as log:
        log.write('{"step": 99')
    assert [entry["step"] for entry in read_log(folder / LOG)] == [50]
    assert run(data, tmp_path / "work") is not None


def test_two_processes_do_not_work_on_one_run(data: Path, tmp_path: Path) -> None:
    with alone(tmp_path / "work" / "tiny"), pytest.raises(ModelError, match="another process"):
        run(data, tmp_path / "work")
    assert run(data, tmp_path / "work", stop_after=1) is None


def test_padding_changes_nothing(data: Path, tmp_path: Path) -> None:
    encoder = WoodpeckerForPretraining.from_pretrained(run(data, tmp_path / "work").folder).encoder.eval()
    ids = torch.randint(4, encoder.config.vocab_size, (3, 9), generator=torch.Generator().manual_seed(1))
    padded = torch.nn.functional.pad(ids, (0, 7), value=PAD)
    with torch.no_grad():
        short, long = encoder(ids), encoder(padded)[:, :9]
    assert np.allclose(short, long, atol=1e-5)


def test_the_command_resumes_and_answers_for_machines(data: Path, tmp_path: Path) -> None:
    run(data, tmp_path / "work", stop_after=50)
    call = ["pretrain", str(data / "recipe.yaml"), "--data", str(data), "--work", str(tmp_path / "work"), "--json"]
    done = CliRunner().invoke(build(), call)
    assert done.exit_code == 0
    assert json.loads(done.stdout.splitlines()[-1])["steps"] == 100
    assert "goes on from step 50" in done.stderr
    wrong = CliRunner().invoke(build(), [*call[:1], "no-such-recipe", *call[2:]])
    assert wrong.exit_code == 2
    assert "no such file" in json.loads(wrong.stdout.splitlines()[-1])["error"]


def test_a_run_of_so_many_seconds_ends_in_time_and_counts_those_before_it_was_ended(data: Path, tmp_path: Path) -> None:
    (data / "recipe.yaml").write_text(RECIPE.replace("tokens: 6400", "seconds: 3600"), encoding="utf-8")
    assert run(data, tmp_path / "work", stop_after=20) is None
    folder = tmp_path / "work" / "tiny"
    spent = float(load_file(next(folder.glob("checkpoint-*.safetensors")))["seconds"])
    assert 0 < spent < 3600
    # As if it had been ended later: nearly all of its time is gone.
    found = read_checkpoint(folder, json.loads((folder / "checkpoint.json").read_text(encoding="utf-8"))["identity"])
    assert found
    save_checkpoint(
        folder, replace(found, tensors={**found.tensors, "seconds": torch.tensor(3599.9999, dtype=torch.float64)})
    )
    made = run(data, tmp_path / "work")
    assert made.manifest["steps"] == 21
    assert made.manifest["loss"]["held"] is not None


def test_the_rate_rises_stays_and_falls_by_steps_as_by_seconds() -> None:
    by_steps = Steps(tokens=100 * 64 * 64, warm_up=10, fall=0.2, rate=1.0)
    by_seconds = Steps(seconds=50.0, warm_up=10, fall=0.2, rate=1.0)
    for step in range(100):
        assert _done(by_steps, step, 0.0) == pytest.approx(_done(by_seconds, step, step / 2))
    rates = [_rate(by_steps, step, step / 100) for step in (0, 4, 9, 50, 80, 90, 100)]
    assert rates == pytest.approx([0.1, 0.5, 1, 1, 1, 0.5, 0])


def test_what_was_packed_is_trained_elsewhere_without_the_corpora_as_with_them(data: Path, tmp_path: Path) -> None:
    recipe, parts = data / "recipe.yaml", tmp_path / "parts"
    pack_only(recipe, Source(data), tmp_path / "here", parts, part_mib=1, console=QUIET)
    here = run(data, tmp_path / "here")
    for name in ("posts.txt", "news.txt"):
        (data / name).unlink()
    source = Source(parts, packed=True)
    there = pretrain(recipe, source, tmp_path / "there", console=QUIET, stop_after=30)
    assert there is None
    there = pretrain(recipe, source, tmp_path / "there", console=QUIET)
    assert there
    assert there.manifest["data"] == here.manifest["data"]
    for name, value in weights(here.folder).items():
        assert torch.equal(value, weights(there.folder)[name]), name
    recipe.write_text(RECIPE.replace("size: 64", "size: 63"), encoding="utf-8")
    with pytest.raises(DataError, match="alphabet = .*64.*63.*as the recipe says"):
        pretrain(recipe, source, tmp_path / "other", console=QUIET)


def test_the_command_packs_and_says_where_options_contradict_each_other(data: Path, tmp_path: Path) -> None:
    recipe, work = str(data / "recipe.yaml"), ["--work", str(tmp_path / "work"), "--json"]

    def call(*options: str) -> tuple[int, dict[str, Any]]:
        done = CliRunner().invoke(build(), ["pretrain", recipe, *options, *work])
        return done.exit_code, json.loads(done.stdout.splitlines()[-1])

    reads, target = ("--data", str(data)), str(tmp_path / "parts")
    code, said = call(*reads, "--pack-only", target, "--part-mib", "1")
    assert code == 0
    assert said["parts"] == len(list((tmp_path / "parts").glob("*.xz")))
    code, said = call("--packed", target, "--stop-after", "2")
    assert (code, said) == (0, {"stopped_after": 2})
    for options, expected in (
        ((), "found neither"),
        ((*reads, "--packed", target), "found both"),
        (("--packed", target, "--pack-only", target), "with --packed"),
        ((*reads, "--pack-only", target, "--rehearse"), "trains nothing"),
        ((*reads, "--part-mib", "4"), "without --pack-only"),
        ((*reads, "--pack-only", target), "holds something"),
    ):
        code, said = call(*options)
        assert code == 2, options
        assert expected in said["error"]


class _NoQuestions(TorchDispatchMode):
    """Fails where an operation waits for a device's answer: one number read, or a shape that depends on values."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        asks = func.overloadpacket in {
            torch.ops.aten._local_scalar_dense,
            torch.ops.aten.nonzero,
            torch.ops.aten.masked_select,
        }
        places = args[1] if func.overloadpacket in {torch.ops.aten.index, torch.ops.aten.index_put_} else ()
        asks = asks or any(place is not None and place.dtype == torch.bool for place in places)
        assert not asks, func
        return func(*args, **(kwargs or {}))


def test_a_step_asks_its_device_for_nothing(data: Path, tmp_path: Path) -> None:
    """So that a GPU has the next step's work before it is done with this one's."""
    recipe, sets = load_pretrain_recipe(data / "recipe.yaml")
    read = _read(recipe, sets, Source(data), tmp_path / "packed", lambda _: None)
    run = Run(recipe, *read, tmp_path, lambda _: None)
    run.blocks._together = _joined(run.blocks._streams, run.device)  # as on a GPU
    run._one(0.01)  # the optimiser's state is made
    with _NoQuestions():
        run._one(0.01)
        with pytest.raises(AssertionError, match="_local_scalar_dense"):
            run.held_loss()
