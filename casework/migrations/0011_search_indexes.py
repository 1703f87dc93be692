"""Indexes of a table that may be large and in use: built beside the work, and built anew when that was interrupted."""

from django.db import migrations, models

from casework.online import AddIndexOnline


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("casework", "0010_saved_searches")]

    operations = [
        AddIndexOnline(
            model_name="case",
            index=models.Index(fields=["site", "thread", "position"], name="case_thread"),
        ),
        AddIndexOnline(
            model_name="case",
            index=models.Index(
                condition=models.Q(("copy_of__isnull", True)),
                fields=[
                    "state", "severity", "platform_class", "site", "section", "categories", "restricted",
                    "kid_zone", "model_version",
                ],
                name="case_facets",
            ),
        ),
    ]
