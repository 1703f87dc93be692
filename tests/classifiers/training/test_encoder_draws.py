"""What fine-tuning is shown: the same at each round, nothing that is held back; teachers are asked once for a text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from classifiers.alphabet import MASK, SPECIALS, Alphabet
from classifiers.normalise.fold import fold
from classifiers.training.distil import Spoken
from classifiers.training.encoder_draws import Draws, with_ordinary
from classifiers.training.encoder_recipe import Distilling, Tuning
from classifiers.training.rows import UNKNOWN, Rows
from classifiers.training.sets import LabelledSet, load_sets
from tests.classifiers.training.test_encoder_train import SETS, made_up_rows

TUNING = Tuning(samples=1, evaded=0.3, hidden_characters=0.2)
AHEAD = TUNING.model_copy(update={"evaded_variants": 3})
APART = "龙"  # in every text that is held back, and in no other


class Speaker:
    """Stands for teachers: says how long each text is once folded, and counts what it was asked."""

    def __init__(self, texts: Sequence[str] = ()) -> None:
        self.texts, self.asked = list(texts), []
        self.recipe = Distilling(share=0.5)

    def odds(self, texts: Sequence[str]) -> Any:
        self.asked += texts
        lengths = np.diff(fold(texts).bounds)
        return np.stack((lengths, -lengths), axis=1).astype(np.float64)


@pytest.fixture
def sets(tmp_path: Path) -> dict[str, LabelledSet]:
    (tmp_path / "sets.yaml").write_text(SETS, encoding="utf-8")
    return load_sets(tmp_path / "sets.yaml")


@pytest.fixture
def rows() -> Rows:
    made = made_up_rows()
    made.texts = [text + (APART if apart else "") for text, apart in zip(made.texts, made.held, strict=True)]
    return made


def alphabet(texts: Sequence[str]) -> Alphabet:
    return Alphabet.of(sorted({char for text in texts for char in text}))


def drawn(rows: Rows, sets: dict[str, LabelledSet], tuning: Tuning, teachers: Any = None) -> Draws:
    known = alphabet(rows.texts + (teachers.texts if teachers else []))
    return Draws(rows, list(sets.values()), {"bets": 3.0}, known, tuning, 9, teachers)


def test_ordinary_talk_speaks_against_what_its_set_never_names(rows: Rows, sets: dict[str, LabelledSet]) -> None:
    says = with_ordinary(rows, [sets["forum"], sets["bets"]])
    of_bets = rows.origin == 1
    assert (says[of_bets, 0] == rows.says[of_bets, 0]).all()
    assert (says[:, 1] == UNKNOWN).all()  # gambling is named by the ordinary set itself
    bare = Rows(rows.texts, ("bullying", "self_harm"), rows.says, rows.held, rows.group, rows.origin, rows.sets)
    assert (with_ordinary(bare, [sets["forum"], sets["bets"]])[of_bets, 1] == 0).all()


@pytest.mark.parametrize("tuning", [TUNING, AHEAD])
def test_a_round_is_the_same_whenever_it_is_drawn_and_never_shows_what_is_held_back(
    rows: Rows, sets: dict[str, LabelledSet], tuning: Tuning
) -> None:
    draws = drawn(rows, sets, tuning)
    first, again = list(draws.round(4)), list(draws.round(4))
    assert all((a.ids == b.ids).all() and (a.says == b.says).all() for a, b in zip(first, again, strict=True))
    assert sum(len(batch.ids) for batch in first) == 8192
    shown = np.concatenate([batch.ids.ravel() for batch in first])
    assert alphabet(rows.texts).lookup[ord(APART)] not in shown
    assert 0.1 < (shown == MASK).mean() < 0.25


def _texts(draws: Draws, known: Alphabet) -> list[tuple[str, tuple[int, ...]]]:
    """What a round shows, with what each text says."""
    names = ["", "?", "", "", *known.characters]
    return [
        ("".join(names[i] for i in ids if i >= len(SPECIALS)), tuple(says))
        for batch in draws.round(1)
        for ids, says in zip(batch.ids, batch.says.tolist(), strict=True)
    ]


@pytest.mark.parametrize("evaded", [0.0, 0.4])
def test_variants_made_ahead_show_the_same_texts_as_often_evaded(
    rows: Rows, sets: dict[str, LabelledSet], evaded: float
) -> None:
    known = alphabet(rows.texts)
    changed = {"evaded": evaded, "hidden_characters": 0.0}
    folded = fold(rows.texts)
    plain = {folded.text(k): tuple(says) for k, says in enumerate(rows.says.tolist())}
    shares = []
    for tuning in (TUNING, AHEAD):
        found = _texts(drawn(rows, sets, tuning.model_copy(update=changed)), known)
        assert all(plain[text] == says for text, says in found if text in plain)
        shares.append(np.mean([text in plain for text, _ in found]))
    assert shares[0] == pytest.approx(shares[1], abs=0.03)
    assert shares[1] == 1.0 if evaded == 0 else shares[1] < 0.95


@pytest.mark.parametrize("tuning", [TUNING, AHEAD])
def test_teachers_are_asked_once_for_each_text_as_it_was_written(
    rows: Rows, sets: dict[str, LabelledSet], tuning: Tuning
) -> None:
    teachers = Speaker(["春游" * length for length in range(10, 50)])
    draws = drawn(rows, sets, tuning.model_copy(update={"evaded": 0.0, "hidden_characters": 0.0}), teachers)
    batches = [batch for number in range(3) for batch in draws.round(number)]
    assert len(teachers.asked) == len(set(teachers.asked)) <= 300 + 40
    assert not any(APART in text for text in teachers.asked)
    unknown = 0
    for batch in batches:
        lengths = (batch.ids >= len(SPECIALS)).sum(axis=1)
        assert batch.odds is not None
        assert (batch.odds[:, 0] == lengths).all()
        unlabelled = (batch.says == UNKNOWN).all(axis=1)
        assert (lengths[unlabelled] >= 20).all()
        unknown += int(unlabelled.sum())
    assert 0.45 < unknown / (3 * 8192) < 0.55


def test_what_teachers_said_is_given_in_the_order_asked() -> None:
    spoken = Spoken(Speaker(), ["春", "春游", "春游去"])  # type: ignore[arg-type]
    assert spoken(np.array([2, 0, 2])).tolist() == [[3, -3], [1, -1], [3, -3]]
    assert spoken(np.array([1, 2])).tolist() == [[2, -2], [3, -3]]
