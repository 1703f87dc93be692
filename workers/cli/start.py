"""What every command that needs the database does first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workers.cli.output import Exit, leave

if TYPE_CHECKING:
    from config.settings import Settings


def prepare(*, migrate: bool = True) -> Settings:
    """Read the settings, set up Django and bring the database up to date; leave with a clear error when it fails."""
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
        leave(Exit.WRONG_INPUT, "wrong setting:\n  " + "\n  ".join(lines))
    except MissingSecretKey as error:
        leave(Exit.WRONG_INPUT, str(error))
    except OSError as error:
        leave(Exit.FAILED, f"the data folder cannot be written: {error}. {PREFIX}DATA_DIR names another.")
    _connect(settings, migrate=migrate)
    return settings


def _connect(settings: Settings, *, migrate: bool) -> None:
    from workers import django, logs

    django.setup()
    logs.configure(settings)
    if not migrate:
        return
    from django.db import DatabaseError

    try:
        django.migrate()
    except DatabaseError as error:
        leave(Exit.FAILED, f"the database cannot be used ({settings.mode} mode): {str(error).splitlines()[0]}")
