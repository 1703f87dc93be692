"""`Outbox` and `Visible`: what the search index has still to be told, and when it first took a case."""

from __future__ import annotations

from django.db import models

from casework.models.case import Case


class Outbox(models.Model):
    """That the index does not hold a case as it is.

    Written in the transaction that changes the case, and taken away by whoever has brought that to the index. A table
    of its own, of a few numbers: in the case's row each note would cost what rewriting the row and all its indexes
    does.
    """

    # Without a constraint: checking it would lock each case's row once more. No case is ever deleted.
    case = models.OneToOneField(
        Case, primary_key=True, on_delete=models.CASCADE, related_name="outbox", db_constraint=False
    )
    mark = models.BigIntegerField(db_comment="drawn anew with every change: only who has read it may take the row away")

    class Meta:
        db_table_comment = "cases that the search index does not hold as they are"


class Visible(models.Model):
    """When the index first took a case; it shows within a second. Without an index cases show as they are made."""

    case = models.OneToOneField(
        Case, primary_key=True, on_delete=models.CASCADE, related_name="visible", db_constraint=False
    )
    at = models.DateTimeField()

    class Meta:
        db_table_comment = "when the search index first took a case"
