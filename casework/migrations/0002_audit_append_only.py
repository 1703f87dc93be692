"""The database itself refuses to change an audit entry, and PostgreSQL also to delete one.

SQLite lets rows be deleted, since that is how a database is emptied there; the chain then shows the gap.
"""

from typing import Any

from django.db import migrations

TABLE = "casework_auditentry"
REFUSAL = "audit entries are never changed"

FORWARDS = {
    "sqlite": [
        f"CREATE TRIGGER audit_append_only BEFORE UPDATE ON {TABLE} BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
    ],
    "postgresql": [
        "CREATE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{REFUSAL}'; END $$",
        f"CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON {TABLE} "
        "FOR EACH ROW EXECUTE FUNCTION audit_append_only()",
    ],
}
BACKWARDS = {
    "sqlite": ["DROP TRIGGER audit_append_only"],
    "postgresql": [f"DROP TRIGGER audit_append_only ON {TABLE}", "DROP FUNCTION audit_append_only()"],
}


def forwards(apps: Any, schema_editor: Any) -> None:
    for statement in FORWARDS[schema_editor.connection.vendor]:
        schema_editor.execute(statement, params=None)


def backwards(apps: Any, schema_editor: Any) -> None:
    for statement in BACKWARDS[schema_editor.connection.vendor]:
        schema_editor.execute(statement, params=None)


class Migration(migrations.Migration):
    dependencies = [("casework", "0001_initial")]
    operations = [migrations.RunPython(forwards, backwards)]
