"""Public tests by proxy: rows of our own that ask nearly what a public test asks, for tests that nobody here may see.

Several categories are read as one answer: a text is *toxic* where the highest of three reaches ½, *spam* where the
highest of seven does, and of *six kinds* it is the highest of five that reaches ½, or none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.evaluation.metrics import measure
from classifiers.training.evasions import evade

Floats = NDArray[np.float64]
Labels = NDArray[np.int8]
Score = Callable[[Sequence[str]], Floats]

TOXIC = ("bullying", "sexual_suggestion", "pornography")
SPAM = ("gambling", "pornography", "sexual_suggestion", "fraud_spending", "illicit_ads", "crime_drugs",
    "addiction_bypass")  # fmt: skip
KINDS = (("gambling",), ("pornography", "sexual_suggestion"), ("fraud_spending",), ("bullying",), ("illicit_ads",))
CLOAKS = ("homophone", "emoji_word")
NATURAL = ("homophone", "look_alike", "split", "pinyin", "initials")
ONE_WAY = ("pinyin", "initials", "split", "look_alike", "swapped", "traditional", "emoji_word")
KINDS_FROM = ("tg_spam", "written")
HALF = 0.5


GOALS: Mapping[str, Mapping[str, float]] = {
    "cold": {"macro_f1": 0.83},
    "six kinds": {"macro_f1": 0.80},
    "toxicn": {"accuracy": 0.80},
    "natural": {"f1": 0.70, "accuracy": 0.74},
    "suicide risk": {"f1": 0.89},
    "incidents": {"macro_f1": 0.75},
    "telegram spam": {"macro_f1": 0.96},
}
CALIBRATED = 0.03  # expected calibration error, of every question
LOST, KEPT = 0.02, 0.90  # accuracy that a cloak may cost; share of what is found clean that must still be found


@dataclass(frozen=True, slots=True)
class Asked:
    """One set's rows with the answer that a public test of its kind asks for."""

    set: str
    label: tuple[str, ...]  # a row is positive where it says 1 of any, negative where it says 0 of one and 1 of none
    answer: tuple[str, ...]  # the categories whose highest score is the answer


ASKED = {
    "cold": Asked("cold", ("bullying",), TOXIC),
    "toxicn": Asked("toxicn", ("bullying",), TOXIC),
    "incidents": Asked("chnci_weak", ("bullying",), ("bullying",)),
    "suicide risk": Asked("suicide_risk_0_10", ("self_harm",), ("self_harm",)),
    "telegram spam": Asked("tg_spam", SPAM, SPAM),
}
CLOAKED = "toxicn"


@dataclass(frozen=True, slots=True)
class Held:
    """Held-back rows: texts, what they say (1, 0 or below per category), the set of each, and their scores."""

    texts: Sequence[str]
    says: Labels
    says_of: Sequence[str]
    sets: NDArray[np.str_]
    scores: Floats
    scores_of: Sequence[str]

    def columns(self, slugs: Sequence[str]) -> list[int]:
        """Columns of `scores` of these categories."""
        return [self.scores_of.index(slug) for slug in slugs]

    def answers(self, asked: Asked) -> tuple[NDArray[np.int64], Labels] | None:
        """Numbers of the rows that answer a question, and their labels; None where both kinds are not there."""
        says = self.says[:, [self.says_of.index(slug) for slug in asked.label if slug in self.says_of]]
        mine = (self.sets == asked.set) & (says >= 0).any(axis=1)
        labels = (says[mine] == 1).any(axis=1).astype(np.int8)
        return (np.flatnonzero(mine), labels) if 0 < labels.sum() < len(labels) else None


def by_proxy(held: Held, score: Score, *, seed: int = 1) -> dict[str, Any]:
    """Figures of every question that the rows can answer; `score` gives scores of texts that are not in `held`."""
    found: dict[str, Any] = {}
    for name, asked in ASKED.items():
        if (answers := held.answers(asked)) is not None:
            rows, labels = answers
            found[name] = dict(measure(_highest(held.scores[rows], held, asked), labels).as_dict())
    if (kinds := _kinds(held, seed)) is not None:
        found["six kinds"] = kinds
    asked = ASKED[CLOAKED]
    if (answers := held.answers(asked)) is not None:
        found["cloaked"] = _cloaked(held, asked, *answers, score, seed)
    return found


def _highest(scores: Floats, held: Held, asked: Asked) -> Floats:
    return np.asarray(scores[:, held.columns(asked.answer)].max(axis=1))


def _kinds(held: Held, seed: int) -> dict[str, Any] | None:
    """Macro-F1 of telling five kinds and none apart, every class weighing the same; one row in six is of none."""
    label = [[held.says_of.index(slug) for slug in kind if slug in held.says_of] for kind in KINDS]
    if not all(label):
        return None
    of_kind = np.stack([(held.says[:, columns] == 1).any(axis=1) for columns in label], axis=1)
    able = np.isin(held.sets, KINDS_FROM) & (held.says >= 0).all(axis=1)
    one = np.flatnonzero(able & (of_kind.sum(axis=1) == 1))
    none = np.flatnonzero(able & ~(held.says == 1).any(axis=1))
    if not len(one) or not len(none):
        return None
    none = np.random.default_rng(seed).choice(none, min(len(none), max(1, len(one) // 5)), replace=False)
    rows = np.concatenate([one, none])
    true = np.where(of_kind[rows].any(axis=1), of_kind[rows].argmax(axis=1), len(KINDS))
    high = np.stack([held.scores[rows][:, held.columns(kind)].max(axis=1) for kind in KINDS], axis=1)
    said = np.where(high.max(axis=1) >= HALF, high.argmax(axis=1), len(KINDS))
    weight = 1 / np.bincount(true, minlength=len(KINDS) + 1)[true]
    f1 = [_weighted_f1(true == kind, said == kind, weight) for kind in range(len(KINDS) + 1)]
    return {"rows": len(rows), "macro_f1": round(float(np.mean(f1)), 4), "f1": [round(one, 4) for one in f1]}


def _weighted_f1(true: NDArray[np.bool_], said: NDArray[np.bool_], weight: Floats) -> float:
    whole = weight[true].sum() + weight[said].sum()
    return float(2 * weight[true & said].sum() / whole) if whole else 0.0


def _cloaked(
    held: Held, asked: Asked, rows: NDArray[np.int64], labels: Labels, score: Score, seed: int
) -> dict[str, Any]:
    """The same rows cloaked: accuracy lost to each cloak, what is still found, and all cloaks in turn."""
    texts = [held.texts[row] for row in rows]
    clean = _highest(held.scores[rows], held, asked) >= HALF
    found: dict[str, Any] = {"lost": {}, "kept": {}}
    for kind in dict.fromkeys((*CLOAKS, *ONE_WAY)):
        changed = [evade(text, kind, Random(f"{seed}:{kind}:{n}")) for n, text in enumerate(texts)]  # noqa: S311
        over = _highest(score(changed), held, asked) >= HALF
        if kind in CLOAKS:
            found["lost"][kind] = round(float((clean == labels).mean() - (over == labels).mean()), 4)
        right = clean & (labels == 1) & np.array([a != b for a, b in zip(changed, texts, strict=True)], dtype=bool)
        if kind in ONE_WAY and right.any():
            found["kept"][kind] = round(float(over[right].mean()), 4)
    turns = [
        evade(text, NATURAL[n % len(NATURAL)], Random(f"{seed}:natural:{n}"))  # noqa: S311
        for n, text in enumerate(texts)
    ]
    found["natural"] = dict(measure(_highest(score(turns), held, asked), labels).as_dict())
    return found
