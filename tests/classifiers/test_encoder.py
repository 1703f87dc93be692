"""The served encoder, on a small one kept beside this file (see make_tiny_encoder.py)."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifiers.alphabet import PAD, SEP, Alphabet
from classifiers.encoder import Encoder, load_encoder
from classifiers.errors import ModelError
from classifiers.normalise import fold
from classifiers.windows import LONGEST, MOST_WINDOWS

TINY = Path(__file__).parent / "tiny_encoder"
TEXTS = ["今天的作文课真有意思", "春游去哪里", "", "作文" * 100, "abc 作文课！"]
ENCODER = load_encoder(TINY)


def margins(texts: list[str], encoder: Encoder = ENCODER) -> Any:
    return encoder.margins(fold(texts))


def test_it_says_what_the_float_model_said_when_it_was_exported() -> None:
    exact = np.load(TINY / "logits.npy")
    assert np.abs(margins(TEXTS) - exact).max() < 0.2 * exact.std()


@settings(max_examples=30)
@given(st.lists(st.text(alphabet="今天的作文课春游abc 龙\u200b😀", max_size=300), min_size=1, max_size=12), st.data())
def test_a_text_gets_the_same_logits_alone_and_in_any_batch(texts: list[str], data: Any) -> None:
    together = margins(texts)
    place = data.draw(st.integers(0, len(texts) - 1))
    assert np.allclose(margins([texts[place]])[0], together[place], atol=1e-4)


def test_one_thread_and_two_say_the_same() -> None:
    assert np.allclose(margins(TEXTS), margins(TEXTS, load_encoder(TINY, threads=2)), atol=1e-4)


def test_probabilities_are_calibrated_margins_in_the_order_of_the_slugs() -> None:
    assert ENCODER.slugs == ("bullying", "gambling")
    found = ENCODER.probabilities(np.array([[0.0, 1.0]]))
    assert np.allclose(found, 1 / (1 + np.exp([[0.5, -1.0]])))


@given(st.lists(st.integers(0, 1500), min_size=1, max_size=6))
def test_windows_cover_both_ends_and_are_short_enough(lengths: list[int]) -> None:
    folded = fold(["作文课" * (length // 3) for length in lengths])
    sizes = np.diff(folded.bounds)
    cut = ENCODER.tokens.windows(folded)
    for text, size in enumerate(sizes):
        mine = np.flatnonzero(cut.owner == text)
        starts, ends = cut.starts[mine] - folded.bounds[text], cut.ends[mine] - folded.bounds[text]
        assert 1 <= len(mine) <= MOST_WINDOWS
        assert starts[0] == 0
        assert ends[-1] == size
        assert (ends - starts <= LONGEST).all()
        if size <= LONGEST * MOST_WINDOWS:
            assert (starts[1:] <= ends[:-1]).all()
        else:
            assert len(mine) == MOST_WINDOWS


@given(st.lists(st.integers(0, 40), min_size=1, max_size=20), st.integers(8, 400), st.none() | st.integers(0, 40))
def test_batches_hold_every_window_once_and_keep_within_their_size(
    lengths: list[int], most: int, filling: int | None
) -> None:
    cut = ENCODER.tokens.windows(fold(["作文" * length for length in lengths]))
    batches = list(cut.batches(most, filling=filling))
    assert sorted(np.concatenate(batches).tolist()) == list(range(len(cut.owner)))
    for chosen in batches:
        rows = cut.padded(chosen)
        assert rows.size <= most or len(chosen) == 1
        assert filling is None or (rows == PAD).sum() <= filling
        assert (rows[:, 0] == SEP).all()
        assert ((rows == SEP).sum(axis=1) == 2).all()
        assert ((rows != PAD).sum(axis=1) == cut.ends[chosen] - cut.starts[chosen] + 2).all()


def test_a_long_text_has_the_logits_of_its_strongest_window() -> None:
    text = "今天的作文课" * 60
    folded = fold([text])
    cut = ENCODER.tokens.windows(folded)
    parts = [text[begin:end] for begin, end in zip(cut.starts, cut.ends, strict=True)]
    assert len(parts) > 1
    assert np.allclose(margins([text])[0], margins(parts).max(axis=0), atol=1e-4)


def copy_of(folder: Path) -> Path:
    return Path(shutil.copytree(TINY, folder / "model"))


@pytest.mark.parametrize("name", ["encoder.onnx", "tokenizer.json"])
def test_a_changed_or_missing_file_is_refused(tmp_path: Path, name: str) -> None:
    folder = copy_of(tmp_path)
    path = folder / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(ModelError, match=f"{name}.*SHA-256"):
        load_encoder(folder)
    path.unlink()
    with pytest.raises(ModelError, match=name):
        load_encoder(folder)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"format": "another"}, "format 'another'"),
        ({"version": 3}, "version = 3"),
        ({"categories": [{"slug": "bullying"}]}, "slug and platt"),
        ({"files": {"encoder.onnx": "0"}}, "tokenizer.json among them"),
    ],
)
def test_a_wrong_manifest_says_what_is_wrong(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    folder = copy_of(tmp_path)
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | change), encoding="utf-8")
    with pytest.raises(ModelError, match=said):
        load_encoder(folder)


@pytest.mark.parametrize("content", [None, "{", "[]"])
def test_a_folder_without_a_readable_manifest_is_no_model(tmp_path: Path, content: str | None) -> None:
    folder = copy_of(tmp_path)
    (folder / "manifest.json").unlink()
    if content is not None:
        (folder / "manifest.json").write_text(content, encoding="utf-8")
    with pytest.raises(ModelError, match="allowed"):
        load_encoder(folder)


def test_a_graph_that_is_none_is_named(tmp_path: Path) -> None:
    import hashlib

    folder = copy_of(tmp_path)
    (folder / "encoder.onnx").write_bytes(b"not a graph")
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    manifest["files"]["encoder.onnx"] = hashlib.sha256(b"not a graph").hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(ModelError, match=r"encoder\.onnx.*cannot be loaded"):
        load_encoder(folder)


def test_the_alphabet_knows_its_characters_and_no_others() -> None:
    assert isinstance(ENCODER.tokens, Alphabet)
    assert ENCODER.tokens.lookup[ord("作")] >= 4
    assert ENCODER.tokens.lookup[ord("龙")] == 1
