"""When each case is due; the index is built beside the work, since the table may be large and in use."""

from django.db import migrations, models

from casework.online import AddFieldOnline, AddIndexOnline


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("casework", "0013_case_traces")]

    operations = [
        AddFieldOnline(
            model_name="case",
            name="due_at",
            field=models.DateTimeField(db_comment="by when somebody here should act; null: nobody has to", null=True),
        ),
        AddIndexOnline(
            model_name="case",
            index=models.Index(condition=models.Q(("due_at__isnull", False)), fields=["due_at"], name="case_due"),
        ),
    ]
