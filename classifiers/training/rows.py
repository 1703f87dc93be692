"""Labelled rows as arrays: texts, what each says of each category, and whether it is held back."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.errors import DataError
from classifiers.training.copies import near_copies
from classifiers.training.grown import grow
from classifiers.training.sets import SETS_FILE, Evidence, HoldBack, LabelledSet
from classifiers.training.typed import digest_of, load_typed
from classifiers.training.written import read_written

UNKNOWN = -1
Typer = Callable[[Sequence[str]], list[dict[str, float]]]
"""Word rules as a labeller: texts in, per text the probability of each category a rule spoke for."""


@dataclass(slots=True)
class Rows:
    """Rows of several sets.

    `says[i, k]` is 1, 0 or `UNKNOWN` for category `slugs[k]`; `held[i]` rows are never trained on; `group[i]` is
    the near-copy group; `origin[i]` indexes `sets`.
    """

    texts: list[str]
    slugs: tuple[str, ...]
    says: NDArray[np.int8]
    held: NDArray[np.bool_]
    group: NDArray[np.int64]
    origin: NDArray[np.int32]
    sets: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.texts)


def load_rows(
    data: Path,
    sets: Sequence[LabelledSet],
    slugs: tuple[str, ...],
    typer: Typer,
    *,
    seed: int,
    most: dict[str, int] | None = None,
    tick: Callable[[str], None] = lambda _name: None,
) -> tuple[Rows, dict[str, str]]:
    """Read sets from a folder; returns the rows without near-copies and the SHA-256 of each file.

    A near-copy group keeps one row for training; a group that reaches into what is held back is not trained on.

    Raises:
        DataError: a file is missing or a line is not what it should be.
    """
    texts: list[str] = []
    says, held, origin = [], [], []
    digests: dict[str, str] = {}
    for number, labelled in enumerate(sets):
        paths = files_of(labelled, data)
        rows = [row for path in paths for row in _read(path, labelled, seed)]
        digests[labelled.file] = hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()
        mine = [text_of(row, labelled) for row in rows]
        apart = held_back(rows, mine, labelled.hold_back, seed)
        said = _says(rows, mine, apart, labelled, slugs, typer)
        keep = _sample(said, (most or {}).get(labelled.name), seed)
        texts += [mine[i] for i in keep]
        says.append(said[keep])
        held.append(apart[keep])
        origin.append(np.full(len(keep), number, dtype=np.int32))
        tick(labelled.name)
    group = near_copies(texts, seed=seed)
    result = Rows(
        texts=texts,
        slugs=slugs,
        says=np.concatenate(says),
        held=np.concatenate(held),
        group=group,
        origin=np.concatenate(origin),
        sets=tuple(labelled.name for labelled in sets),
    )
    return _without_copies(result), digests


def files_of(labelled: LabelledSet, data: Path) -> list[Path]:
    """The files of a set: one in the data folder, or those that ship with this package.

    Raises:
        DataError: nothing matches the pattern of a set of ours.
    """
    if not labelled.ours:
        return [data / labelled.file]
    found = sorted(SETS_FILE.parent.glob(labelled.file))
    if not found:
        raise DataError(SETS_FILE.parent / labelled.file, "-", "no such file", "files of texts written by us")
    return found


def _read(path: Path, labelled: LabelledSet, seed: int) -> Iterator[dict[str, Any]]:
    if labelled.grown:
        return grow(path, each=labelled.grown, seed=seed)
    return read_written(path) if labelled.ours else read_jsonl(path)


def read_jsonl(path: Path) -> Iterator[dict[str, Any]]:
    """Read JSON objects with a `text`, one a line, from a plain or gzipped file.

    Raises:
        DataError: the file is missing, or a line is no such object.
    """
    if not path.is_file():
        raise DataError(path, "-", "no such file", "a JSON Lines file, plain or .gz")
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                row = json.loads(line)
            except ValueError as error:
                raise DataError(path, f"line {number}", f"no JSON ({error})", "one JSON object a line") from error
            if not isinstance(row, dict) or not isinstance(row.get("text"), str):
                raise DataError(path, f"line {number}", "no text", 'an object with a "text" string')
            yield row


def text_of(row: dict[str, Any], labelled: LabelledSet) -> str:
    """A row's text, without the blanks of a set that was cut into words."""
    text: str = row["text"]
    return text.replace(" ", "") if labelled.strip_spaces else text


