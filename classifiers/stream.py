"""JSON Lines in, JSON Lines out: order is kept, a bad line is answered in its place and the stream goes on.

Batches of lines are assessed by two processes where the input is long enough to pay for the second one.
"""

from __future__ import annotations

import itertools
import json
import multiprocessing
import os
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

from classifiers.assessment import Assessment, Assessor
from classifiers.errors import InputError
from classifiers.lines import Bad, Line, Wanted, parse, read_lines

BATCH, BYTES = 512, 1 << 20  # lines of a batch, or what they have together: a long line is worth hundreds
ALONE = 1  # batches assessed before other processes are started, which takes less than half a batch
AHEAD = 3  # batches handed out per process before the oldest answer is waited for
ERRORS_KEPT = 20

Raw = list[tuple[int, bytes | None]]


@dataclass(slots=True)
class StreamReport:
    """What a run did; `errors` are the first twenty of `rejected`, as (line, reason)."""

    lines: int = 0
    assessed: int = 0
    rejected: int = 0
    flagged: Counter[str] = field(default_factory=Counter)
    errors: list[tuple[int, str]] = field(default_factory=list)
    seconds: float = 0.0
    model: str = ""

    def add(self, answer: _Answer) -> None:
        """Count a batch's answer."""
        self.lines += answer.lines
        self.rejected += len(answer.errors)
        self.assessed += answer.lines - len(answer.errors)
        self.flagged.update(answer.flagged)
        self.errors += answer.errors[: ERRORS_KEPT - len(self.errors)]


@dataclass(frozen=True, slots=True)
class _Answer:
    text: bytes
    lines: int
    errors: list[tuple[int, str]]
    flagged: Counter[str]


def classify_lines(
    source: BinaryIO,
    target: BinaryIO,
    assessor: Assessor,
    thresholds: Mapping[str, float],
    *,
    processes: int = 1,
    tick: Callable[[int], None] = lambda _lines: None,
) -> StreamReport:
    """Assess every line of `source` and write an answer for each to `target`, in order.

    `tick` is told how many lines were answered. With more than one process the second starts once the input proves
    long; what comes out is the same.
    """
    began = time.monotonic()
    report = StreamReport(model=assessor.version)
    for answer in _answers(source, assessor, thresholds, processes):
        target.write(answer.text)
        target.flush()
        report.add(answer)
        tick(answer.lines)
    report.seconds = time.monotonic() - began
    return report


def _answers(
    source: BinaryIO, assessor: Assessor, thresholds: Mapping[str, float], processes: int
) -> Iterator[_Answer]:
    batches = _batches(source)
    for count, batch in enumerate(batches):
        if processes > 1 and count >= ALONE and _full(batch):
            yield from _in_processes(itertools.chain([batch], batches), assessor, thresholds, processes)
        else:
            yield answer_batch(batch, assessor, thresholds)


def _batches(source: BinaryIO) -> Iterator[Raw]:
    batch: Raw = []
    size = 0
    for number, line in read_lines(source):
        if number:
            batch.append((number, line))
            size += len(line or b"")
        if len(batch) >= BATCH or size >= BYTES or (not number and batch):
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _full(batch: Raw) -> bool:
    """Tell whether a batch is as large as they get; a smaller one means that the input has paused or ended."""
    return len(batch) >= BATCH or sum(len(line or b"") for _, line in batch) >= BYTES


_shared: tuple[Assessor, Mapping[str, float]] | None = None


def _share(assessor: Assessor, thresholds: Mapping[str, float]) -> None:
    global _shared  # noqa: PLW0603 - a forked process inherits the loaded model instead of loading its own
    _shared = (assessor, thresholds)


def _answer_shared(batch: Raw) -> _Answer:
    if _shared is None:
        raise RuntimeError("a process was asked before it was given an assessor")
    return answer_batch(batch, *_shared)


