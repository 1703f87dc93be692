"""What every command that needs the database does first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workers.cli.output import Exit, leave

if TYPE_CHECKING:
    from config.settings import Settings


def prepare(*, migrate: bool = True, as_json: bool = False) -> Settings:
    """Read the settings, set up Django and bring the database up to date; leave with a clear error when it fails.

    Args:
        migrate: without it only a database that is still empty is filled.
        as_json: a machine gets the error too.
    """
    from pydantic import ValidationError

    from config.settings import PREFIX, MissingSecretKey, get_settings

    try:
        settings = get_settings()
        settings.effective_secret_key()
    except ValidationError as error:
        lines = [
            f"{PREFIX}{'.'.join(str(part) for part in problem['loc']).upper()}: {problem['msg']}"
            for problem in error.errors(include_url=False, include_input=False)
        ]
        leave(Exit.WRONG_INPUT, "wrong setting:\n  " + "\n  ".join(lines), as_json=as_json)
    except MissingSecretKey as error:
        leave(Exit.WRONG_INPUT, str(error), as_json=as_json)
    except OSError as error:
        message = f"the data folder cannot be written: {error}. {PREFIX}DATA_DIR names another."
        leave(Exit.FAILED, message, as_json=as_json)
    _connect(settings, migrate=migrate, as_json=as_json)
    return settings


def _connect(settings: Settings, *, migrate: bool, as_json: bool) -> None:
    from workers import django, logs

    try:
        django.setup()
    except OSError as error:
        leave(Exit.FAILED, f"the data folder cannot be written: {error}", as_json=as_json)
    logs.configure(settings)
    from django.db import DatabaseError, connection

    try:
        if migrate or not connection.introspection.table_names():
            django.migrate()
    except DatabaseError as error:
        reason = str(error).splitlines()[0]
        leave(Exit.FAILED, f"the database cannot be used ({settings.mode} mode): {reason}", as_json=as_json)
