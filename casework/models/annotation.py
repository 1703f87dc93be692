"""`Annotation`: one volunteer's blind answer. `Assignment`: the item that lies before a volunteer now."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from casework.models.case import Case


class Answer(models.TextChoices):
    """The three big answers, and the way out that asks for no reason."""

    HARMFUL = "harmful", "有害"
    HARMLESS = "harmless", "无害"
    UNSURE = "unsure", "说不准"
    SKIPPED = "skipped", "看不下去"


class Annotation(models.Model):
    """One answer of one volunteer; a person answers a case once, and may take the answer back."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="annotations")
    volunteer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="annotations")
    answer = models.CharField(max_length=16, choices=Answer)
    category = models.CharField(max_length=32, blank=True, db_comment="asked only after 有害")
    shown_at = models.DateTimeField(db_comment="when the item was put before the volunteer")
    answered_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table_comment = "blind answers of volunteers"
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["case", "volunteer"], name="one_answer_per_volunteer")]


class Assignment(models.Model):
    """The one item that lies before a volunteer, so that a reload shows the same until it is answered."""

    volunteer = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="assignment")
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="assignments")
    shown_at = models.DateTimeField(db_comment="when the item was put before the volunteer")

    class Meta:
        db_table_comment = "items that lie before volunteers"
