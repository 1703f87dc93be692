from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifiers.errors import ModelError
from classifiers.normalise.neighbours import BITS, FILE, LEAST, STEP, WAYS, Neighbours, buckets_of, load_neighbours
from classifiers.training.neighbours import count, write

TEXTS = ["今天天气好", "今天的作文课", "天气真好"] * 10


def symbols(model: Neighbours, text: str) -> np.ndarray:
    return model.symbol[[ord(char) for char in text]].astype(np.int64)


@pytest.fixture
def counted(tmp_path: Path) -> Neighbours:
    write(count(TEXTS), tmp_path / "n.npz", {"corpora": []}, 5)
    return load_neighbours(tmp_path / "n.npz")


def test_neighbours_within_a_text_are_counted_and_those_of_two_texts_are_not() -> None:
    counts = count(["甲乙", "甲乙丙"])
    found = {(chr(key // 0x110000), chr(key % 0x110000)): n for key, n in zip(counts.pairs, counts.times, strict=True)}
    assert found == {("甲", "乙"): 2, ("乙", "丙"): 1}
    assert counts.characters[ord("乙")] == 2


def test_pairs_that_were_seen_are_likelier_than_others(counted: Neighbours) -> None:
    today, never = (
        counted.gain(symbols(counted, text)[:1], symbols(counted, text)[1:])[0] for text in ("今天", "今好")
    )
    assert today > never
    before, after = symbols(counted, "今好")[:1], symbols(counted, "今好")[1:]
    assert counted.strange(before, after).all()
    assert not counted.strange(symbols(counted, "今天")[:1], symbols(counted, "今天")[1:]).any()


def test_chances_after_a_character_sum_to_one(counted: Neighbours) -> None:
    every = np.arange(len(counted.single))
    before = np.full(len(every), int(symbols(counted, "天")[0]))
    chances = np.exp(counted.gain(before, every) + counted.single)
    assert chances[1:].sum() == pytest.approx(1, abs=0.1)  # gains are kept in steps


def test_the_shipped_model_knows_common_words() -> None:
    model = load_neighbours()
    assert model.gain(symbols(model, "赌作")[:2], symbols(model, "博文")[:2]).min() > 0


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 255))
def test_an_entry_is_a_pair_s_where_its_upper_byte_is_the_pair_s_mark(seed: int, low: int) -> None:
    dice = np.random.default_rng(seed)
    before, after = dice.integers(0, 8192, 40), dice.integers(0, 8192, 40)
    buckets, marks = buckets_of(before, after)
    table = np.zeros((1 << BITS, WAYS), dtype=np.uint16)
    # Marks that are alike or nearly, and empty entries, in any place of a bucket.
    near = marks[:, None].astype(np.int64) + dice.integers(-1, 2, (40, WAYS))
    values = dice.choice([0, 1, low, 255], (40, WAYS))
    table[buckets] = np.where(values > 0, (near & 255) << 8 | values, 0)
    unseen = dice.normal(0, 1, 8192)
    model = Neighbours(np.zeros(1, dtype=np.uint16), np.zeros(8192), unseen, table)
    for place, gain, strange in zip(
        range(40), model.gain(before, after).tolist(), model.strange(before, after).tolist(), strict=True
    ):
        steps = [int(entry) & 255 for entry in table[buckets[place]] if entry and int(entry) >> 8 == marks[place]]
        assert strange == (not steps)
        assert gain == (LEAST + (max(steps) - 1) * STEP if steps else unseen[before[place]])


def test_counting_again_gives_the_same_file(tmp_path: Path) -> None:
    digests = [write(count(TEXTS), tmp_path / name, {}, 5)["sha256"] for name in ("a.npz", "b.npz")]
    assert digests[0] == digests[1]


def test_a_damaged_or_missing_file_is_named(tmp_path: Path) -> None:
    write(count(TEXTS), tmp_path / "n.npz", {}, 5)
    (tmp_path / "n.npz").write_bytes(FILE.read_bytes()[:1000])
    with pytest.raises(ModelError, match="SHA-256"):
        load_neighbours(tmp_path / "n.npz")
    with pytest.raises(ModelError, match="nowhere"):
        load_neighbours(tmp_path / "nowhere.npz")
    (tmp_path / "m.npz").write_bytes(b"x")
    (tmp_path / "m.json").write_text(json.dumps({}), "utf-8")
    with pytest.raises(ModelError, match="m.json"):
        load_neighbours(tmp_path / "m.npz")
