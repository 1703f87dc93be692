"""One batch from the inbox to its cases, and what is done when it cannot be: the one bad capture is found."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

import structlog
from django.db import DatabaseError, InterfaceError, OperationalError

from casework import dead_letters, hits, intake, policies
from casework.models import Stage
from classifiers.assessment import Assessment, Assessor
from crawlers.capture import Capture
from workers import marking, receiving

log = structlog.get_logger(__name__)

_AWAY = (OperationalError, InterfaceError)
"""The database is away, full or locked: no text is to blame, and the sweep sends the batch again."""


def run(batch_id: int, assessor: Assessor) -> None:
    """Assess a batch and write its cases; one that fails is halved, a capture that fails alone becomes a dead letter.

    Raises:
        django.db.DatabaseError: the database is away; the batch stays as it is.
    """
    stage = Stage.READ
    captures: list[Capture] = []
    assessments: list[Assessment] = []
    try:
        captures = intake.load_batch(batch_id)
        if not captures:
            return
        stage = Stage.ASSESS
        assessments = _assess(captures, assessor)
        stage = Stage.WRITE
        intake.complete(batch_id, list(zip(captures, assessments, strict=True)))
    except _AWAY:
        with suppress(DatabaseError):
            intake.give_back(batch_id)
        raise
    except Exception as error:
        restricted = len(captures) == 1 and _restricted(captures[0], assessments)
        failed = [capture.id for capture in captures]
        done = dead_letters.isolate(batch_id, stage, error, failed=failed, restricted=restricted)
        # Only the kind of error and its place are told: its message may quote the text.
        tell = log.error if done in {"buried", "full"} else log.warning
        tell("batch_failed", batch=batch_id, done=done, stage=stage.value, error=dead_letters.named(error))


def _assess(captures: Sequence[Capture], assessor: Assessor) -> list[Assessment]:
    """Assess captures; what becomes a case has marks of each of its categories, audit samples too."""
    texts = [capture.text for capture in captures]
    assessments = assessor.assess(texts)
    places = {place: policies.placement(*place) for place in {(one.site, one.section) for one in captures}}
    categories = [
        hits.chosen(one.id, assessment, places[one.site, one.section].thresholds)[0]
        for one, assessment in zip(captures, assessments, strict=True)
    ]
    return marking.marked(assessor, texts, assessments, categories)


def _restricted(capture: Capture, assessments: Sequence[Assessment]) -> bool:
    """Whether nothing of the text may be held, by its assessment or, where there is none, by a glance at the rules.

    Where even this cannot be told it is not held either.
    """
    try:
        if not assessments:
            return hits.RESTRICTED in receiving.glance().slugs([capture.text])[0]
        placement = policies.placement(capture.site, capture.section)
        return hits.RESTRICTED in assessments[0].flagged(placement.thresholds)
    except Exception:
        return True
