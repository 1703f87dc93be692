"""The open cases that another model assessed are found by index."""

from django.db import migrations, models

from casework.online import AddIndexOnline


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("casework", "0016_reassessment")]

    operations = [
        AddIndexOnline(
            model_name="case",
            index=models.Index(
                condition=models.Q(("copy_of__isnull", True)),
                fields=["state", "model_version", "id"],
                name="case_assessed_by",
            ),
        ),
    ]
