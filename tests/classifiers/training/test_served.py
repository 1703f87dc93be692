"""The form in which our encoder is served says what the trained one says, in the operations that were chosen."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
import typer
from typer.testing import CliRunner

from classifiers.alphabet import PAD, Alphabet
from classifiers.encoder import GRAPH, TOKENIZER, load_encoder, save_manifest
from classifiers.training import attention
from classifiers.training.encoder_model import WoodpeckerConfig, WoodpeckerForCategories
from classifiers.training.export import export
from classifiers.training.served import served
from classifiers.training.tokens import save_tokenizer

COMMAND = typer.Typer(add_completion=False)
COMMAND.command()(attention.main)
ALPHABET = Alphabet.of(list("今天的作文课真有意思春游去哪里 abc!"))
TEXTS = ["今天的作文课真有意思", "春游去哪里", "", "作文" * 100, "abc 作文课！"]


@pytest.fixture(scope="module")
def model() -> Any:
    torch.manual_seed(5)
    config = WoodpeckerConfig(
        vocab_size=len(ALPHABET), hidden=32, layers=2, heads=2, inner=64, reach=4, character=16, pair=8,
        pair_buckets=64, triple=8, triple_buckets=64, sound=4, sound_pair=4, sound_pair_buckets=64,
        classes=["bullying", "gambling"],
    )  # fmt: skip
    made = WoodpeckerForCategories(config).eval()
    torch.nn.init.normal_(made.encoder.distance)
    return made


@pytest.fixture(scope="module")
def ids() -> Any:
    found = torch.from_numpy(np.random.default_rng(3).integers(4, len(ALPHABET), size=(9, 24)))
    found[::2, 15:] = PAD
    return found


def test_it_says_what_the_trained_model_says(model: Any, ids: Any) -> None:
    with torch.no_grad():
        exact, quick = model(ids), served(model, [ids])(ids)
    assert float((exact - quick).abs().max()) < 0.1 * float(exact.std())


def test_the_file_says_the_same_whatever_its_batch_and_length(model: Any, ids: Any, tmp_path: Path) -> None:
    export(model, ALPHABET, tmp_path, TEXTS)
    session = onnxruntime.InferenceSession(tmp_path / GRAPH)
    together = session.run(None, {"input_ids": ids.numpy()})[0]
    with torch.no_grad():
        exact = model(ids).numpy()
    assert np.abs(exact - together).max() < 0.2 * exact.std()
    for row, whole in zip(ids.numpy(), together, strict=True):
        alone = session.run(None, {"input_ids": row[row != PAD][None]})[0][0]
        assert np.allclose(alone, whole, atol=1e-4)


def test_every_matrix_of_a_layer_is_multiplied_as_bytes_in_one_operation(model: Any, tmp_path: Path) -> None:
    graph = onnx.load(export(model, ALPHABET, tmp_path, TEXTS)).graph
    kinds = Counter(node.op_type for node in graph.node)
    assert kinds["MatMulIntegerToFloat"] == 1 + 2 * 6
    assert kinds["Attention"] == 2
    assert not {"MatMul", "QLinearMatMul", "DequantizeLinear", "Softmax", "MultiHeadAttention"} & kinds.keys()
    assert kinds["Relu"] == 1  # of the heads alone: in a layer it is the range that bytes begin at


def test_a_folder_exported_before_is_rewritten_and_says_the_same_to_the_bit(
    model: Any, ids: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("classifiers.training.export.rewrite", lambda path: 0)
    export(model, ALPHABET, tmp_path, TEXTS)
    save_tokenizer(ALPHABET, tmp_path / TOKENIZER)
    categories = [{"slug": slug, "platt": [1.5, -0.5]} for slug in model.config.classes]
    save_manifest(tmp_path, version="before", categories=categories, about={"licence": "own"})
    before = _said(tmp_path, ids)
    manifest = load_encoder(tmp_path).manifest
    runner = CliRunner()
    assert "2 layers rewritten" in runner.invoke(COMMAND, [str(tmp_path)]).output
    assert (_said(tmp_path, ids) == before).all()
    after = load_encoder(tmp_path).manifest
    assert after["files"][GRAPH] != manifest["files"][GRAPH]
    assert {**after, "files": manifest["files"]} == manifest
    assert "no layers rewritten" in runner.invoke(COMMAND, [str(tmp_path)]).output


def test_a_folder_that_is_not_what_its_manifest_says_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{}", "utf-8")
    answer = CliRunner().invoke(COMMAND, [str(tmp_path)])
    assert answer.exit_code == 2
    assert "manifest.json" in answer.output


def _said(folder: Path, ids: Any) -> Any:
    return onnxruntime.InferenceSession(folder / GRAPH).run(None, {"input_ids": ids.numpy()})[0]
