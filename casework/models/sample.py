"""`SampleCount`: what remains of captures that were drawn with a known probability: numbers by thread."""

from __future__ import annotations

from django.db import models


class SampleCount(models.Model):
    """Counts of one drawn thread on one day: of all its units (category empty), of any hit, of each category's hits.

    No text and no person: the thread is a digest, needed since what stands in one thread is alike.
    """

    ALL, ANY = "", "any"

    day = models.DateField(db_comment="when it was captured (Asia/Shanghai)")
    site = models.CharField(max_length=63)
    section = models.CharField(max_length=63)
    stratum = models.CharField(max_length=63, blank=True, db_comment="empty: the section is one stratum")
    thread = models.CharField(max_length=16, db_comment="digest of the thread")
    category = models.CharField(max_length=32, blank=True, db_comment="empty: all units; any: flagged by any category")
    units = models.PositiveIntegerField()
    weight = models.FloatField(db_comment="sum over the units of 1 / inclusion probability")
    drawn = models.FloatField(db_comment="1 / probability of the thread: the least of its units")
    frame = models.PositiveIntegerField(null=True, db_comment="threads in the stratum when it was drawn")

    class Meta:
        db_table_comment = "probability samples: counts per thread and day, without text"
        constraints = [
            models.UniqueConstraint(
                fields=["site", "day", "section", "stratum", "thread", "category"], name="one_sample_count_per_thread"
            )
        ]
