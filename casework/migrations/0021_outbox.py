"""What the index has still to be told stands in a table of its own, and when it first took a case in another."""

import django.db.models.deletion
from django.db import migrations, models

BEHIND = (
    "INSERT INTO casework_outbox (case_id, mark) SELECT id, 0 FROM casework_case WHERE indexed_version < version"
)
VISIBLE = (
    "INSERT INTO casework_visible (case_id, at) SELECT id, visible_at FROM casework_case WHERE visible_at IS NOT NULL"
)
BACK = "UPDATE casework_case SET indexed_version = version WHERE NOT EXISTS (SELECT 1 FROM casework_outbox WHERE case_id = id)"


class Migration(migrations.Migration):
    dependencies = [("casework", "0020_gravest_index")]

    operations = [
        migrations.CreateModel(
            name="Outbox",
            fields=[
                (
                    "case",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="outbox",
                        serialize=False,
                        to="casework.case",
                    ),
                ),
                (
                    "mark",
                    models.BigIntegerField(
                        db_comment="drawn anew with every change: only who has read it may take the row away"
                    ),
                ),
            ],
            options={"db_table_comment": "cases that the search index does not hold as they are"},
        ),
        migrations.CreateModel(
            name="Visible",
            fields=[
                (
                    "case",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="visible",
                        serialize=False,
                        to="casework.case",
                    ),
                ),
                ("at", models.DateTimeField()),
            ],
            options={"db_table_comment": "when the search index first took a case"},
        ),
        migrations.RunSQL(BEHIND, BACK),
        migrations.RunSQL(VISIBLE, migrations.RunSQL.noop),
    ]
