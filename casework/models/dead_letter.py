"""`DeadLetter`: one capture that could not be assessed, set aside so that the others go on."""

from __future__ import annotations

from django.db import models


class Stage(models.TextChoices):
    """Where it failed."""

    READ = "read", "读取"
    ASSESS = "assess", "评估"
    WRITE = "write", "写入"


class DeadLetter(models.Model):
    """A capture that failed alone. Its text waits here for a day at most, as it would in the inbox.

    Where the assessment said sexual_exploitation before the failure, no text is held at all (未成年人保护法 Art 52,
    未成年人网络保护条例 Art 22¶2).
    """

    capture_id = models.CharField(max_length=128, unique=True)
    site = models.CharField(max_length=63, blank=True)
    section = models.CharField(max_length=63, blank=True)
    url = models.CharField(max_length=2000, blank=True)
    stage = models.CharField(max_length=8, choices=Stage)
    error = models.CharField(max_length=500, db_comment="kind and place of the error, without any text of the capture")
    restricted = models.BooleanField(default=False, db_comment="sexual_exploitation: never held a text")
    payload = models.JSONField(null=True, db_comment="the capture as in docs/formats.md; null once its text is gone")
    received_at = models.DateTimeField(db_index=True, db_comment="when it came into the inbox")
    failed_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        db_table_comment = "captures that could not be assessed; their text stays for 24 h at most"
        constraints = [
            models.CheckConstraint(
                name="restricted_letter_holds_no_text",
                condition=models.Q(restricted=False) | models.Q(payload__isnull=True),
            )
        ]
