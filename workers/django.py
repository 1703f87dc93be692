"""Setting up Django for a command or a worker, with an error that a person can act on."""

from __future__ import annotations

import os

import django
from django.core.management import call_command


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
    """Bring the database to the present migration; safe to run from several machines at once."""
    call_command("migrate", interactive=False, verbosity=0)