def _says(
    rows: list[dict[str, Any]],
    texts: list[str],
    held: NDArray[np.bool_],
    labelled: LabelledSet,
    slugs: tuple[str, ...],
    typer: Typer,
) -> NDArray[np.int8]:
    column = {slug: k for k, slug in enumerate(slugs)}
    said = np.full((len(rows), len(slugs)), UNKNOWN, dtype=np.int8)
    for slug in labelled.against:
        if slug in column:
            said[:, column[slug]] = 0
    for evidence in labelled.evidence:
        chosen = [i for i, row in enumerate(rows) if evidence.covers(row)]
        for slug, value in evidence.says.items():
            if slug in column:
                said[chosen, column[slug]] = value
        if evidence.unless_rules:
            _doubt(said, chosen, [texts[i] for i in chosen], evidence, column, typer)
        if evidence.typed_by_rules:
            weak = [i for i in chosen if not held[i]]
            _type_by_rules(said, weak, [texts[i] for i in weak], evidence, column, typer)
        if evidence.typed_by_reading:
            typed = load_typed()
            _name(said, [(i, typed.get(digest_of(rows[i]["text"]))) for i in chosen], column)
    if labelled.ours:
        _name(said, [(i, row["slugs"]) for i, row in enumerate(rows)], column)
    return said


def _name(said: NDArray[np.int8], named: Iterable[tuple[int, frozenset[str] | None]], column: dict[str, int]) -> None:
    """Rows that were read whole: 1 for what was named, 0 for everything else."""
    for i, slugs in named:
        if slugs is not None:
            said[i] = 0
            said[i, [column[slug] for slug in slugs if slug in column]] = 1


def _doubt(
    said: NDArray[np.int8],
    chosen: list[int],
    texts: list[str],
    evidence: Evidence,
    column: dict[str, int],
    typer: Typer,
) -> None:
    for i, spoken in zip(chosen, typer(texts), strict=True):
        for slug in evidence.unless_rules:
            if slug in column and slug in spoken:
                said[i, column[slug]] = UNKNOWN


def _type_by_rules(
    said: NDArray[np.int8],
    chosen: list[int],
    texts: list[str],
    evidence: Evidence,
    column: dict[str, int],
    typer: Typer,
) -> None:
    for i, spoken in zip(chosen, typer(texts), strict=True):
        for slug in evidence.typed_by_rules:
            if slug in column and spoken.get(slug, 0.0) >= 0.5:
                said[i, column[slug]] = 1


def _sample(said: NDArray[np.int8], most: int | None, seed: int) -> NDArray[np.int64]:
    """Rows that say anything, at most `most` of them."""
    useful = np.flatnonzero((said != UNKNOWN).any(axis=1))
    if most is None or len(useful) <= most:
        return useful
    return np.sort(np.random.default_rng(seed).choice(useful, size=most, replace=False))


def held_back(rows: list[dict[str, Any]], texts: list[str], rule: HoldBack | None, seed: int) -> NDArray[np.bool_]:
    """Which rows of a set its own rule holds back: none where there is no rule."""
    if rule is None:
        return np.zeros(len(rows), dtype=bool)
    if rule.by == "values":
        return np.array([row.get(rule.field or "") in rule.values for row in rows], dtype=bool)
    if rule.by == "tail":
        return np.arange(len(rows)) >= len(rows) * (1 - rule.share)
    if rule.by == "groups":
        return np.array([lot(str(row.get(rule.field or "")), seed) < rule.share for row in rows], dtype=bool)
    groups = near_copies(texts, seed=seed)
    first = {int(group): texts[i] for i, group in reversed(list(enumerate(groups)))}
    return np.array([lot(first[int(group)], seed) < rule.share for group in groups], dtype=bool)


def lot(key: str, seed: int) -> float:
    """A number in [0, 1) that depends on key and seed alone."""
    digest = hashlib.sha256(f"{seed}:{key}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def _without_copies(rows: Rows) -> Rows:
    """One row per near-copy group and side; nothing for training from a group that is partly held back."""
    touched = np.zeros(int(rows.group.max(initial=-1)) + 1, dtype=bool)
    touched[rows.group[rows.held]] = True
    first = np.zeros(len(rows), dtype=bool)
    # Kept apart by what they say: the same words under two sets' labels may be evidence for different categories.
    signature = np.concatenate([rows.group[:, None], rows.held[:, None], rows.says.astype(np.int64)], axis=1)
    first[np.unique(signature, axis=0, return_index=True)[1]] = True
    keep = np.flatnonzero(first & (rows.held | ~touched[rows.group]))
    return Rows(
        texts=[rows.texts[i] for i in keep],
        slugs=rows.slugs,
        says=rows.says[keep],
        held=rows.held[keep],
        group=rows.group[keep],
        origin=rows.origin[keep],
        sets=rows.sets,
    )
