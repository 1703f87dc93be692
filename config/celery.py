"""Celery's settings, derived from `config.settings`. The broker carries ids, never the only copy of anything."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from config.settings import FOLDER_BROKER, Settings


class Queue(StrEnum):
    """Queues of one worker, in the order in which it empties them.

    The order is that of the names: it is the one order that the clients of Redis and of the folder can keep. RabbitMQ
    deals out of all queues as it sees fit: an urgent batch passes the backlog there but may wait for a few others.
    """

    URGENT = "woodpecker.0-urgent"
    """Batches of what looks grave at a glance."""
    PROMPT = "woodpecker.1-prompt"
    """What is quick and must not stand behind a backlog: indexing, the tasks of the clock."""
    ASSESS = "woodpecker.2-assess"
    """All other batches."""
    LATER = "woodpecker.3-later"
    """What can wait for everything else: what is open is assessed again by a new model."""


TASKS_PER_PROCESS = 2000
"""After so many a worker's process is replaced, whatever it may have gathered by then."""
CRAWL_QUEUE = "woodpecker-crawl"
"""Crawls take long, so workers of their own run them."""


def celery_settings(settings: Settings) -> dict[str, Any]:
    """Return the configuration of the Celery app of this installation."""
    return {
        "broker_url": settings.effective_broker_url(),
        "broker_transport_options": _transport(settings),
        "broker_connection_retry_on_startup": True,
        # A broker that is away must not hold up an ingest: the sweep sends again what could not be sent.
        "task_publish_retry_policy": {"max_retries": 1, "interval_start": 0.1},
        "broker_connection_timeout": 3,
        "task_serializer": "json",
        "accept_content": ["json"],
        "task_ignore_result": True,
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        # Nobody waits for results, so a process that was killed need not be waited for either: its batch goes on.
        "worker_lost_wait": 0.5,
        "task_time_limit": 300,
        "task_soft_time_limit": 240,
        "worker_prefetch_multiplier": 1,
        "worker_enable_remote_control": False,
        "worker_send_task_events": False,
        "worker_hijack_root_logger": False,
        "worker_redirect_stdouts": False,
        "worker_max_tasks_per_child": TASKS_PER_PROCESS,
        "worker_max_memory_per_child": settings.work_replace_mb * 1024,  # KiB that it has had in use at most
        "CELERY_DB_REUSE_MAX": TASKS_PER_PROCESS,  # connections are looked after in `workers.connections`
        "task_default_queue": Queue.PROMPT.value,
        "task_create_missing_queues": True,
        # RabbitMQ alone has kinds of queues; others ignore this. A quorum queue outlives the node it was made on.
        "task_default_queue_type": "quorum" if _is_rabbitmq(settings) else "classic",
        "task_create_missing_queue_type": "quorum" if _is_rabbitmq(settings) else "classic",
        "task_routes": {
            "workers.tasks.crawl": {"queue": CRAWL_QUEUE},
            "workers.tasks.assess": {"queue": Queue.ASSESS.value},
            "workers.tasks.begin_reassessment": {"queue": Queue.LATER.value},
            "workers.tasks.reassess": {"queue": Queue.LATER.value},
        },
        "enable_utc": True,
        "timezone": "Asia/Shanghai",
    }


def _is_rabbitmq(settings: Settings) -> bool:
    return settings.effective_broker_url().startswith(("amqp://", "amqps://"))


def _transport(settings: Settings) -> dict[str, Any]:
    if settings.effective_broker_url() != FOLDER_BROKER:
        return {
            "visibility_timeout": 900,
            "socket_timeout": 10,
            "socket_connect_timeout": 3,
            "queue_order_strategy": "sorted",
        }
    folder = settings.path("broker", "messages")
    control = settings.path("broker", "control")
    folder.mkdir(parents=True, exist_ok=True)
    control.mkdir(parents=True, exist_ok=True)
    return {
        "data_folder_in": str(folder),
        "data_folder_out": str(folder),
        "control_folder": str(control),
        "polling_interval": 0.2,
    }
