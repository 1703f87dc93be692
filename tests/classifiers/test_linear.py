from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from classifiers.errors import ModelError
from classifiers.linear import MANIFEST, MODELS, WEIGHTS, load_model, newest, quantise
from classifiers.normalise import fold

LARGEST = 8_000_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(newest(), tmp_path / "model"))


def test_the_shipped_model_is_small() -> None:
    assert (newest() / WEIGHTS).stat().st_size <= LARGEST


def test_contributions_of_the_characters_add_up_to_the_margin() -> None:
    model = load_model(newest())
    # Long, since the marks at a text's ends keep their own part.
    folded = fold(["好", "加微信领游戏点券，先到先得。名额只有三个，今天晚上截止，来晚了明天再问", ""])
    found = model.grams(folded)
    columns = np.arange(len(model.slugs))
    lengths = np.full(len(columns), len(folded.text(1)))
    parts = model.contributions(found, np.ones_like(columns), lengths, columns)
    assert parts.shape == (len(columns), len(folded.text(1)))
    assert parts.sum(axis=1) + model.offsets == pytest.approx(model.margins(found)[1], rel=0.15, abs=0.3)


def test_contributions_are_the_same_alone_and_beside_other_texts() -> None:
    model = load_model(newest())
    folded = fold(["傻瓜", "加微信领游戏点券", "作文课真有意思", "好"])
    found, lengths = model.grams(folded), np.diff(folded.bounds)
    texts, columns = np.array([2, 0, 1, 2, 3]), np.array([1, 0, 3, 2, 1])
    together = model.contributions(found, texts, lengths[texts], columns)
    for row, text, column in zip(together, texts, columns, strict=True):
        [alone] = model.contributions(found, np.array([text]), lengths[[text]], np.array([column]))
        assert row[: lengths[text]].tolist() == alone.tolist()


def test_a_changed_file_is_noticed(folder: Path) -> None:
    weights = folder / WEIGHTS
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    with pytest.raises(ModelError, match="SHA-256"):
        load_model(folder)


def test_a_missing_file_is_named(folder: Path) -> None:
    (folder / WEIGHTS).unlink()
    with pytest.raises(ModelError, match=WEIGHTS):
        load_model(folder)


def test_a_folder_without_manifest_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=MANIFEST):
        load_model(tmp_path)


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [("format", "other", "format"), ("bits", "many", "bits"), ("columns", [{}], "column"), ("files", {}, "files")],
)
def test_a_wrong_manifest_names_the_field(folder: Path, field: str, value: object, named: str) -> None:
    manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
    (folder / MANIFEST).write_text(json.dumps(manifest | {field: value}), "utf-8")
    with pytest.raises(ModelError, match=named):
        load_model(folder)


def test_a_manifest_cannot_reach_out_of_its_folder(folder: Path) -> None:
    manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
    manifest["files"]["../outside"] = "0" * 64
    (folder / MANIFEST).write_text(json.dumps(manifest), "utf-8")
    with pytest.raises(ModelError, match="outside"):
        load_model(folder)


def test_a_pickle_is_never_opened(folder: Path) -> None:
    import hashlib

    np.savez(folder / WEIGHTS, weights=np.array([{"a": 1}], dtype=object))
    manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
    manifest["files"] = {WEIGHTS: hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest()}
    (folder / MANIFEST).write_text(json.dumps(manifest), "utf-8")
    with pytest.raises(ModelError, match="NumPy cannot read"):
        load_model(folder)


def test_without_any_model_the_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="manifest"):
        newest(tmp_path)


def test_rounding_to_small_integers_keeps_the_weights() -> None:
    weights = np.random.default_rng(1).normal(size=(4096, 3))
    rounded, scales = quantise(weights)
    restored = rounded[:, :3] * np.array(scales)
    inside = np.abs(weights) < 127 * np.array(scales)
    assert np.abs(restored - weights)[inside].max() <= max(scales)


def test_the_shipped_models_lie_where_the_newest_is_looked_for() -> None:
    assert newest().parent == MODELS
