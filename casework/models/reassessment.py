"""`Reassessment`: a model that assesses again what is open. `PastAssessment`: what was said of a case before."""

from __future__ import annotations

from django.db import models

from casework.models.case import Case


class Reassessment(models.Model):
    """One model's way through the open cases that another model assessed. At most one is in force (`ended_at` null)."""

    model_version = models.CharField(max_length=64)
    started_at = models.DateTimeField(auto_now_add=True)
    started_by = models.CharField(max_length=16, db_comment="`worker`: one came up with this model, or `command`")
    ended_at = models.DateTimeField(null=True, db_comment="when another model took its place; null: in force")
    busy_until = models.DateTimeField(null=True, db_comment="a worker is at it; past: it died, or waits for its turn")
    attempts = models.PositiveSmallIntegerField(default=0, db_comment="batches begun since one last came to its end")
    failed = models.JSONField(default=list, db_comment="ids of cases that this model could not assess")
    assessed = models.PositiveIntegerField(default=0)
    graver = models.PositiveIntegerField(default=0, db_comment="of them: now more severe")
    lighter = models.PositiveIntegerField(default=0, db_comment="of them: now less severe")
    below = models.PositiveIntegerField(default=0, db_comment="of them: below every threshold now; a person decides")
    restricted = models.PositiveIntegerField(default=0, db_comment="of them: their text may not be held any more")

    class Meta:
        db_table_comment = "models that assess again what is open"


class PastAssessment(models.Model):
    """What an earlier model said of a case, until another assessed it again. Holds no text and nothing that quotes it.

    It goes when the case becomes restricted, which holds no other score.
    """

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="past_assessments")
    until = models.DateTimeField(auto_now_add=True, db_comment="when it was replaced")
    model_version = models.CharField(max_length=64)
    policy_digest = models.CharField(max_length=64)
    category = models.CharField(max_length=32)
    categories = models.JSONField(default=list)
    severity = models.CharField(max_length=2)
    grade = models.CharField(max_length=16)
    score = models.FloatField()
    scores = models.JSONField(default=dict)

    class Meta:
        db_table_comment = "what earlier models said of cases"
        ordering = ["id"]
