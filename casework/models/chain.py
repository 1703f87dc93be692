"""`ChainHead`: the last link of a chain or of a series of numbers, locked by whoever appends to it."""

from __future__ import annotations

from django.db import models


class ChainHead(models.Model):
    """One row per chain; whoever appends locks it, so that a chain has one order and no gap."""

    name = models.CharField(primary_key=True, max_length=32, db_comment="audit, evidence, staff_no or notice")
    sequence = models.PositiveBigIntegerField(default=0, db_comment="number of the last link")
    hash = models.CharField(max_length=64, blank=True, db_comment="digest of the last link, where links have one")

    class Meta:
        db_table_comment = "last links of chains and series of numbers"
