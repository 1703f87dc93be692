"""Copies are found by an index that holds copies alone."""

import django.db.models.deletion
from django.db import migrations, models

from casework.online import AddIndexOnline, RemoveForeignKeyIndexOnline


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("casework", "0018_sealed_url")]

    operations = [
        AddIndexOnline(
            model_name="case",
            index=models.Index(
                condition=models.Q(("copy_of__isnull", False)), fields=["copy_of", "-id"], name="case_copies"
            ),
        ),
        RemoveForeignKeyIndexOnline(
            model_name="case",
            name="copy_of",
            field=models.ForeignKey(
                db_comment="the case that this one is a copy of and whose decision it shares; null: a case of its own",
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="copies",
                to="casework.case",
            ),
        ),
    ]
