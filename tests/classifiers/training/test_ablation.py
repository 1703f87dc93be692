"""What each part and each kind of label brought, on a made-up task of a hundred texts."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifiers.errors import ModelError
from classifiers.evaluation.metrics import average_precision
from classifiers.linear import load_model
from classifiers.training.ablation import ALL, LABELS, ablate, joined, mean_precision, silenced, without
from classifiers.training.recipe import load_recipe
from classifiers.training.rows import Rows
from classifiers.training.sets import load_sets
from classifiers.training.train import keep_ablation
from tests.classifiers.made_up import PLAIN, described, told_by_label

SETS = described("read", told_by_label("gambling")) + described("voted", told_by_label("gambling"), "weak: true")


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    random = Random(3)
    for name in ("read", "voted"):
        talk = ["".join(random.sample(PLAIN, 6)) for _ in range(120)]
        rows = [{"text": text + "注册送彩金" * (k % 2), "label": k % 2} for k, text in enumerate(talk)]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    (tmp_path / "sets.yaml").write_text(SETS, "utf-8")
    path = tmp_path / "tiny.yaml"
    path.write_text("version: tiny\nseed: 5\nbits: 12\nsets_file: sets.yaml\ncolumns: {gambling: {}}\n", "utf-8")
    return path


def test_every_part_and_every_kind_of_label_is_left_out_once(recipe: Path, tmp_path: Path) -> None:
    found = ablate(recipe, tmp_path, tmp_path / "work")
    assert set(found["parts"]) == {ALL, "rules", "second readings", "undoing", "linear", "encoder"}
    assert set(found["labels"]) == {ALL, *LABELS}
    for by_texts in (found["parts"][ALL], found["labels"][ALL]):
        assert all(one["brought"] == 0 and one["interval"] == [0, 0] for one in by_texts.values())
    bet = found["parts"][ALL]["untouched"]["average_precision"]
    assert bet > found["parts"]["undoing"]["evaded"]["average_precision"]
    assert bet > 0.9


def test_a_model_that_was_trained_before_is_taken_from_the_work_folder(recipe: Path, tmp_path: Path) -> None:
    ablate(recipe, tmp_path, tmp_path / "work")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "work").glob("*/weights.npz")}
    assert len(before) == 1 + len(LABELS)
    ablate(recipe, tmp_path, tmp_path / "work")
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_where_nothing_else_is_labelled_word_rules_speak_alone(recipe: Path, tmp_path: Path) -> None:
    (tmp_path / "sets.yaml").write_text(
        SETS.replace("register: made up", "register: made up\n  weak: true", 1), "utf-8"
    )
    found = ablate(recipe, tmp_path, tmp_path / "work")
    assert load_model(tmp_path / "work" / "tiny-without-weak").slugs == ()
    assert found["labels"]["weak"]["untouched"]["average_precision"] > 0.9  # a rule knows it


def test_sets_lose_the_evidence_of_one_kind_and_keep_the_rest() -> None:
    spam = load_sets()["tg_spam"]
    assert not any(e.typed_by_reading for e in without("typed", spam).evidence)
    assert not any(e.typed_by_rules for e in without("weak", spam).evidence)
    assert len(without("typed", spam).evidence) == len(without("weak", spam).evidence) == len(spam.evidence) - 1
    assert without("written", spam) == spam
    assert [name for name, entry in load_sets().items() if silenced("weak", entry)] == ["chnci_weak"]
    for kind in ("written", "grown"):
        assert [name for name, entry in load_sets().items() if silenced(kind, entry)] == [kind]


def test_what_is_trained_on_changes_and_what_is_held_back_does_not() -> None:
    def rows(says: list[int], group: list[int]) -> Rows:
        count, held = len(says), np.array([False, False, True])
        said = np.array(says, dtype=np.int8)[:, None]
        origin = np.array([0, 1, 0], dtype=np.int32)
        return Rows([f"text {k}" for k in range(count)], ("gambling",), said, held, np.array(group), origin, ("a", "b"))

    both = joined(rows([0, 0, 0], [7, 8, 9]), rows([1, 1, 1], [1, 2, 3]), ["b"])
    assert both.texts == ["text 0", "text 2"]
    assert both.says.ravel().tolist() == [0, 1]
    assert both.held.tolist() == [False, True]
    assert both.group[both.held].tolist() == [3]


@settings(max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 30), st.sampled_from([-1, 0, 1])), min_size=1, max_size=40))
def test_each_row_once_is_plain_average_precision(rows: list[tuple[int, int]]) -> None:
    scores = np.array([[score / 30] for score, _ in rows])
    says = np.array([[said] for _, said in rows], dtype=np.int8)
    known = says[:, 0] >= 0
    expected = average_precision(scores[known, 0], says[known, 0])
    assert mean_precision(scores, says, np.ones((1, len(rows)), dtype=np.int64))[0] == pytest.approx(expected)


@given(st.tuples(st.integers(0, 1), st.integers(0, 3), st.integers(0, 1), st.integers(0, 3)))
def test_a_row_drawn_several_times_counts_as_several(times: tuple[int, ...]) -> None:
    scores, says = np.array([[0.9], [0.7], [0.5], [0.3]]), np.array([[1], [0], [1], [0]], dtype=np.int8)
    again = np.repeat(np.arange(4), times)
    expected = average_precision(scores[again, 0], says[again, 0])
    assert mean_precision(scores, says, np.array([times]))[0] == pytest.approx(expected)


def test_figures_are_kept_in_the_card_beside_what_else_it_tells(tmp_path: Path) -> None:
    (tmp_path / "card.json").write_text('{"version": "one"}', "utf-8")
    keep_ablation(tmp_path, {"rows": 3})
    assert json.loads((tmp_path / "card.json").read_text("utf-8")) == {"version": "one", "ablation": {"rows": 3}}
    with pytest.raises(ModelError, match="no card"):
        keep_ablation(tmp_path / "nowhere", {})


def test_the_shipped_recipe_has_the_columns_of_the_linear_model() -> None:
    from classifiers.training.recipe import find_recipe

    small, _ = load_recipe(find_recipe("ablation"))
    full, _ = load_recipe(find_recipe("linear"))
    assert small.columns == full.columns
