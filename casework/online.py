"""Changes of a live PostgreSQL with a million cases that hold up nobody, and that may be interrupted at any instant.

A migration that builds an index beside the work cannot be one transaction (`atomic = False`): whoever kills it leaves
a part done. Each of these operations finds that and goes on; nothing else may stand in such a migration.
"""

from __future__ import annotations

from typing import Any

from django.db import migrations


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
        model = to_state.apps.get_model(app_label, self.model_name)
        connection = schema_editor.connection
        with connection.cursor() as cursor:
            columns = connection.introspection.get_table_description(cursor, model._meta.db_table)
        if model._meta.get_field(self.name).column not in {column.name for column in columns}:
            super().database_forwards(app_label, schema_editor, from_state, to_state)


def _indexes_of(connection: Any, model: Any, field: str) -> list[str]:
    """Return the indexes on one column alone."""
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, model._meta.db_table)
    column = [model._meta.get_field(field).column]
    return [name for name, one in found.items() if one["index"] and not one["unique"] and one["columns"] == column]


def _drop(schema_editor: Any, index: str) -> None:
    beside = "CONCURRENTLY " if schema_editor.connection.vendor == "postgresql" else ""
    schema_editor.execute(f'DROP INDEX {beside}IF EXISTS "{index}"')
