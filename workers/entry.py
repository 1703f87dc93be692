"""What `celery -A workers.entry` loads: Django set up, the model loaded before the processes fork, then the app."""

from __future__ import annotations

import signal
import warnings
from typing import Any

from celery.signals import worker_init, worker_process_init, worker_ready

from config.settings import get_settings
from workers import connections, garbage, logs, memory, timing
from workers import django as woodpecker_django
from workers.processes import die_with_parent

woodpecker_django.setup()
logs.configure(get_settings())
timing.watch_tasks()
connections.keep()
# Celery warns of root because of pickle; only JSON is accepted here, and in a container root is nobody special.
warnings.filterwarnings("ignore", message="You're running the worker with superuser")

from workers import receiving, tasks  # noqa: E402 - need Django
from workers.app import app  # noqa: E402
from workers.schedule import SCHEDULE  # noqa: E402

app.conf.beat_schedule = SCHEDULE


@worker_init.connect
def load_model(sender: Any, **_: Any) -> None:
    """Load the model once; the pool's processes share its memory."""
    if str(sender).startswith("assess@"):
        tasks.assessor()
        receiving.glance()  # what is set aside is glanced at when memory may have run out
        garbage.look_seldom()


@worker_ready.connect
def meet_open_cases(sender: Any, **_: Any) -> None:
    """Look whether what is open was assessed by another model."""
    if sender.hostname.startswith("assess@"):
        tasks.send(tasks.begin_reassessment)


@worker_process_init.connect
def follow_parent(**_: Any) -> None:
    """End with the worker even when it is killed outright."""
    die_with_parent(signal.SIGKILL)


@worker_process_init.connect
def limit_memory(**_: Any) -> None:
    """Let no text take the machine's memory: a batch that takes too much fails as any other, and is halved."""
    memory.limit(get_settings().work_memory_mb)
