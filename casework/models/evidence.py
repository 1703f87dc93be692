"""`EvidenceRecord`: the sealed proof behind a confirmed case."""

from __future__ import annotations

from django.db import models

from casework.models.case import Case


class EvidenceRecord(models.Model):
    """A sealed package: where its files are, their digests, and the digest of the record before it (a chain).

    Source: 法发〔2016〕22号 Arts 1, 2, 4, 5, 14; 最高人民法院关于互联网法院审理案件若干问题的规定 (2018) Art 11.
    """

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="evidence_records")
    number = models.CharField(max_length=32, unique=True, db_comment="证据包号")
    sealed_at = models.DateTimeField()
    sealed_by = models.CharField(max_length=16, db_comment="staff_no of the person whose finding sealed it")
    path = models.CharField(max_length=300, db_comment="name in the file storage, by content")
    sha256 = models.CharField(max_length=64)
    sm3 = models.CharField(max_length=64)
    previous_sha256 = models.CharField(max_length=64, blank=True)
    removed_at = models.DateTimeField(null=True, db_comment="when the file was destroyed; the digests stay")

    class Meta:
        db_table_comment = "sealed evidence packages"
        ordering = ["id"]
