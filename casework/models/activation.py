"""`PolicyActivation`: which policy held from when on, who put it in force, and on what grounds."""

from __future__ import annotations

from django.db import models


class PolicyActivation(models.Model):
    """One effective policy. It holds until the next one of the same subject.

    The subject is the name of a site, or the place in the policy folder of a file that holds for many: `work.yaml`,
    `general.yaml`, `classes/forum_qa.yaml`, `rules/` for the folder of word rules.
    """

    subject = models.CharField(max_length=80, db_column="site")  # the column's name is of when only sites were noted
    digest = models.CharField(max_length=64, db_comment="SHA-256 of the effective policy, as cases carry it")
    at = models.DateTimeField(auto_now_add=True)
    by = models.CharField(max_length=16, db_comment="staff_no, or `system` for a file that was edited in place")
    reason = models.CharField(max_length=500, blank=True)
    backtest = models.JSONField(null=True, db_comment="figures of `woodpecker backtest` that it was put in force on")
    content = models.TextField(db_comment="the site's file")
    document = models.JSONField(db_comment="the effective policy")

    class Meta:
        db_table_comment = "policies that held"
        ordering = ["-id"]
        indexes = [models.Index(fields=["subject", "-id"], name="activation_site")]
