"""Public tests by proxy: several categories read as one answer, and what cloaks cost it."""

from __future__ import annotations

import numpy as np
import pytest

from classifiers.evaluation.proxies import KINDS, Held, by_proxy
from classifiers.evaluation.proxies_card import proxies_of

SLUGS = ("gambling", "pornography", "sexual_suggestion", "fraud_spending", "bullying", "illicit_ads", "crime_drugs",
    "addiction_bypass", "self_harm")  # fmt: skip
BULLYING = SLUGS.index("bullying")


def held(texts: list[str], says: list[dict[str, int]], name: str, scores: list[dict[str, float]]) -> Held:
    told = np.full((len(texts), len(SLUGS)), -1, dtype=np.int8)
    found = np.zeros((len(texts), len(SLUGS)))
    for row, (one, score) in enumerate(zip(says, scores, strict=True)):
        for slug, value in one.items():
            told[row, SLUGS.index(slug)] = value
        for slug, value2 in score.items():
            found[row, SLUGS.index(slug)] = value2
    return Held(texts, told, SLUGS, np.array([name] * len(texts)), found, SLUGS)


def test_the_highest_of_several_categories_is_the_answer() -> None:
    rows = held(
        ["a", "b", "c", "d"],
        [{"bullying": 1}, {"bullying": 1}, {"bullying": 0}, {"bullying": 0}],
        "cold",
        [{"sexual_suggestion": 0.9}, {"gambling": 0.9}, {"bullying": 0.1}, {"pornography": 0.6}],
    )
    one = by_proxy(rows, lambda texts: np.zeros((len(texts), len(SLUGS))))["cold"]
    assert (one["rows"], one["positives"]) == (4, 2)
    assert one["precision"] == one["recall"] == 0.5


def test_rows_that_say_nothing_and_questions_without_both_answers_are_left_out() -> None:
    rows = held(["a", "b"], [{"bullying": 1}, {"gambling": 0}], "cold", [{}, {}])
    assert by_proxy(rows, lambda texts: np.zeros((len(texts), len(SLUGS)))) == {}


def test_kinds_weigh_the_same_however_many_rows_they_have() -> None:
    slugs = [kind[0] for kind in KINDS for _ in range(5 if kind[0] == "gambling" else 2)] + [""] * 4
    says = [{slug: int(slug == wanted) for slug in SLUGS} for wanted in slugs]
    right = [{wanted: 0.8} if wanted else {} for wanted in slugs]
    rows = held([str(n) for n in range(len(slugs))], says, "written", right)
    nothing = lambda texts: np.zeros((len(texts), len(SLUGS)))  # noqa: E731
    assert by_proxy(rows, nothing)["six kinds"]["macro_f1"] == 1.0
    blind = [{} if wanted == "gambling" else score for wanted, score in zip(slugs, right, strict=True)]
    missed = held([str(n) for n in range(len(slugs))], says, "written", blind)
    found = by_proxy(missed, nothing)["six kinds"]
    assert found["f1"][0] == 0.0
    assert found["macro_f1"] == pytest.approx((4 * 1.0 + 0.0 + 2 / 3) / 6, abs=1e-3)


def test_what_a_cloak_costs_is_measured_on_the_same_rows() -> None:
    texts = ["你真是个废物东西", "滚出去吧坏人", "今天的作文课真有意思", "春游去哪里玩"]
    says = [{"bullying": 1}, {"bullying": 1}, {"bullying": 0}, {"bullying": 0}]
    rows = held(texts, says, "toxicn", [{"bullying": 0.9}, {"bullying": 0.9}, {}, {}])
    blind = by_proxy(rows, lambda treated: np.zeros((len(treated), len(SLUGS))))["cloaked"]
    assert blind["lost"] == {"homophone": 0.5, "emoji_word": 0.5}
    assert set(blind["kept"].values()) == {0.0}

    def sees_through(treated: object) -> np.ndarray:
        return rows.scores

    seen = by_proxy(rows, sees_through)["cloaked"]  # type: ignore[arg-type]
    assert seen["lost"] == {"homophone": 0.0, "emoji_word": 0.0}
    assert set(seen["kept"].values()) == {1.0}
    assert seen["natural"]["f1"] == 1.0


def test_the_card_shows_found_and_goal_of_each() -> None:
    rows = held(["a", "b"], [{"bullying": 1}, {"bullying": 0}], "cold", [{"bullying": 0.9}, {}])
    text = "\n".join(proxies_of(by_proxy(rows, lambda texts: np.zeros((len(texts), len(SLUGS))))))
    assert "| cold | COLD, its own held-back part | 2 | macro-F1 | 1.000 (" in text
    assert "| 0.83 |" in text
