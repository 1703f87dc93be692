"""`DailyCount` and `ScoreCount`: what remains of captures that were not flagged."""

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


class ScoreCount(models.Model):
    """How many texts of a day got a score of one band in one category: to see whether a model's scores drift."""

    day = models.DateField()
    model_version = models.CharField(max_length=64)
    category = models.CharField(max_length=32)
    band = models.PositiveSmallIntegerField(db_comment="0 … 9, as `casework.drift.EDGES` divides 0 to 1")
    n = models.PositiveIntegerField(default=0)

    class Meta:
        db_table_comment = "scores in bands per day, model and category"
        constraints = [
            models.UniqueConstraint(fields=["day", "model_version", "category", "band"], name="one_score_count_per_day")
        ]
