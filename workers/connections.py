"""Database connections of a worker: kept from task to task, and given up after a failure.

Celery closes them after each task, since of one whose query was broken off (a time limit) nobody can say whether it is
still of use. Opening one anew cost a worker as much as indexing a decided case, and the server a process. Here a task
that failed closes it, and before each task Django looks at it as it does before each request of a page: one that is
old (`CONN_MAX_AGE`) is closed, one that the server has dropped is replaced.
"""

from __future__ import annotations

from typing import Any

from celery.signals import task_failure, task_prerun
from django.db import close_old_connections, connections


def keep() -> None:
    """Look after the connections of this worker's tasks; `CELERY_DB_REUSE_MAX` keeps Celery from closing them."""
    task_prerun.connect(_look_over, weak=False)
    task_failure.connect(_give_up, weak=False)


def _look_over(**_: Any) -> None:
    close_old_connections()


def _give_up(**_: Any) -> None:
    connections.close_all()
