"""`Claim`: who works on a case just now."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from casework.models.case import Case


class Claim(models.Model):
    """A lease of one person on one case. Once its time is over it holds nothing, though its row may still be there."""

    case = models.OneToOneField(Case, primary_key=True, on_delete=models.CASCADE, related_name="claim")
    holder = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="claims")
    until = models.DateTimeField(db_index=True, db_comment="when it returns by itself unless it is renewed")
    handed_by = models.CharField(max_length=16, blank=True, db_comment="staff_no of whoever handed it over")
    note = models.CharField(max_length=500, blank=True, db_comment="what they wrote; never a text of the case")

    class Meta:
        db_table_comment = "who works on which case just now"
