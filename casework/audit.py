"""The audit log: who did and who saw what, as a hash chain that only grows.

Each entry's digest covers its content and the digest before it, so that an entry changed, removed or put in
later breaks the chain at that place (`verify`). Entries hold ids and values, never the text of a case.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import models, transaction
from django.utils import timezone

from casework import canonical, chains
from casework.models import AuditEntry, ChainHead, User

CHAIN = "audit"
SYSTEM = "system"


@dataclass(frozen=True)
class Verification:
    """What a check of the whole chain found; `broken_at` is the number of the first entry that fails."""

    whole: bool
    entries: int
    broken_at: int | None = None
    why: str = ""


def record(action: str, actor: User | str, subject: models.Model | str, **details: Any) -> AuditEntry:
    """Append an act, in the running transaction if there is one, so that the act and its record stand or fall together.

    Args:
        action: what was done, e.g. `case.decide`.
        actor: the person, or `SYSTEM`.
        subject: what it was done to: a row, or e.g. `site:example`.
        details: ids and values; never the text of a case.
    """
    with transaction.atomic():
        head = chains.lock(CHAIN)
        entry = AuditEntry(
            sequence=head.sequence + 1,
            at=timezone.now(),
            actor=actor if isinstance(actor, str) else actor.staff_no,
            action=action,
            subject=subject if isinstance(subject, str) else f"{subject._meta.model_name}:{subject.pk}",
            details=details,
            previous_hash=head.hash,
        )
        entry.hash = digest(entry)
        entry.save(force_insert=True)
        chains.advance(head, entry.hash)
    return entry


def digest(entry: AuditEntry) -> str:
    """Return the digest that the entry must carry: SHA-256 over its canonical JSON."""
    return canonical.sha256(
        canonical.dumps(
            {
                "sequence": entry.sequence,
                "at": _utc(entry.at),
                "actor": entry.actor,
                "action": entry.action,
                "subject": entry.subject,
                "details": entry.details,
                "previous_hash": entry.previous_hash,
            }
        )
    )


def verify() -> Verification:
    """Check every link from the first to the head and name the first that is broken."""
    expected, previous = 0, ""
    for entry in AuditEntry.objects.order_by("sequence").iterator(chunk_size=2000):
        expected += 1
        if entry.sequence != expected:
            return Verification(False, expected - 1, expected, "条目缺失")
        if entry.previous_hash != previous:
            return Verification(False, expected - 1, expected, "与前一条的摘要不相接")
        if digest(entry) != entry.hash:
            return Verification(False, expected - 1, expected, "内容与摘要不符")
        previous = entry.hash
    head = ChainHead.objects.filter(name=CHAIN).first()
    if head is None and expected == 0:
        return Verification(True, 0)
    if head is None or (head.sequence, head.hash) != (expected, previous):
        return Verification(False, expected, expected + 1, "末尾条目缺失或被替换")
    return Verification(True, expected)


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
