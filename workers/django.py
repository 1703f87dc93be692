"""Setting up Django for a command or a worker, with an error that a person can act on."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import django
from django.core.management import call_command

from config.settings import get_settings

MIGRATING = 0x5357_0001
"""Number of PostgreSQL's advisory lock for migrations."""
WAIT_SECONDS = 0.2


def setup() -> None:
    """Make the models usable in this process and connect the pipeline's tasks to casework's signals.

    Raises:
        config.settings.MissingSecretKey: services mode without a secret key.
        pydantic.ValidationError: a setting of the environment is wrong.
    """
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.django.settings")
    django.setup()
    from workers import app, tasks  # noqa: F401 - importing connects the receivers


def migrate() -> None:
    """Bring the database to the present migration; of several that start at once, one does it and the others wait."""
    with _alone():
        call_command("migrate", interactive=False, verbosity=0)


@contextmanager
def _alone() -> Iterator[None]:
    """Hold what only one process of the installation can hold; it is given back when the process dies."""
    from django.db import DatabaseError, connection

    if connection.vendor == "sqlite":
        with get_settings().path("migrating").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
        return
    # Asked again and again: a statement that waits holds a snapshot, for which an index built beside the work waits.
    while not _locked():
        time.sleep(WAIT_SECONDS)
    try:
        yield
    finally:
        # A connection that broke has given its locks back, and its own error is the one to tell.
        with suppress(DatabaseError), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [MIGRATING])


def _locked() -> bool:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [MIGRATING])
        return bool(cursor.fetchone()[0])
