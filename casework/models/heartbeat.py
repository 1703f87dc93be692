"""`Heartbeat`: that a part of the system was alive a moment ago."""

from __future__ import annotations

from django.db import models

STALE_SECONDS = 90
"""Age of a heartbeat after which its part counts as gone."""


class Heartbeat(models.Model):
    """One running part (a worker, the schedule, a crawl). Stale after `STALE_SECONDS`."""

    name = models.CharField(primary_key=True, max_length=120, db_comment="kind@host:pid")
    kind = models.CharField(max_length=16, db_comment="work, beat or crawl")
    at = models.DateTimeField()
    detail = models.CharField(max_length=120, blank=True, db_comment="e.g. the version of the model it assesses with")

    class Meta:
        db_table_comment = "parts that are alive"
