"""A few open cases are assessed again by a new model; a text that cannot be is found and set aside."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from casework import reassessments
from casework.models import Case, Reassessment
from classifiers.assessment import Assessment, Assessor
from config.settings import get_settings
from workers import marking

log = structlog.get_logger(__name__)

BATCH = 100
"""Cases of one task: under a second, so that nothing waits for it."""


def begin(model: str) -> int | None:
    """Put a worker's model in the place of the one before, where the settings say so; returns what to go on with."""
    if not get_settings().reassess:
        reassessments.end(model)
        return None
    return int(reassessments.begin(model, "worker").pk)


def step(run_id: int, assessor: Assessor) -> bool:
    """Assess the next cases again; returns whether to go on at once.

    A worker with another model leaves it alone: while machines are brought up to date there are both.

    Raises:
        django.db.DatabaseError: the database is away; the sweep goes on later.
    """
    run = reassessments.in_force()
    if run is None or run.pk != run_id:
        return False
    if run.model_version != assessor.version:
        log.warning("other_model", wanted=run.model_version, here=assessor.version)
        return False
    turn = reassessments.take_turn(run_id)
    if turn is None:
        return False
    cases = reassessments.next_cases(turn, BATCH)
    assessed = _assess(turn, cases, assessor)
    if assessed:
        reassessments.write(turn, assessed)
    reassessments.end_turn(run_id)
    return bool(cases)


def _assess(run: Reassessment, cases: Sequence[Case], assessor: Assessor) -> list[tuple[Case, Assessment]]:
    """Assess together, and one by one where that fails: one bad text holds up nobody."""
    try:
        texts = [case.text for case in cases]
        assessments = assessor.assess(texts)
        categories = [reassessments.categories(*pair) for pair in zip(cases, assessments, strict=True)]
        return list(zip(cases, marking.marked(assessor, texts, assessments, categories), strict=True))
    except Exception as error:
        if len(cases) > 1:
            return [pair for case in cases for pair in _assess(run, [case], assessor)]
        # Only the kind of error is told: its message may quote the text.
        log.error("case_not_assessed", case=cases[0].pk, model=run.model_version, error=type(error).__name__)
        reassessments.set_aside(run, cases[0].pk)
        return []
