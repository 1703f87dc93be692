"""Sealed packages: by content, chained, checked offline."""

import json
from pathlib import Path

import pytest
from django.core.files.storage import default_storage

from casework import canonical, evidence
from casework.models import AuditEntry, ChainHead, EvidenceRecord, Role
from tests.casework.factories import make_case, make_restricted_case, make_user
from tests.casework.threads import at_once

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.modes]


def sealed(count: int = 1) -> list[EvidenceRecord]:
    user = make_user()
    return [evidence.seal(make_case(f"第{n}条"), user) for n in range(count)]


def content_of(record: EvidenceRecord) -> bytes:
    with default_storage.open(record.path, "rb") as file:
        return bytes(file.read())


def test_a_package_lies_under_its_own_digest_and_says_where_when_how() -> None:
    case, user = make_case(), make_user()
    record = evidence.seal(case, user)
    content = content_of(record)
    assert record.path == f"evidence/{record.sha256[:2]}/{record.sha256}.json"
    assert (canonical.sha256(content), canonical.sm3(content)) == (record.sha256, record.sm3)
    package = json.loads(content)
    assert package["text"] == case.text
    meta = package["meta"]
    assert (meta["url"], meta["operator"], meta["tool"]) == (case.url, user.staff_no, case.crawler)
    assert meta["captured_at"] == {"utc": "2026-11-20T08:30:00+00:00", "local": "2026-11-20T16:30:00+08:00"}


def test_the_standard_digest_of_abc_comes_out() -> None:
    # GB/T 32905-2016, appendix A.1
    assert canonical.sm3(b"abc") == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"


def test_packages_are_numbered_and_chained() -> None:
    first, second = sealed(2)
    assert (first.previous_sha256, second.previous_sha256) == ("", first.sha256)
    assert first.number.endswith("-000001")
    assert json.loads(content_of(second))["meta"]["previous_sha256"] == first.sha256
    assert evidence.verify_all() == []


def test_a_restricted_case_seals_metadata_and_the_digest_of_the_text_alone() -> None:
    case = make_restricted_case()
    package = json.loads(content_of(evidence.seal(case, make_user(Role.DUTY))))
    assert package["text"] is None
    assert package["meta"]["text_sha256"] == case.text_sha256


def test_a_changed_file_is_named(files_folder: Path) -> None:
    _, second, _ = sealed(3)
    path = files_folder / second.path
    path.write_bytes(path.read_bytes().replace("第1条".encode(), "第9条".encode()))
    assert [broken.number for broken in evidence.verify_all()] == [second.number]


def test_a_missing_file_is_named(files_folder: Path) -> None:
    (record,) = sealed()
    (files_folder / record.path).unlink()
    (broken,) = evidence.verify_all()
    assert (broken.number, "无法读取" in broken.why) == (record.number, True)


def test_a_removed_record_breaks_the_chain() -> None:
    _, second, third = sealed(3)
    second.delete()
    assert [broken.number for broken in evidence.verify_all()] == [third.number]
    third.delete()
    assert [broken.number for broken in evidence.verify_all()] == [""]


def test_a_changed_record_is_named() -> None:
    (record,) = sealed()
    EvidenceRecord.objects.update(case=make_case())
    assert [broken.number for broken in evidence.verify_all()] == [record.number]


def test_a_torn_file_of_a_killed_process_is_written_again(files_folder: Path) -> None:
    (record,) = sealed()
    content = content_of(record)
    (files_folder / record.path).write_bytes(content[:10])
    assert evidence._store(content, record.sha256) == record.path
    assert content_of(record) == content


def test_a_destroyed_package_leaves_its_digests_and_a_whole_chain(files_folder: Path) -> None:
    record, _ = sealed(2)
    assert evidence.destroy(record.case) == 1
    assert not (files_folder / record.path).exists()
    assert evidence.verify_all() == []
    assert evidence.latest(record.case) is None
    assert AuditEntry.objects.filter(action="evidence.destroy").count() == 1
    assert ChainHead.objects.get(name="evidence").sequence == 2


def test_files_are_for_this_program_alone(files_folder: Path) -> None:
    (record,) = sealed()
    assert (files_folder / record.path).stat().st_mode & 0o077 == 0


def test_packages_sealed_at_the_same_instant_make_one_chain() -> None:
    user, many = make_user(), [make_case() for _ in range(4)]
    at_once(4, lambda number: evidence.seal(many[number], user))
    assert evidence.verify_all() == []
    assert EvidenceRecord.objects.count() == 4
