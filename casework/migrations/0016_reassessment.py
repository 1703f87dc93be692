"""A new model assesses again what is open: its way through the cases, and what was said of each before."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("casework", "0015_covering_indexes")]

    operations = [
        migrations.CreateModel(
            name="Reassessment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("model_version", models.CharField(max_length=64)),
                ("started_at", models.DateTimeField(auto_now_add=True)),
                (
                    "started_by",
                    models.CharField(db_comment="`worker`: one came up with this model, or `command`", max_length=16),
                ),
                (
                    "ended_at",
                    models.DateTimeField(db_comment="when another model took its place; null: in force", null=True),
                ),
                (
                    "busy_until",
                    models.DateTimeField(
                        db_comment="a worker is at it; past: it died, or waits for its turn", null=True
                    ),
                ),
                (
                    "attempts",
                    models.PositiveSmallIntegerField(db_comment="batches begun since one last came to its end", default=0),
                ),
                (
                    "failed",
                    models.JSONField(db_comment="ids of cases that this model could not assess", default=list),
                ),
                ("assessed", models.PositiveIntegerField(default=0)),
                ("graver", models.PositiveIntegerField(db_comment="of them: now more severe", default=0)),
                ("lighter", models.PositiveIntegerField(db_comment="of them: now less severe", default=0)),
                (
                    "below",
                    models.PositiveIntegerField(
                        db_comment="of them: below every threshold now; a person decides", default=0
                    ),
                ),
                (
                    "restricted",
                    models.PositiveIntegerField(
                        db_comment="of them: their text may not be held any more", default=0
                    ),
                ),
            ],
            options={"db_table_comment": "models that assess again what is open"},
        ),
        migrations.CreateModel(
            name="PastAssessment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("until", models.DateTimeField(auto_now_add=True, db_comment="when it was replaced")),
                ("model_version", models.CharField(max_length=64)),
                ("policy_digest", models.CharField(max_length=64)),
                ("category", models.CharField(max_length=32)),
                ("categories", models.JSONField(default=list)),
                ("severity", models.CharField(max_length=2)),
                ("grade", models.CharField(max_length=16)),
                ("score", models.FloatField()),
                ("scores", models.JSONField(default=dict)),
                (
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="past_assessments",
                        to="casework.case",
                    ),
                ),
            ],
            options={"db_table_comment": "what earlier models said of cases", "ordering": ["id"]},
        ),
        migrations.AddField(
            model_name="case",
            name="below_at",
            field=models.DateTimeField(
                db_comment="when another model put it below every threshold; a person decides all the same", null=True
            ),
        ),
    ]
