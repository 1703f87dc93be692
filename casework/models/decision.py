"""`Decision`: a staff member's finding. A score never decides; a human does."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from casework.models.case import Case


class Finding(models.TextChoices):
    """What a person found."""

    CONFIRMED = "confirmed", "确认"
    DISMISSED = "dismissed", "排除"
    ESCALATED = "escalated", "上报"
    OUT_OF_SCOPE = "out_of_scope", "超出范围"
    POLICE = "police", "转公安"
    REOPENED = "reopened", "复议"


class Addressee(models.TextChoices):
    """To whom a case is escalated."""

    LEAD = "lead", "组长"
    DUTY = "duty", "专班值守"


class Decision(models.Model):
    """One finding by one person about one version of a case. Never changed; undoing it is recorded beside it."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="decisions")
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(auto_now_add=True)
    finding = models.CharField(max_length=16, choices=Finding)
    category = models.CharField(max_length=32, blank=True, db_comment="the category the person settled on")
    reason = models.CharField(max_length=500, blank=True)
    case_version = models.PositiveIntegerField(db_comment="version of the case that the person saw")
    state_before = models.CharField(max_length=16)
    category_before = models.CharField(max_length=32)
    categories_before = models.JSONField(default=list)
    grade = models.CharField(max_length=16, blank=True, db_comment="定性 that the person settled on")
    grade_before = models.CharField(max_length=16)
    addressee = models.CharField(
        max_length=16, choices=Addressee, blank=True, db_comment="to whom it was escalated; both may decide it"
    )
    undone_at = models.DateTimeField(null=True)
    follows = models.ForeignKey(
        "self",
        null=True,
        on_delete=models.CASCADE,
        related_name="followers",
        db_comment="of a copy: the decision on the case that it is a copy of",
    )

    class Meta:
        db_table_comment = "findings of staff"
        ordering = ["id"]
