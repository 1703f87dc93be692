"""The audit log: who did and who saw what, as a hash chain that only grows.

Each entry's digest covers its content and the digest before it, so that an entry changed, removed or put in
later breaks the chain at that place (`verify`). Entries hold ids and values, never the text of a case.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from django.db import connection, models, transaction
from django.db.models import BooleanField, Q, QuerySet
from django.db.models.expressions import RawSQL
from django.utils import timezone

from casework import canonical, chains
from casework.models import AuditEntry, ChainHead, User

CHAIN = "audit"
SYSTEM = "system"


class Fault(StrEnum):
    """In which way the chain can fail."""

    MISSING = "条目缺失"
    UNLINKED = "与前一条的摘要不相接"
    ALTERED = "内容与摘要不符"
    TAIL = "末尾条目缺失或被替换"
    ANCHOR = "与锚定文件不符"


@dataclass(frozen=True)
class Verification:
    """What a check of the whole chain found.

    Attributes:
        whole: nothing fails.
        entries: entries that are in order, from the first on.
        broken_at: number of the first entry that fails.
        fault: in which way it fails.
        expected, found: what should stand there, and what does: a number or a digest.
    """

    whole: bool
    entries: int
    broken_at: int | None = None
    fault: Fault | None = None
    expected: str = ""
    found: str = ""


@dataclass(frozen=True)
class Anchored:
    """The digest that an entry had when it was written down outside the database."""

    sequence: int
    hash: str


def record(action: str, actor: User | str, subject: models.Model | str, **details: Any) -> AuditEntry:
    """Append an act, in the running transaction if there is one, so that the act and its record stand or fall together.

    Args:
        action: what was done, e.g. `case.decide`.
        actor: the person, or `SYSTEM`.
        subject: what it was done to: a row, or e.g. `site:example`.
        details: ids and values; never the text of a case.
    """
    with transaction.atomic(savepoint=False):
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


def about(case_id: int) -> QuerySet[AuditEntry]:
    """Return the entries about a case: its own, and those that name it among others, such as a list that was seen."""
    return AuditEntry.objects.filter(Q(subject=f"case:{case_id}") | _naming(case_id))


def _naming(case_id: int) -> Q:
    if connection.features.supports_json_field_contains:
        return Q(details__cases__contains=[case_id])
    named = "EXISTS (SELECT 1 FROM json_each(casework_auditentry.details, '$.cases') AS one WHERE one.value = %s)"
    return Q(RawSQL(named, [case_id], output_field=BooleanField()))  # noqa: S611 – the number is bound


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


def verify(anchored: Sequence[Anchored] = ()) -> Verification:
    """Check every link from the first to the head, and each anchor, and name the first that is broken.

    Whoever can write the whole database can also compute a chain anew that is whole in itself; it then no longer
    fits the anchors that were kept elsewhere.

    Args:
        anchored: what entries were when they were written down elsewhere.
    """
    anchors = {one.sequence: one.hash for one in anchored}
    count, previous = 0, ""
    for entry in AuditEntry.objects.order_by("sequence").iterator(chunk_size=2000):
        broken = _broken(entry, count + 1, previous, anchors)
        if broken is not None:
            return broken
        count, previous = count + 1, entry.hash
    head = ChainHead.objects.filter(name=CHAIN).first()
    wanted = (head.sequence, head.hash) if head else (0, "")
    further = max(anchors, default=0)
    if wanted != (count, previous) or (head is None and count):
        return _failed(Fault.TAIL, count, _named(*wanted), _named(count, previous))
    if further > count:
        return _failed(Fault.TAIL, count, _named(further, anchors[further]), _named(count, previous))
    return Verification(True, count)


def _broken(entry: AuditEntry, number: int, previous: str, anchors: Mapping[int, str]) -> Verification | None:
    """Say how an entry fails to be the next of the chain; None when it does not."""
    if entry.sequence != number:
        return _failed(Fault.MISSING, number - 1, str(number), str(entry.sequence))
    if entry.previous_hash != previous:
        return _failed(Fault.UNLINKED, number - 1, previous or "(the first has none)", entry.previous_hash)
    if (computed := digest(entry)) != entry.hash:
        return _failed(Fault.ALTERED, number - 1, entry.hash, computed)
    if (anchor := anchors.get(number, entry.hash)) != entry.hash:
        return _failed(Fault.ANCHOR, number - 1, anchor, entry.hash)
    return None


def _failed(fault: Fault, entries: int, expected: str, found: str) -> Verification:
    return Verification(False, entries, entries + 1, fault, expected, found)


def _named(sequence: int, digest_: str) -> str:
    return f"{sequence}:{digest_}" if sequence else "(none)"


def head() -> Anchored | None:
    """Return the last entry's number and digest; None where nothing was recorded yet."""
    found = ChainHead.objects.filter(name=CHAIN).first()
    return Anchored(found.sequence, found.hash) if found and found.sequence else None


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
