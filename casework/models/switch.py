"""`Switch`: a rule of ours that a lead can turn off and on."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class Switch(models.Model):
    """How one rule stands and who turned it last. A rule without a row stands as `casework.switches` has it."""

    name = models.CharField(primary_key=True, max_length=63)
    on = models.BooleanField()
    turned_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    turned_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table_comment = "rules that a lead can turn off and on"
