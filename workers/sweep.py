"""The sweep: finishes whatever a killed process, a lost message or an absent server left undone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from casework import cases, claims, clocks, intake, reassessments
from casework.models import Batch, Heartbeat, Outbox
from casework.search import get_search
from casework.search.port import SearchUnavailable
from casework.skew import ahead
from config.celery import Queue
from config.settings import get_settings
from workers import tasks

SETTLED_SECONDS = 10
"""Age of a change after which its indexing task counts as lost."""


@dataclass(frozen=True)
class Swept:
    """What one sweep found.

    Attributes:
        batches: those that were sent again.
        indexed: cases that were behind.
        purged: cases whose text went.
        search_error: why indexing could not be done.
        reassessed_on: whether a new model was set going again on what is open.
    """

    batches: int
    indexed: int
    purged: int
    search_error: str = ""
    reassessed_on: bool = False


def run(unfinished_seconds: int | None = None, settled_seconds: int = SETTLED_SECONDS) -> Swept:
    """Send unfinished batches again, index what is behind, purge what is due, go on with a new model's cases.

    Args:
        unfinished_seconds: age of a sent batch after which its task counts as lost; default: the setting.
        settled_seconds: age of a change after which its indexing task counts as lost.
    """
    sent = _send_lost(get_settings().lost_seconds if unfinished_seconds is None else unfinished_seconds)
    purged = cases.purge_due()
    claims.drop_expired()
    clocks.start_missing()
    try:
        indexed, error = _catch_up(settled_seconds), ""
    except SearchUnavailable as unavailable:
        indexed, error = 0, str(unavailable)
    waiting = reassessments.due()
    going_on = waiting is not None and not tasks.waiting(Queue.LATER) and tasks.send(tasks.reassess, waiting.pk)
    _empty_write_ahead_log()
    return Swept(sent, indexed, purged, error, going_on)


def _empty_write_ahead_log() -> None:
    """Let nothing that was deleted linger in SQLite's log: pages that no reader needs are written back, and it ends."""
    if connection.vendor == "sqlite" and not connection.in_atomic_block:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _send_lost(unfinished_seconds: int) -> int:
    """Send the oldest unfinished batches again, as far as the broker holds no message for them.

    Old batches may merely stand in a long queue: sending these again at every sweep would make it grow for ever.
    """
    lost = intake.unfinished(unfinished_seconds)
    missing = len(lost) - tasks.waiting() if lost else 0
    again = lost[: max(0, missing)]
    urgent = intake.urgent_among(again)
    sent = [batch_id for batch_id in again if tasks.send_assess(batch_id, urgent=batch_id in urgent)]
    intake.mark_sent(sent)
    return len(sent)


def release_failed() -> int:
    """Let every batch that was given up go again; returns how many there were."""
    given_up = Batch.objects.filter(failed_at__isnull=False).order_by("id").values_list("id", flat=True)
    return sum(intake.release(batch_id) for batch_id in given_up)


def _catch_up(settled_seconds: int) -> int:
    """Index what has been behind for a while; what changed a moment ago has a task under way."""
    search, now = get_search(), timezone.now()
    if not search.is_index:
        return 0
    long_ago = Q(case__updated_at__lte=now - timedelta(seconds=settled_seconds))
    behind = Outbox.objects.filter(long_ago | Q(case__updated_at__gt=ahead(now))).order_by("pk")
    done = last = 0
    while ids := list(behind.filter(pk__gt=last).values_list("pk", flat=True)[: tasks.INDEX_CHUNK]):
        search.sync(ids)
        done, last = done + len(ids), ids[-1]
    return done


def run_if_due(every: timedelta) -> Swept | None:
    """Sweep unless some process of this installation did within `every`."""
    now = timezone.now()
    with transaction.atomic():
        turn, made = Heartbeat.objects.select_for_update().get_or_create(
            name="sweep", defaults={"kind": "sweep", "at": now}
        )
        if not made and turn.at + every > now and turn.at < ahead(now):
            return None
        Heartbeat.objects.filter(name="sweep").update(at=now)
    return run()
