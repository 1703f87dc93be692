"""A worker's connection to the database: kept from task to task, and given up after a failure."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from celery.fixups.django import DjangoWorkerFixup
from celery.signals import task_failure, task_prerun
from django.db import connection

from casework.models import Case
from workers import connections
from workers.app import app

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.modes]


@pytest.fixture(autouse=True)
def kept() -> Iterator[None]:
    connections.keep()
    yield
    task_prerun.disconnect(connections._look_over)
    task_failure.disconnect(connections._give_up)


def used() -> object:
    """Ask something, and return the connection that was asked."""
    Case.objects.exists()
    return connection.connection


def between_tasks() -> None:
    """What Celery and we do after one task and before the next."""
    worker = DjangoWorkerFixup(app)
    worker.close_database()
    task_prerun.send(sender=None)
    worker.close_database()


def test_the_next_task_asks_over_the_same_connection() -> None:
    first = used()
    between_tasks()
    assert used() is first


def test_after_a_task_that_failed_it_is_another() -> None:
    first = used()
    task_failure.send(sender=None)
    assert used() is not first


def test_one_that_is_old_is_not_used_any_more() -> None:
    first = used()
    connection.close_at = time.monotonic() - 1
    between_tasks()
    assert used() is not first


def test_one_that_the_server_has_dropped_is_replaced() -> None:
    if connection.vendor == "sqlite":  # there is no server that could drop one
        return
    first = used()
    connection.connection.close()
    between_tasks()
    assert used() is not first
