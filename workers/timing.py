"""Timings of this process: where they are kept, and how tasks are timed.

`casework.metrics` must not be imported before `keep` has named the folder: prometheus-client looks for it then.
"""

from __future__ import annotations

import os
import shutil
import socket
import time
from pathlib import Path
from typing import Any

import psutil

from config.settings import Settings

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""Variable by which prometheus-client is told where a process keeps its timings."""

_began: dict[str, float] = {}


def folder_of(settings: Settings, part: str) -> Path:
    """Return a fresh folder for the timings of a part that starts now; those of parts that have ended are removed."""
    host = socket.gethostname()
    own = settings.path("metrics", f"{part}@{host}:{os.getpid()}")
    for left in own.parent.glob(f"*@{host}:*"):
        pid = left.name.rpartition(":")[2]
        if left == own or not pid.isdigit() or not psutil.pid_exists(int(pid)):
            shutil.rmtree(left, ignore_errors=True)
    own.mkdir(parents=True)
    return own


def keep(settings: Settings, part: str) -> None:
    """Let this process and those it forks keep their timings in a folder of their own."""
    os.environ[FOLDER] = str(folder_of(settings, part))


def serve(settings: Settings) -> None:
    """Show the timings of this machine's parts at `WOODPECKER_WORK_METRICS_PORT`.

    Raises:
        OSError: the port is taken.
    """
    from prometheus_client import CollectorRegistry, start_http_server

    from casework import metrics

    registry = CollectorRegistry()
    registry.register(metrics.timings())
    start_http_server(settings.work_metrics_port, settings.http_host, registry)


def watch_tasks() -> None:
    """Time every task that a worker of this process runs."""
    from celery.signals import task_postrun, task_prerun

    if os.environ.get(FOLDER):
        # A pool replaces its processes; each takes over the file of its seat, so that files do not pile up.
        from prometheus_client import values

        values.ValueClass = values.MultiProcessValue(process_identifier=_seat)  # type: ignore[no-untyped-call]
    task_prerun.connect(_begin, weak=False)
    task_postrun.connect(_end, weak=False)


def _seat() -> str:
    from billiard import current_process

    index = getattr(current_process(), "index", None)
    return f"seat-{index}" if index is not None else str(os.getpid())


def _begin(task_id: str, **_: Any) -> None:
    _began[task_id] = time.perf_counter()


def _end(task_id: str, task: Any, state: str | None = None, **_: Any) -> None:
    from casework import metrics

    began = _began.pop(task_id, None)
    if began is not None:
        name = task.name.rpartition(".")[2]
        metrics.TASKS.labels(name, "done" if state == "SUCCESS" else "failed").observe(time.perf_counter() - began)
