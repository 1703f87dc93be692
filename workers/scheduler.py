"""The clock of `woodpecker beat`: Celery's, which goes on when this machine's was wrong and has been set right."""

from __future__ import annotations

from typing import Any

from celery.beat import PersistentScheduler
from django.utils import timezone

from casework.skew import ahead


class Scheduler(PersistentScheduler):
    """Celery's schedule in a file.

    Celery asks how long ago a task ran last. Of one that ran an hour ahead of now, by a clock that has been set back
    since, that would be no answer until the hour is over: no crawl would begin meanwhile, and `beat` would be silent.
    """

    def tick(self, *arguments: Any, **options: Any) -> float:
        """Run what is due; return after how many seconds to look again."""
        impossible = ahead(timezone.now())
        wrong = [entry for entry in self.schedule.values() if entry.last_run_at and entry.last_run_at > impossible]
        for entry in wrong:
            entry.last_run_at = entry.default_now()
        if wrong:
            self.populate_heap()
        return super().tick(*arguments, **options)
