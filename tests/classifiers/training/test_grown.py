from __future__ import annotations

import random
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.errors import RecipeError
from classifiers.training.grown import Grammar, grow, load_grammar
from classifiers.training.rows import files_of
from classifiers.training.sets import load_sets
from classifiers.training.written import read_written
from config.taxonomy import SLUGS

GROWN = load_sets()["grown"]
GRAMMARS = files_of(GROWN, Path())
SMALL = """
slots:
  who: [甲, 乙, "{who_else}"]
  who_else: [丙, 丁]
forms:
  - {says: [gambling], register: ad, text: "{who}开局，{who}也来"}
  - {says: [], register: comment, text: 今天没有人来}
"""


def test_every_category_but_one_has_a_grammar_with_forms_of_both_sides() -> None:
    assert {path.stem for path in GRAMMARS} == set(SLUGS) - {"sexual_exploitation"}
    for path in GRAMMARS:
        forms = load_grammar(path).forms
        assert sum(path.stem in form.says for form in forms) >= 15, path.stem
        assert sum(not form.says for form in forms) >= 15, path.stem


def test_nothing_is_grown_for_sexual_exploitation_and_nothing_carries_a_telephone_number_or_a_link() -> None:
    for path in GRAMMARS:
        for row in grow(path, each=5, seed=1):
            assert "sexual_exploitation" not in row["slugs"]
            assert not re.search(r"1[3-9]\d{9}|https?://|www\.", row["text"]), row["text"]


def test_no_grown_text_is_one_that_was_written_by_hand() -> None:
    by_hand = {row["text"] for path in files_of(load_sets()["written"], Path()) for row in read_written(path)}
    assert not by_hand & {row["text"] for path in GRAMMARS for row in grow(path, each=GROWN.grown, seed=20261124)}


def test_a_form_grows_different_texts_and_the_same_ones_for_the_same_seed(tmp_path: Path) -> None:
    path = tmp_path / "gambling.yaml"
    path.write_text(SMALL, "utf-8")
    rows = list(grow(path, each=6, seed=3))
    assert rows == list(grow(path, each=6, seed=3))
    assert [row["text"] for row in rows] != [row["text"] for row in grow(path, each=6, seed=4)]
    grown = [row["text"] for row in rows if row["slugs"] == {"gambling"}]
    assert len(set(grown)) == 6
    assert all(re.fullmatch("[甲乙丙丁]开局，[甲乙丙丁]也来", text) for text in grown)


def test_a_form_with_fewer_texts_than_asked_for_grows_what_it_has(tmp_path: Path) -> None:
    path = tmp_path / "gambling.yaml"
    path.write_text(SMALL, "utf-8")
    rows = list(grow(path, each=100, seed=3))
    assert sum(row["slugs"] == {"gambling"} for row in rows) == 16
    assert [row["text"] for row in rows if not row["slugs"]] == ["今天没有人来"]


@given(st.lists(st.text(alphabet="甲乙丙丁，。", min_size=1, max_size=5), min_size=1, max_size=4), st.integers())
def test_what_fills_a_slot_is_one_of_its_fillers(fillers: list[str], seed: int) -> None:
    grammar = Grammar.model_validate(
        {"slots": {"a": fillers}, "forms": [{"says": [], "register": "chat", "text": "看{a}吧"}]}
    )
    assert grammar.fill(grammar.forms[0].text, random.Random(seed)) in {f"看{filler}吧" for filler in fillers}


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("gambling", "gamblign", "gamblign"),
        ("register: ad", "register: newspaper", "newspaper"),
        ("{who}开局", "{whom}开局", "whom"),
        ("{who}开局", "{who:>9}开局", "than a name"),
        ("{who}开局", "{}开局", "than a name"),
        ("{who}开局", "{who开局", "expected"),
        ("[丙, 丁]", '[丙, "{who}"]', "circle"),
        ("forms:", "form:", "form"),
        ("[丙, 丁]", "[]", "who_else"),
    ],
)
def test_a_wrong_grammar_is_named(tmp_path: Path, old: str, new: str, named: str) -> None:
    path = tmp_path / "gambling.yaml"
    path.write_text(SMALL.replace(old, new, 1), "utf-8")
    with pytest.raises(RecipeError, match=named):
        list(grow(path, each=2, seed=1))
