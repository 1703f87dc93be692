import numpy as np
from numpy.typing import NDArray

from classifiers.training.rows import Rows
from classifiers.training.train import halves

TEXTS = [f"第{number}条" for number in range(400)]


def rows(texts: list[str], group: NDArray[np.int64], held: NDArray[np.bool_]) -> Rows:
    says = np.zeros((len(texts), 1), dtype=np.int8)
    return Rows(texts, ("gambling",), says, held, group, np.zeros(len(texts), dtype=np.int64), ("a",))


def test_about_half_of_what_is_held_back_calibrates_and_nothing_that_is_trained_on() -> None:
    held = np.arange(400) % 2 == 0
    half = halves(rows(TEXTS, np.arange(400), held), 5)
    assert 70 < half.sum() < 130
    assert not half[~held].any()


def test_a_text_stays_in_its_half_when_rows_are_added_and_groups_get_other_numbers() -> None:
    held = np.ones(400, dtype=bool)
    before = dict(zip(TEXTS, halves(rows(TEXTS, np.arange(400), held), 5).tolist(), strict=True))
    more = [f"新来的{number}" for number in range(60)] + TEXTS[::-1]
    after = dict(zip(more, halves(rows(more, np.arange(460), np.ones(460, dtype=bool)), 5).tolist(), strict=True))
    assert {text: after[text] for text in TEXTS} == before


def test_near_copies_are_in_one_half() -> None:
    half = halves(rows(TEXTS, np.arange(400) // 4, np.ones(400, dtype=bool)), 5).reshape(-1, 4)
    assert (half == half[:, :1]).all()
    assert 0 < half[:, 0].sum() < 100
