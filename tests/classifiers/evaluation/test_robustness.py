"""What evasion costs the shipped model, on texts of our own: floors below which it must not fall.

The full measurement, on held-back texts of all sets, is in docs/model-card.md; here are few texts, so floors lie some
points below what is measured there.
"""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from classifiers.cascade import load_cascade
from classifiers.evaluation.robustness import TEXTS, short_of, under_evasion
from classifiers.training.evasions import FORM, SOUND_AND_SHAPE
from classifiers.training.sets import SETS_FILE
from classifiers.training.written import read_written
from config.taxonomy import SLUGS

FLOORS = {
    **dict.fromkeys(FORM, 0.95),
    "spaced": 0.85,
    "punctuated": 0.9,
    "emoji_between": 0.88,
    **dict.fromkeys(SOUND_AND_SHAPE, 0.75),
}


@pytest.fixture(scope="module")
def measured() -> dict[str, dict[str, float]]:
    cascade = load_cascade()
    rows = [row for path in sorted((SETS_FILE.parent / "written").glob("*.tsv")) for row in read_written(path)]
    chosen = Random(7).sample(rows, 900)
    limits = np.array([0.15 if slug == "sexual_exploitation" else 0.5 for slug in SLUGS])
    over = (cascade.scores([row["text"] for row in chosen]) >= limits).any(axis=1)
    flagged = [row["text"] for row, said in zip(chosen, over, strict=True) if said][:150]
    calm = [row["text"] for row, said in zip(chosen, over, strict=True) if not said and not row["slugs"]][:200]
    return under_evasion(cascade.scores, flagged, calm, limits)


@pytest.mark.parametrize("kind", FLOORS)
def test_a_flagged_text_keeps_its_categories_when_it_is_written_as_evaders_write(
    measured: dict[str, dict[str, float]], kind: str
) -> None:
    assert measured[kind]["kept"] >= FLOORS[kind]


def test_as_many_texts_are_taken_as_an_evasion_changes_and_no_more_than_wanted() -> None:
    found = under_evasion(
        load_cascade().scores, ["注册送彩金", "加v领彩金", "加q领彩金"], [], np.full(15, 0.5), wanted=2
    )
    assert (found["full_width"]["texts"], found["homophone"]["texts"], found["styled"]["texts"]) == (2, 2, 2)
    assert found["emoji_between"]["texts"] <= 2


@pytest.mark.parametrize(
    ("figures", "short"),
    [
        ({"level": "form", "kept": 0.95, "ordinary_added": 0.005, "texts": TEXTS}, ()),
        ({"level": "form", "kept": 0.949, "ordinary_added": None, "texts": TEXTS}, ("kept",)),
        ({"level": "sound and shape", "kept": 0.86, "ordinary_added": 0.006, "texts": 30}, ("ordinary", "texts")),
    ],
)
def test_an_evasion_says_in_what_it_falls_short(figures: dict[str, object], short: tuple[str, ...]) -> None:
    assert short_of(figures) == short


def test_without_ordinary_texts_nothing_is_said_of_them() -> None:
    found = under_evasion(load_cascade().scores, ["注册送彩金"], [], np.full(len(SLUGS), 0.5))
    assert {one["ordinary_added"] for one in found.values()} == {None}
