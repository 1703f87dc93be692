"""The columns and the index that the outbox has taken the place of go."""

from django.db import migrations

from casework.online import RemoveFieldOnline, RemoveIndexOnline


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("casework", "0021_outbox")]

    operations = [
        RemoveIndexOnline(model_name="case", name="case_behind"),
        RemoveFieldOnline(model_name="case", name="indexed_version"),
        RemoveFieldOnline(model_name="case", name="visible_at"),
    ]