def _in_processes(
    batches: Iterator[Raw], assessor: Assessor, thresholds: Mapping[str, float], processes: int
) -> Iterator[_Answer]:
    context = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(processes, context, initializer=_share, initargs=(assessor, thresholds)) as pool:
        waiting: deque[Future[_Answer]] = deque()
        for batch in batches:
            waiting.append(pool.submit(_answer_shared, batch))
            # Where the input has paused, all of it is answered before reading on.
            while waiting and (len(waiting) > AHEAD * processes or waiting[0].done() or not _full(batch)):
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def answer_batch(batch: Raw, assessor: Assessor, thresholds: Mapping[str, float]) -> _Answer:
    """Answer a batch of raw lines."""
    lines: list[Line] = [parse(number, line) for number, line in batch]
    wanted = [line for line in lines if isinstance(line, Wanted)]
    assessments = iter(assessor.assess([line.text for line in wanted]))
    flagged: Counter[str] = Counter()
    out: list[str] = []
    for line in lines:
        if isinstance(line, Bad):
            out.append(_json({"id": None, "line": line.number, "error": line.error}))
            continue
        assessment = next(assessments)
        over = assessment.flagged(thresholds)
        if over:
            flagged.update(over)
        out.append(written(line.id, assessment, over))
    errors = [(line.number, line.error) for line in lines if isinstance(line, Bad)]
    return _Answer("".join(f"{line}\n" for line in out).encode("utf-8"), len(lines), errors, flagged)


def written(key: str | int, assessment: Assessment, flagged: list[str]) -> str:
    """An assessment as a line of JSON in the shape of the contract.

    Put together from its parts: of scores there are ten thousand, and most texts have neither spans nor evasions.
    """
    scores = _form(tuple(assessment.scores)) % tuple(map(_number, assessment.scores.values()))
    spans = [{"start": s.start, "end": s.end, "slug": s.slug, "reason": s.reason} for s in assessment.spans]
    undone = [
        {"start": u.start, "end": u.end, "seen": u.seen, "read_as": u.read_as, "kind": u.kind}
        for u in assessment.undone
    ]
    return (
        f'{{"id": {_json(key)}, "scores": {scores}, "flagged": {_listed(flagged)}, "spans": {_listed(spans)}, '
        f'"undone": {_listed(undone)}, "model": {_json(assessment.model)}}}'
    )


_json = json.JSONEncoder(ensure_ascii=False).encode
_number = lru_cache(maxsize=1 << 14)(float.__repr__)


def _listed(values: Sequence[object]) -> str:
    return _json(values) if values else "[]"


@lru_cache(maxsize=8)
def _form(slugs: tuple[str, ...]) -> str:
    """An object with a number for each category, to be filled in."""
    return "{" + ", ".join(f"{_json(slug).replace('%', '%%')}: %s" for slug in slugs) + "}"


def open_source(name: str, standard: BinaryIO) -> BinaryIO:
    """Open an input: a file's name, or "-" for standard input.

    Raises:
        InputError: there is no such file, it is a folder, or it may not be read.
    """
    if name == "-":
        return standard
    path = Path(name)
    if path.is_dir():
        raise InputError(name, "a folder", "a JSON Lines file, or - for standard input")
    try:
        return path.open("rb")
    except OSError as error:
        raise InputError(name, error.strerror or str(error), "a JSON Lines file that can be read, or -") from error


def open_target(name: str, source: str, standard: BinaryIO) -> BinaryIO:
    """Open an output: a file's name, or "-" for standard output.

    Raises:
        InputError: it is a folder, cannot be written, or is the input itself.
    """
    if name == "-":
        return standard
    path = Path(name)
    if path.is_dir():
        raise InputError(name, "a folder", "a file to write, or - for standard output")
    if source != "-" and path.exists() and path.samefile(source):
        raise InputError(name, "the input itself", "another file, or - for standard output")
    try:
        return path.open("wb")
    except OSError as error:
        raise InputError(name, error.strerror or str(error), "a file in a folder that can be written") from error


def usable_processes(most: int = 2) -> int:
    """How many processes pay: one per core we may use, at most `most`; one where processes cannot be forked."""
    if "fork" not in multiprocessing.get_all_start_methods():
        return 1
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(most, cores))
