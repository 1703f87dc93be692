"""Celery tasks. Each carries ids, calls one verb of a room, and may be repeated or killed at any instant."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import structlog
from celery import Task
from django.dispatch import receiver
from kombu.exceptions import ChannelError, OperationalError

from casework import anchors, intake, retention, signals
from casework.search import get_search
from casework.search.port import SearchUnavailable
from classifiers.assessment import Assessor
from classifiers.errors import RuleError
from config.celery import Queue
from config.settings import get_settings
from workers import assessing, crawling, own_rules, reassessing
from workers.app import app

log = structlog.get_logger(__name__)

_TRANSPORT_ERRORS = (OperationalError, OSError)

INDEX_CHUNK = 1000
"""Case ids that one indexing task carries."""


@functools.cache
def assessor() -> Assessor:
    """Return the model of this process, loaded once."""
    from classifiers.cascade import load

    model = own_rules.load_with(lambda folder: load(get_settings().model_dir, folder))
    own_rules.note()
    return model


@app.task(name="workers.tasks.assess")
def assess(batch_id: int) -> None:
    """Assess one inbox batch and write what follows from it in one transaction; done twice, it changes nothing."""
    try:
        model = assessor()
    except RuleError as error:  # told by the worker's parent too; the sweep sends the batch again
        log.error("rules_wrong", problem=str(error), batch=batch_id)
        return
    assessing.run(batch_id, model)


@app.task(name="workers.tasks.index")
def index(case_ids: Sequence[int]) -> None:
    """Bring these cases into the search index; what fails stays `behind` and the sweep catches it up."""
    try:
        get_search().sync(case_ids)
    except SearchUnavailable as error:
        log.warning("index_unavailable", cases=len(case_ids), reason=str(error))


@app.task(name="workers.tasks.crawl", acks_late=False)
def crawl(*sites: str) -> None:
    """Crawl sites side by side in a process of their own, under their policies; captures go into the inbox."""
    crawling.run(*sites)


@app.task(name="workers.tasks.crawl_due")
def crawl_due() -> None:
    """Ask for a crawl of every site whose schedule says so."""
    if sites := crawling.due():
        send(crawl, *sites)


@app.task(name="workers.tasks.retain")
def retain() -> None:
    """Purge what is past its date (`casework.retention`)."""
    retention.purge()


@app.task(name="workers.tasks.anchor")
def anchor() -> None:
    """Write down, outside the database, how far the audit log has come."""
    try:
        written = anchors.write()
    except OSError as error:
        log.error("anchor_failed", error=type(error).__name__, reason=error.strerror)
        return
    log.info("anchored", entry=written.anchor.audit_sequence if written else 0)


@app.task(name="workers.tasks.begin_reassessment")
def begin_reassessment() -> None:
    """Let this worker's model assess again what another one assessed, where the settings say so."""
    run_id = reassessing.begin(assessor().version)
    if run_id is not None:
        send(reassess, run_id)


@app.task(name="workers.tasks.reassess")
def reassess(run_id: int) -> None:
    """Assess a few open cases again; the next few are a task of their own, so that whatever is urgent goes between."""
    if reassessing.step(run_id, assessor()):
        send(reassess, run_id)


@receiver(signals.batch_received)
def send_batch(sender: Any, batch_id: int, urgent: bool = False, **_: Any) -> None:
    """Tell the workers of a batch once it is committed."""
    if send_assess(batch_id, urgent=urgent):
        intake.mark_sent([batch_id])


@receiver(signals.cases_changed)
def send_cases(sender: Any, case_ids: Sequence[int], **_: Any) -> None:
    """Tell the workers of changed cases once they are committed."""
    for start in range(0, len(case_ids), INDEX_CHUNK):
        send(index, list(case_ids[start : start + INDEX_CHUNK]))


def send_assess(batch_id: int, *, urgent: bool) -> bool:
    """Send a batch to be assessed; an urgent one overtakes the others. Returns whether it was sent."""
    return send(assess, batch_id, queue=Queue.URGENT if urgent else Queue.ASSESS)


def send(task: Task[Any, Any], *arguments: Any, queue: str | None = None) -> bool:
    """Send a task; a broker that is away is logged and left to the sweep. Returns whether it was sent.

    Args:
        task: what to do.
        arguments: ids.
        queue: where to; default: where tasks of its kind go.
    """
    options: dict[str, Any] = {"queue": str(queue)} if queue else {}
    try:
        task.apply_async(arguments, **options)
    except _TRANSPORT_ERRORS as error:
        log.warning("broker_unavailable", task=task.name, error=type(error).__name__)
        return False
    return True


def waiting(*queues: Queue) -> int:
    """Return how many messages wait in these queues (default: those of assessing); 0 when the broker cannot tell."""
    try:
        with app.connection_for_read() as connection:
            return sum(_waiting_in(connection, queue) for queue in queues or (Queue.URGENT, Queue.ASSESS))
    except _TRANSPORT_ERRORS:
        return 0


def _waiting_in(connection: Any, queue: Queue) -> int:
    try:
        with connection.channel() as channel:
            return int(channel.queue_declare(queue=str(queue), passive=True).message_count)
    except ChannelError:  # nothing was ever sent there
        return 0
