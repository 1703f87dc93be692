"""An operator's own labelled texts: how a model does on them, by category and slice, with its worst errors.

Input, JSON Lines: `{"text": "…", "labels": ["gambling"]}`; `labels` names all categories that the text has, an empty
list says that it is harmless. `slice`, a short string, is optional and groups the rows (a platform, a month).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from classifiers.cascade import Cascade
from classifiers.errors import DataError
from classifiers.evaluation.metrics import macro_f1, measure, precision_recall_f1, reliability
from classifiers.lines import LONGEST_TEXT
from config.taxonomy import SLUGS

MOST_ROWS = 1_000_000
WORST = 20
LENGTHS = ((0, 12), (12, 30), (30, 80), (80, 200), (200, LONGEST_TEXT + 1))


class LabelledText(BaseModel):
    """One line of the input."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    text: Annotated[str, Field(max_length=LONGEST_TEXT)]
    labels: tuple[str, ...]
    slice: Annotated[str, Field(max_length=100)] = ""


@dataclass(frozen=True, slots=True)
class Judged:
    """A model's scores for some rows; columns as `SLUGS`."""

    version: str
    scores: NDArray[np.float64]


def read_labelled(path: Path) -> list[LabelledText]:
    """Read labelled texts.

    Raises:
        DataError: the file is missing or empty, or a line is not of the form above; names the line.
    """
    rows = list(_rows(path))
    if not rows:
        raise DataError(path, "-", "no line", 'lines of {"text": …, "labels": […]}')
    return rows


def _rows(path: Path) -> Iterator[LabelledText]:
    try:
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if number > MOST_ROWS:
                    raise DataError(path, f"line {number}", "more lines", f"at most {MOST_ROWS:,}")
                yield _row(path, number, line)
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(path, "-", str(error), "a JSON Lines file in UTF-8") from error


def _row(path: Path, number: int, line: str) -> LabelledText:
    try:
        row = LabelledText.model_validate_json(line)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"])) or "line"
        raise DataError(path, f"line {number}, {field}", first["msg"], '{"text": …, "labels": […]}') from error
    for slug in row.labels:
        if slug not in SLUGS:
            raise DataError(path, f"line {number}, labels", repr(slug), ", ".join(SLUGS))
    return row


def judge(cascade: Cascade, rows: Sequence[LabelledText]) -> Judged:
    """Score rows with a model."""
    return Judged(cascade.version, cascade.scores([row.text for row in rows]))


def report(
    rows: Sequence[LabelledText], judged: Judged, thresholds: Mapping[str, float], against: Judged | None = None
) -> dict[str, Any]:
    """Figures of a model on rows: per category, per slice and length, confusions, worst errors; and of another model
    on the same rows beside it, where one is given."""
    truth = np.array([[slug in row.labels for slug in SLUGS] for row in rows], dtype=np.int8)
    limits = np.array([thresholds[slug] for slug in SLUGS])
    found: dict[str, Any] = {
        "model": judged.version,
        "rows": len(rows),
        "harmful_rows": int(truth.any(axis=1).sum()),
        "categories": _categories(judged.scores, truth, thresholds),
        "slices": _slices(rows, judged.scores >= limits, truth),
        "confusions": _confusions(judged.scores >= limits, truth),
        "worst": _worst(rows, judged.scores, truth, limits),
        "against": None,
    }
    if against is not None:
        found["against"] = {
            "model": against.version,
            "categories": _categories(against.scores, truth, thresholds),
            "differing": _differing(judged.scores >= limits, against.scores >= limits, truth),
        }
    return found


def _categories(
    scores: NDArray[np.float64], truth: NDArray[np.int8], thresholds: Mapping[str, float]
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for k, slug in enumerate(SLUGS):
        if truth[:, k].any() or (scores[:, k] >= thresholds[slug]).any():
            figures = dict(measure(scores[:, k], truth[:, k], threshold=thresholds[slug]).as_dict())
            found[slug] = figures | {"reliability": reliability(scores[:, k], truth[:, k], 10)}
    return found


def _slices(rows: Sequence[LabelledText], said: NDArray[np.bool_], truth: NDArray[np.int8]) -> list[dict[str, Any]]:
    """Any category against none, per named slice and per length of text."""
    lengths = np.array([len(row.text) for row in rows])
    named = {name: np.array([row.slice == name for row in rows]) for name in sorted({row.slice for row in rows} - {""})}
    by_length = {f"{low}–{high - 1} characters": (lengths >= low) & (lengths < high) for low, high in LENGTHS}
    harmful: NDArray[np.int8] = truth.max(axis=1)
    flagged: NDArray[np.bool_] = np.asarray(said.any(axis=1))
    found = []
    for name, mine in (named | by_length).items():
        if mine.any():
            precision, recall, f1 = precision_recall_f1(flagged[mine], harmful[mine])
            figures = {
                "precision": precision,
                "recall": recall,
                "f1": f1,
                "macro_f1": macro_f1(flagged[mine], harmful[mine]),
            }
            found.append(
                {"slice": name, "rows": int(mine.sum()), **{key: round(value, 4) for key, value in figures.items()}}
            )
    return found


def _confusions(said: NDArray[np.bool_], truth: NDArray[np.int8]) -> list[dict[str, Any]]:
    """What was said where something else was meant, most frequent first; "none" stands for nothing."""
    counted: Counter[tuple[str, str]] = Counter()
    for k in range(len(truth)):
        row, labels = said[k], truth[k]
        meant, found = {SLUGS[i] for i in np.flatnonzero(labels)}, {SLUGS[i] for i in np.flatnonzero(row)}
        counted.update(
            (a, b)
            for a in (meant - found or ({"none"} if not meant else set()))
            for b in (found - meant or {"none"})
            if a != b
        )
    return [{"meant": a, "said": b, "rows": count} for (a, b), count in counted.most_common(30)]


def _worst(
    rows: Sequence[LabelledText], scores: NDArray[np.float64], truth: NDArray[np.int8], limits: NDArray[np.float64]
) -> list[dict[str, Any]]:
    """Errors with the largest distance between score and truth."""
    wrong = (scores >= limits) != (truth == 1)
    distance = np.where(wrong, np.abs(scores - truth), 0.0)
    order = np.argsort(-distance, axis=None, kind="stable")[:WORST]
    found = []
    for row, column in zip(*np.unravel_index(order, distance.shape), strict=True):
        if distance[row, column] > 0:
            meant = bool(truth[row, column])
            score = round(float(scores[row, column]), 4)
            found.append({"text": rows[row].text, "category": SLUGS[column], "meant": meant, "score": score})
    return found


def _differing(ours: NDArray[np.bool_], theirs: NDArray[np.bool_], truth: NDArray[np.int8]) -> dict[str, int]:
    """Rows that one model decides wholly right and the other does not (the cells of McNemar's test)."""
    right, other = (ours == (truth == 1)).all(axis=1), (theirs == (truth == 1)).all(axis=1)
    return {"only_this_right": int((right & ~other).sum()), "only_other_right": int((other & ~right).sum())}


def as_json(found: Mapping[str, Any]) -> str:
    """The report for machines."""
    return json.dumps(found, ensure_ascii=False, indent=2) + "\n"
