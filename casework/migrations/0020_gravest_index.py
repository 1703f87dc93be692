"""The gravest of every state are found without sorting all cases."""

from django.db import migrations, models

from casework.online import AddIndexOnline


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("casework", "0019_copies_index")]

    operations = [
        AddIndexOnline(
            model_name="case",
            index=models.Index(
                condition=models.Q(("copy_of__isnull", True)),
                fields=["severity", "-score", "id"],
                name="case_gravest",
            ),
        ),
    ]
