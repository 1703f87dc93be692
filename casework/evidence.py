"""Evidence: the sealed package behind a confirmed case, kept by its content and chained to the one before.

Source: 法发〔2016〕22号 Arts 1, 2, 4, 5, 14 (integrity is proven by a checksum among other means);
最高人民法院关于互联网法院审理案件若干问题的规定 (2018) Art 11. A restricted case seals metadata and text hash only.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone

from casework import audit, canonical, chains, responses
from casework.models import Case, ChainHead, EvidenceRecord, User
from casework.packages import FORMAT

CHAIN = "evidence"
FOLDER = "evidence"


@dataclass(frozen=True)
class Broken:
    """A package that fails its check: its number, and why."""

    number: str
    why: str


@transaction.atomic(savepoint=False)
def seal(case: Case, user: User) -> EvidenceRecord:
    """Seal what is known of the case, in the running transaction if there is one.

    The package is one canonical JSON file: `meta` (where, when, how, by which tool, digests, the digest of the
    package before) and `text`, the redacted text (null when restricted). It is stored under its own SHA-256.

    Raises:
        OSError: the file storage cannot be written.
    """
    head = chains.lock(CHAIN)
    now = timezone.now()
    number = f"EV-{timezone.localtime(now):%Y%m%d}-{head.sequence + 1:06d}"
    content = canonical.dumps(
        {"format": FORMAT, "meta": _meta(case, user, number, now, head.hash), "text": _text(case)}
    )
    digest = canonical.sha256(content)
    record = EvidenceRecord.objects.create(
        case=case,
        number=number,
        sealed_at=now,
        sealed_by=user.staff_no,
        path=_store(content, digest),
        sha256=digest,
        sm3=canonical.sm3(content),
        previous_sha256=head.hash,
    )
    chains.advance(head, digest)
    return record


def latest(case: Case) -> EvidenceRecord | None:
    """Return the package that stands for the case, if one was sealed and not destroyed."""
    return case.evidence_records.filter(removed_at__isnull=True).order_by("-id").first()


def destroy(case: Case) -> int:
    """Destroy the files of the case's packages; the rows and digests stay, so that the chain stays whole.

    For what may not be held (a case turns out to be sexual_exploitation) or no longer (retention). Returns how many.
    """
    records = list(case.evidence_records.filter(removed_at__isnull=True).order_by("id"))
    for record in records:
        EvidenceRecord.objects.filter(pk=record.pk).update(removed_at=timezone.now())
        audit.record("evidence.destroy", audit.SYSTEM, record, case=case.pk, sha256=record.sha256)
        transaction.on_commit(lambda path=record.path: default_storage.delete(path))  # type: ignore[misc]
    return len(records)


def orphans(older_than: datetime) -> Iterator[str]:
    """Yield the files that no row knows, left by a transaction that was rolled back or a process that was killed.

    Younger files are passed over: their transaction may still be running.
    """
    folders = default_storage.listdir(FOLDER)[0] if default_storage.exists(FOLDER) else []
    for folder in sorted(folders):
        names = {f"{FOLDER}/{folder}/{name}" for name in default_storage.listdir(f"{FOLDER}/{folder}")[1]}
        records = EvidenceRecord.objects.filter(path__in=names, removed_at__isnull=True)
        for name in sorted(names.difference(records.values_list("path", flat=True))):
            if default_storage.get_modified_time(name) < older_than:
                yield name


def verify_all() -> list[Broken]:
    """Check every package and the chain; returns those that fail, in order, empty when all is whole."""
    return list(_failures())


def _failures() -> Iterator[Broken]:
    previous = ""
    for record in EvidenceRecord.objects.order_by("id").iterator(chunk_size=500):
        why = _failure(record, previous)
        if why:
            yield Broken(record.number, why)
        previous = record.sha256
    head = ChainHead.objects.filter(name=CHAIN).first()
    if (head.hash if head else "") != previous:
        yield Broken("", "最后的证据包缺失或被替换")


def _failure(record: EvidenceRecord, previous: str) -> str:
    """Say why a package fails, empty when it does not."""
    if record.previous_sha256 != previous:
        return "与前一证据包的摘要不相接"
    return "" if record.removed_at is not None else _file_failure(record)


def _file_failure(record: EvidenceRecord) -> str:
    try:
        with default_storage.open(record.path, "rb") as file:
            content = file.read()
    except OSError:
        return f"文件 {record.path} 无法读取"
    if canonical.sha256(content) != record.sha256:
        return f"文件 {record.path} 的 SHA-256 不符"
    if canonical.sm3(content) != record.sm3:
        return f"文件 {record.path} 的 SM3 不符"
    meta = json.loads(content)["meta"]
    if (meta["number"], meta["previous_sha256"], meta["case"]) != (
        record.number,
        record.previous_sha256,
        record.case_id,
    ):
        return f"文件 {record.path} 的记载与登记不符"
    return ""


def _text(case: Case) -> str | None:
    return None if case.restricted else case.text


def _meta(case: Case, user: User, number: str, now: datetime, previous: str) -> dict[str, Any]:
    """Cause, object, content, time, place, method and process, as far as the capture told them."""
    decision = case.decisions.filter(undone_at__isnull=True).order_by("-id").first()
    return {
        "number": number,
        "case": case.pk,
        "capture_id": case.capture_id,
        "site": case.site,
        "platform_class": case.platform_class,
        "section": case.section,
        "kid_zone": case.kid_zone,
        "prominent": case.prominent,
        "url": case.url,
        "canonical_url": case.canonical_url,
        "sealed_url": case.sealed_url or None,
        "unit": case.unit,
        "kind": case.kind,
        "method": case.method,
        "basis": case.basis,
        "tool": case.crawler,
        "stored_response": case.evidence,
        "response": None if case.restricted else responses.metadata(case.evidence),
        "published_at": _moment(case.published_at),
        "captured_at": _moment(case.captured_at),
        "text_sha256": case.text_sha256,
        "redactions": case.redactions,
        "category": case.category,
        "score": case.score,
        "model": case.model_version,
        "policy_digest": case.policy_digest,
        "decision": decision.pk if decision else None,
        "sealed_at": _moment(now),
        "operator": user.staff_no,
        "previous_sha256": previous,
    }


def _moment(moment: datetime | None) -> dict[str, str] | None:
    if moment is None:
        return None
    return {"utc": moment.astimezone(UTC).isoformat(), "local": timezone.localtime(moment).isoformat()}


def _store(content: bytes, digest: str) -> str:
    """Write the file under its digest; a whole one that is there already is kept, a torn one is replaced."""
    name = f"{FOLDER}/{digest[:2]}/{digest}.json"
    if default_storage.exists(name):
        with default_storage.open(name, "rb") as file:
            if canonical.sha256(file.read()) == digest:
                return name
        default_storage.delete(name)
    return default_storage.save(name, ContentFile(content))
