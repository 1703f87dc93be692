"""Activations are of files that hold for many sites too: the field's name says so, the table stays as it is."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("casework", "0022_outbox_alone")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveIndex(model_name="policyactivation", name="activation_site"),
                migrations.RenameField(model_name="policyactivation", old_name="site", new_name="subject"),
                migrations.AlterField(
                    model_name="policyactivation",
                    name="subject",
                    field=models.CharField(db_column="site", max_length=63),
                ),
                migrations.AddIndex(
                    model_name="policyactivation",
                    index=models.Index(fields=["subject", "-id"], name="activation_site"),
                ),
            ]
        ),
        # Room for the place of a class's file; PostgreSQL widens a column without reading the table.
        migrations.AlterField(
            model_name="policyactivation",
            name="subject",
            field=models.CharField(db_column="site", max_length=80),
        ),
    ]
