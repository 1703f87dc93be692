"""`Notice`: a takedown list for one platform, made of lines."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from casework.models.case import Case


class Instrument(models.TextChoices):
    """Who asks, and with which right: 未成年人保护法 Arts 77 and 79, 未成年人网络保护条例 Arts 8 and 30."""

    REPORT = "REPORT", "举报"
    VICTIM_NOTICE = "VICTIM_NOTICE", "受害人通知"
    AUTHORITY_NOTICE_ATTACHMENT = "AUTHORITY_NOTICE_ATTACHMENT", "行政通知附件"


class NoticeState(models.TextChoices):
    """A list is prepared by one person and approved by another."""

    DRAFT = "draft", "起草中"
    SUBMITTED = "submitted", "待复核"
    APPROVED = "approved", "已核准"


class Notice(models.Model):
    """A list. Once approved it is sealed: `sealed` holds its rows as approved, `manifest_sha256` their digest."""

    number = models.CharField(max_length=32, unique=True, db_comment="清单编号")
    site = models.CharField(max_length=63)
    platform_class = models.CharField(max_length=63)
    instrument = models.CharField(max_length=32, choices=Instrument)
    state = models.CharField(max_length=16, choices=NoticeState, default=NoticeState.DRAFT)
    prepared_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    prepared_at = models.DateTimeField(auto_now_add=True)
    submitted_at = models.DateTimeField(null=True)
    approved_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    approved_at = models.DateTimeField(null=True)
    sent_back_reason = models.CharField(max_length=500, blank=True)
    sealed = models.JSONField(null=True, db_comment="the rows as approved, column by column")
    manifest_sha256 = models.CharField(max_length=64, blank=True)

    class Meta:
        db_table_comment = "takedown lists"
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.number


class NoticeLine(models.Model):
    """One confirmed case on one list, with the remedy asked for and its legal basis."""

    notice = models.ForeignKey(Notice, on_delete=models.CASCADE, related_name="lines")
    case = models.OneToOneField(Case, on_delete=models.PROTECT, related_name="notice_line")
    position = models.PositiveIntegerField()
    disposition = models.CharField(max_length=32, blank=True, db_comment="slug of the decision table")
    unlabelled = models.BooleanField(default=False, db_comment="未显著提示")
    minor_author = models.BooleanField(default=False, db_comment="作者疑似未成年: protective handling only")

    class Meta:
        db_table_comment = "lines of takedown lists"
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["notice", "position"], name="one_line_per_position")]
