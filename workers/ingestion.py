"""From rows that somebody supplies to the inbox, in batches, with every rejected row named."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any, BinaryIO

from django.db import DatabaseError

from casework import intake
from config.settings import get_settings
from crawlers.addresses import mask_capture
from crawlers.capture import Capture
from crawlers.importers import jsonl
from crawlers.redaction import redact_capture
from workers import receiving

LISTED = 100
"""Problems that the summary for a machine lists; the rest are counted."""


@dataclass
class Outcome:
    """What became of the rows: accepted, seen before, rejected; `problems` holds the first `LISTED`."""

    accepted: int = 0
    duplicate: int = 0
    rejected: int = 0
    problems: list[dict[str, Any]] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Return the outcome for a machine."""
        return asdict(self)


class Interrupted(Exception):
    """The inbox could not be written; what was accepted before is safe, and the file may be ingested again."""

    def __init__(self, reason: str, line: int, outcome: Outcome) -> None:
        super().__init__(
            f"the inbox could not be written at line {line}: {reason}. {outcome.accepted} captures are safe; "
            "run the same command again, nothing is taken twice."
        )
        self.outcome = outcome


def run(
    stream: BinaryIO,
    *,
    chunk: int,
    advance: Callable[[int, int], None] = lambda at, rows: None,
    tell: Callable[[jsonl.Problem], None] = lambda problem: None,
) -> Outcome:
    """Read captures as JSON Lines to the end and put them into the inbox, as `run_rows` does."""
    return run_rows(
        jsonl.read(stream),
        chunk=chunk,
        advance=lambda rows: advance(stream.tell() if stream.seekable() else 0, rows),
        tell=tell,
    )


def run_rows(
    rows: Iterable[tuple[int, jsonl.Row]],
    *,
    chunk: int,
    advance: Callable[[int], None] = lambda rows: None,
    tell: Callable[[jsonl.Problem], None] = lambda problem: None,
    along: Callable[[Capture], None] = lambda capture: None,
) -> Outcome:
    """Put captures into the inbox, redacted; rejected rows are told and counted.

    Args:
        rows: number of the line or record, and the capture or what is wrong with it.
        chunk: captures that go into the inbox together.
        advance: takes the number of rows read so far.
        tell: takes each problem.
        along: called with each capture before it goes into the inbox, to bring what it names.

    Raises:
        Interrupted: the database failed half-way (full disk, server gone).
    """
    outcome, waiting, at, line = Outcome(), list[Capture](), 0, 0
    key = get_settings().effective_redaction_key()

    def reject(problems: Iterable[jsonl.Problem]) -> None:
        outcome.rejected += 1
        for problem in problems:
            tell(problem)
            if len(outcome.problems) < LISTED:
                outcome.problems.append(asdict(problem))

    for line, row in rows:
        at += 1
        problems = row if isinstance(row, list) else _against_policy(line, row)
        if problems:
            reject(problems)
            continue
        assert isinstance(row, Capture)
        along(row)
        waiting.append(redact_capture(mask_capture(row, key=key), key=key))
        if len(waiting) >= chunk:
            _flush(waiting, line, outcome)
            advance(at)
    _flush(waiting, line, outcome)
    with _written(line, outcome):
        intake.reject(outcome.rejected)
    return outcome


def _against_policy(line: int, capture: Capture) -> list[jsonl.Problem]:
    return [
        jsonl.Problem(line, problem.field, problem.found, problem.allowed)
        for problem in intake.check_against_policy(capture)
    ]


def _flush(waiting: list[Capture], line: int, outcome: Outcome) -> None:
    size = get_settings().batch_size
    while waiting:
        with _written(line, outcome):
            receipt = receiving.receive(waiting[:size])
        outcome.accepted += receipt.accepted
        outcome.duplicate += receipt.duplicate
        del waiting[:size]


@contextmanager
def _written(line: int, outcome: Outcome) -> Iterator[None]:
    try:
        yield
    except (DatabaseError, OSError) as error:
        raise Interrupted(str(error).splitlines()[0], line, outcome) from error
