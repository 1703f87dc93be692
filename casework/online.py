"""Changes of a live PostgreSQL with a million cases that hold up nobody, and that may be interrupted at any instant.

A migration that builds an index beside the work cannot be one transaction (`atomic = False`): whoever kills it leaves
a part done. Each of these operations finds that and goes on; nothing else may stand in such a migration.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from django.db import OperationalError, migrations

PATIENCE_SECONDS, TRIES = 2.0, 300
"""How long a change may keep others waiting, and how often it is tried."""
_LOCK_NOT_AVAILABLE = "55P03"


class AddIndexOnline(migrations.AddIndex):
    """Add an index without locking the table.

    One whose building was interrupted is left invalid by PostgreSQL: it is dropped and built anew.
    """

    atomic = False

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Build it."""
        model = to_state.apps.get_model(app_label, self.model_name)
        if self.allow_migrate_model(schema_editor.connection.alias, model):
            _drop(schema_editor, self.index.name)
            options = {"concurrently": True} if schema_editor.connection.vendor == "postgresql" else {}
            schema_editor.add_index(model, self.index, **options)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Drop it."""
        _drop(schema_editor, self.index.name)


class RemoveIndexOnline(migrations.RemoveIndex):
    """Remove an index without locking the table; one that is gone already is no error."""

    atomic = False

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Drop it."""
        _drop(schema_editor, str(self.name))

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Build it again."""
        _drop(schema_editor, str(self.name))
        super().database_backwards(app_label, schema_editor, from_state, to_state)


class RemoveForeignKeyIndexOnline(migrations.AlterField):
    """Remove the index that Django gave a foreign key (`db_index=False` from now on) without locking the table."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Drop it; the table is not touched."""
        model = to_state.apps.get_model(app_label, self.model_name)
        for name in _indexes_of(schema_editor.connection, model, self.name):
            _drop(schema_editor, name)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Build it again."""
        model = to_state.apps.get_model(app_label, self.model_name)
        if not _indexes_of(schema_editor.connection, model, self.name):
            schema_editor.execute(schema_editor._create_index_sql(model, fields=[model._meta.get_field(self.name)]))


class AddFieldOnline(migrations.AddField):
    """Add a column that may be null, which PostgreSQL does at once; one that is there already is no error."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Add it."""
        if not _has_column(schema_editor.connection, to_state.apps.get_model(app_label, self.model_name), self.name):
            super().database_forwards(app_label, schema_editor, from_state, to_state)


class RemoveFieldOnline(migrations.RemoveField):
    """Remove a column, which PostgreSQL does at once; one that is gone already is no error.

    For that instant nobody else may use the table. Where somebody has it for long, a backup say, everybody else would
    have to queue behind this: it gives up after a moment and tries again.
    """

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Remove it."""
        if _has_column(schema_editor.connection, from_state.apps.get_model(app_label, self.model_name), self.name):
            remove = super().database_forwards
            _at_once(schema_editor.connection, lambda: remove(app_label, schema_editor, from_state, to_state))

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Add it again."""
        if not _has_column(schema_editor.connection, to_state.apps.get_model(app_label, self.model_name), self.name):
            super().database_backwards(app_label, schema_editor, from_state, to_state)


def _at_once(connection: Any, change: Callable[[], None]) -> None:
    """Make a change that needs a table for itself, as soon as that can be had without keeping others waiting.

    Raises:
        django.db.OperationalError: it could not be had in all these tries; run the migration again.
    """
    if connection.vendor != "postgresql":
        change()
        return
    with connection.cursor() as cursor:
        for left in reversed(range(TRIES)):
            cursor.execute(f"SET lock_timeout = {round(PATIENCE_SECONDS * 1000)}")
            try:
                change()
            except OperationalError as error:
                if not left or getattr(error.__cause__, "sqlstate", "") != _LOCK_NOT_AVAILABLE:
                    raise
                time.sleep(PATIENCE_SECONDS)
            else:
                return
            finally:
                cursor.execute("RESET lock_timeout")


def _has_column(connection: Any, model: Any, field: str) -> bool:
    with connection.cursor() as cursor:
        columns = connection.introspection.get_table_description(cursor, model._meta.db_table)
    return model._meta.get_field(field).column in {column.name for column in columns}


def _indexes_of(connection: Any, model: Any, field: str) -> list[str]:
    """Return the indexes on one column alone."""
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, model._meta.db_table)
    column = [model._meta.get_field(field).column]
    return [name for name, one in found.items() if one["index"] and not one["unique"] and one["columns"] == column]


def _drop(schema_editor: Any, index: str) -> None:
    beside = "CONCURRENTLY " if schema_editor.connection.vendor == "postgresql" else ""
    schema_editor.execute(f'DROP INDEX {beside}IF EXISTS "{index}"')
