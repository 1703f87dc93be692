"""`AuditEntry`: who did and who saw what, each entry chained to the one before."""

from __future__ import annotations

from django.db import models


class AuditEntry(models.Model):
    """One act. `details` holds ids and values, never a text of a capture nor personal data of those read about."""

    sequence = models.PositiveBigIntegerField(unique=True, db_comment="1, 2, 3 … without a gap")
    at = models.DateTimeField()
    actor = models.CharField(max_length=16, db_comment="staff_no, or `system`")
    action = models.CharField(max_length=64, db_index=True)
    subject = models.CharField(max_length=64, db_index=True, db_comment="e.g. case:12, notice:3, user:SW0004")
    details = models.JSONField(default=dict)
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64, unique=True)

    class Meta:
        db_table_comment = "hash-chained audit log; append only"
        ordering = ["sequence"]
