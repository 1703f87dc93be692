"""`DailyCount`: what remains of captures that were not flagged."""

from __future__ import annotations

from django.db import models


class DailyCount(models.Model):
    """Counts of one section on one day (Asia/Shanghai)."""

    day = models.DateField()
    site = models.CharField(max_length=63)
    section = models.CharField(max_length=63)
    accepted = models.PositiveIntegerField(default=0)
    duplicate = models.PositiveIntegerField(default=0)
    rejected = models.PositiveIntegerField(default=0)
    assessed = models.PositiveIntegerField(default=0)
    flagged = models.PositiveIntegerField(default=0)

    class Meta:
        db_table_comment = "counts per section and day"
        constraints = [models.UniqueConstraint(fields=["day", "site", "section"], name="one_count_per_day")]
