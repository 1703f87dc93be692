"""What facets count by is read from an index alone; the newest of every state are found without sorting."""

from django.db import migrations, models

from casework.online import AddIndexOnline, RemoveIndexOnline


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("casework", "0014_clocks")]

    operations = [
        AddIndexOnline(
            model_name="case",
            index=models.Index(
                condition=models.Q(("copy_of__isnull", True)),
                fields=[
                    "state", "severity", "platform_class", "site", "section", "categories", "restricted",
                    "kid_zone", "copy_of",
                ],
                name="case_counted",
            ),
        ),
        AddIndexOnline(
            model_name="case",
            index=models.Index(
                condition=models.Q(("copy_of__isnull", True)), fields=["-created_at", "-id"], name="case_newest"
            ),
        ),
        RemoveIndexOnline(model_name="case", name="case_facets"),
    ]
