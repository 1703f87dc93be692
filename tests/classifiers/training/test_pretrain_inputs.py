"""What a pretraining run reads and counts. None of it needs torch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.alphabet import SPECIALS, Alphabet
from classifiers.errors import DataError, RecipeError
from classifiers.training.pretrain_recipe import Shape, Vectors, load_pretrain_recipe
from classifiers.training.pretrain_vectors import (
    SCALE,
    Counted,
    count,
    pair_rows,
    read_counted,
    save_counted,
    sounds_of,
    triple_rows,
)
from classifiers.training.recipe import RECIPES
from classifiers.training.tokens import pack

ALPHABET = Alphabet.of(list("作坐做座文闻课客刻春游有由友天添田a1"))
SOUNDS = sounds_of(ALPHABET)
SHAPE = Shape(
    hidden=8, layers=1, heads=2, inner=8, character=6, pair=4, pair_buckets=64, triple=4, triple_buckets=64,
    sound=3, sound_pair=3, sound_pair_buckets=32,
)  # fmt: skip


def ids_of(text: str) -> list[int]:
    return [int(ALPHABET.lookup[ord(char)]) for char in text]


def counted(texts: list[str], vectors: Vectors | None = None) -> Counted:
    return count([pack(iter([texts]), ALPHABET)], SOUNDS, SHAPE, vectors, seed=1)


def test_the_shipped_recipe_is_valid_and_has_an_open_half() -> None:
    whole, sets = load_pretrain_recipe(RECIPES / "pretrain.yaml")
    free, open_sets = load_pretrain_recipe(RECIPES / "pretrain.yaml", "open")
    assert {corpus.tier for corpus in free.corpora} == {"open"}
    assert len(free.corpora) < len(whole.corpora)
    assert free.version == f"{whole.version}-open"
    assert [entry.name for entry in open_sets] == [entry.name for entry in sets if entry.tier == "open"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("colour: red", "unknown key 'colour'"),
        ("labelled: [nothing]", "'nothing'"),
        ("shape: {hidden: 10, heads: 4}", "multiple of heads"),
        ("noise: {masked: 0.9, sound: 0.9}", "at most 1"),
        ("noise: {share: 2}", "noise.share"),
        ("training: {batch: 4}", "one of tokens and seconds must be given, found neither"),
        ("training: {tokens: 100, seconds: 60}", "found both"),
        ("training: {seconds: 0}", "training.seconds"),
    ],
)
def test_a_wrong_recipe_says_where_and_what_is_allowed(tmp_path: Path, line: str, said: str) -> None:
    path = tmp_path / "recipe.yaml"
    fine = "version: v\nseed: 1\ncorpora: [{file: a.txt, weight: 1, tier: open}]\n"
    rest = "" if line.startswith("training") else "training: {tokens: 100}\n"
    path.write_text(fine + rest + line, encoding="utf-8")
    with pytest.raises(RecipeError, match=said):
        load_pretrain_recipe(path)


def test_the_length_of_a_run_may_change_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    fine = "version: v\nseed: 1\ncorpora: [{file: a.txt, weight: 1, tier: open}]\n"
    path.write_text(fine + "training: {tokens: 100}", encoding="utf-8")
    short, _ = load_pretrain_recipe(path)
    path.write_text(fine + "training: {tokens: 900, fall: 0.5, checkpoint_minutes: 1}", encoding="utf-8")
    longer, _ = load_pretrain_recipe(path)
    path.write_text(fine + "training: {tokens: 100, rate: 0.5}", encoding="utf-8")
    faster, _ = load_pretrain_recipe(path)
    assert short.identity() == longer.identity() != faster.identity()


def test_characters_of_one_sound_have_one_number_and_letters_their_own() -> None:
    sound = dict(zip(ALPHABET.characters, SOUNDS[len(SPECIALS) :].tolist(), strict=True))
    assert sound["作"] == sound["坐"] == sound["座"] != sound["课"]
    assert sound["课"] == sound["客"] == sound["刻"]
    assert sound["1"] == 0
    assert sound["a"] not in (0, sound["作"])
    assert (SOUNDS[: len(SPECIALS)] == 0).all()


@given(st.lists(st.integers(0, 65535), min_size=3, max_size=30))
def test_table_rows_stay_inside_their_table(ids: list[int]) -> None:
    a = np.array(ids, dtype=np.int64)
    for rows in (pair_rows(a[:-1], a[1:], 100), triple_rows(a[:-2], a[1:-1], a[2:], 100)):
        assert ((rows >= 0) & (rows < 100)).all()


def test_order_matters_to_a_pair() -> None:
    a, b = np.array([5]), np.array([9])
    assert pair_rows(a, b, 1 << 16) != pair_rows(b, a, 1 << 16)


def test_characters_in_like_company_get_like_vectors() -> None:
    texts = ["作文课天天", "坐文课天天", "春有游友由", "天有游友由"] * 200
    made = counted(texts, Vectors(tokens=20_000, window=2, contexts=12))
    table = made.tables["character"]
    unit = table / np.maximum(np.linalg.norm(table, axis=1, keepdims=True), 1e-9)
    like = unit @ unit.T
    a, b, c = (ids_of(char)[0] for char in "作坐由")
    assert like[a, b] > 0.9 > like[a, c]
    assert set(made.tables) == {"character", "pair", "triple", "sound", "sound_pair"}
    assert made.tables["pair"].shape == (64, 4)
    root = np.sqrt(np.mean(table[a] ** 2))
    assert 0.8 * SCALE < root <= SCALE * 1.01


def test_what_was_counted_is_read_as_it_was_written(tmp_path: Path) -> None:
    made = counted(["作文课"] * 30, Vectors(tokens=100, window=2, contexts=8))
    save_counted(made, tmp_path / "counted.npz")
    again = read_counted(tmp_path / "counted.npz")
    assert all((again.tables[name] == table).all() for name, table in made.tables.items())
    assert (again.followers == made.followers).all()


def test_a_corpus_too_short_for_a_block_is_refused(tmp_path: Path) -> None:
    from classifiers.training.pretrain_corpus import prepare

    (tmp_path / "a.txt").write_text("作文课\n", encoding="utf-8")
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(
        "version: v\nseed: 1\ncorpora: [{file: a.txt, weight: 1, tier: open}]\nalphabet: {size: 16, least: 1}\n"
        "training: {tokens: 100}\n",
        encoding="utf-8",
    )
    with pytest.raises(DataError, match="at least"):
        prepare(load_pretrain_recipe(recipe)[0], [], tmp_path, tmp_path / "packed")
