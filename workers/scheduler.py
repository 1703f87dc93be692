"""The clock of `woodpecker beat`: Celery's, which goes on when this machine's was wrong and has been set right."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

from celery.beat import PersistentScheduler
from django.db import DatabaseError, close_old_connections
from django.utils import timezone

from casework import status
from casework.skew import ahead

BEAT_SECONDS = 5.0
"""Seconds between two heartbeats at least; the schedule itself looks every 20 s, when the next crawls may be due."""


class Scheduler(PersistentScheduler):
    """Celery's schedule in a file.

    Celery asks how long ago a task ran last. Of one that ran an hour ahead of now, by a clock that has been set back
    since, that would be no answer until the hour is over: no crawl would begin meanwhile, and `beat` would be silent.
    """

    _beaten = -BEAT_SECONDS

    def tick(self, *arguments: Any, **options: Any) -> float:
        """Run what is due; return after how many seconds to look again."""
        impossible = ahead(timezone.now())
        wrong = [entry for entry in self.schedule.values() if entry.last_run_at and entry.last_run_at > impossible]
        for entry in wrong:
            entry.last_run_at = entry.default_now()
        if wrong:
            self.populate_heap()
        again: float = super().tick(*arguments, **options)
        self._beat()
        return again

    def close(self) -> None:
        """Write the schedule down, and say that the clock has ended in order."""
        super().close()
        with suppress(DatabaseError):
            status.rest(status.CLOCK)

    def _beat(self) -> None:
        """Say that the clock runs; a database that is away stops no clock, and says itself that it is away."""
        if time.monotonic() - self._beaten < BEAT_SECONDS:
            return
        close_old_connections()
        with suppress(DatabaseError):
            status.beat(status.CLOCK)
        self._beaten = time.monotonic()
