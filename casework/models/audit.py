"""`AuditEntry`: who did and who saw what, each entry chained to the one before."""

from __future__ import annotations

from typing import Any, NoReturn

from django.db import models

from casework.errors import NotAllowed


def _refuse() -> NoReturn:
    raise NotAllowed("审计日志只能追加，不能修改或删除")


class _AppendOnly(models.QuerySet["AuditEntry"]):
    def update(self, **values: Any) -> int:
        _refuse()

    def delete(self) -> tuple[int, dict[str, int]]:
        _refuse()


class AuditEntry(models.Model):
    """One act. `details` holds ids and values, never a text of a capture nor personal data of those read about."""

    sequence = models.PositiveBigIntegerField(unique=True, db_comment="1, 2, 3 … without a gap")
    at = models.DateTimeField()
    actor = models.CharField(max_length=16, db_comment="staff_no, or `system`")
    action = models.CharField(max_length=64, db_index=True)
    subject = models.CharField(max_length=64, db_index=True, db_comment="e.g. case:12, notice:3, user:SW0004")
    details = models.JSONField(default=dict)
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64, unique=True)

    objects = _AppendOnly.as_manager()

    class Meta:
        db_table_comment = "hash-chained audit log; append only"
        ordering = ["sequence"]

    def save(self, *args: Any, **options: Any) -> None:
        """Append the entry; raises NotAllowed when it is there already."""
        if not self._state.adding:
            _refuse()
        super().save(*args, **options)

    def delete(self, *args: Any, **options: Any) -> tuple[int, dict[str, int]]:
        """Raise NotAllowed: an entry is never deleted."""
        _refuse()
