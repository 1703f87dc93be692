"""The inbox: captures wait here, in batches, until they are assessed. The broker carries only a batch's id."""

from __future__ import annotations

from django.db import models
from django.utils import timezone


class Batch(models.Model):
    """A handful of captures that one task assesses in one transaction; deleted together with its items."""

    created_at = models.DateTimeField(default=timezone.now, db_index=True)
    sent_at = models.DateTimeField(
        null=True, db_comment="when a task was last sent for it; the sweep re-sends old ones"
    )
    urgent = models.BooleanField(default=False, db_comment="a rule found something grave in it: it goes first")
    attempts = models.PositiveSmallIntegerField(default=0, db_comment="times a worker began it")
    failed_at = models.DateTimeField(
        null=True, db_index=True, db_comment="set when it was given up; a person must look"
    )
    error = models.CharField(max_length=500, blank=True, db_comment="what went wrong, without any text of a capture")

    class Meta:
        db_table_comment = "inbox batches waiting for assessment"


class InboxItem(models.Model):
    """One capture that waits. The text lives here and nowhere else until it is assessed."""

    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="items")
    capture_id = models.CharField(max_length=128, unique=True)
    payload = models.JSONField(db_comment="the capture as in docs/formats.md")

    class Meta:
        db_table_comment = "captures waiting for assessment, at most 24 h"


class SeenCapture(models.Model):
    """That a capture was accepted once. Holds a digest only, so that the same thing is never taken twice."""

    capture_id = models.CharField(primary_key=True, max_length=128)
    seen_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table_comment = "digests of accepted captures"
