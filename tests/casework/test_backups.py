"""What is no whole backup, or does not fit, is refused by name and nothing is changed."""

from __future__ import annotations

import gzip
import io
import tarfile
from pathlib import Path

import pytest

from casework import anchors, audit, backups, evidence, restoring, status
from casework.models import AuditEntry, Case
from config.settings import get_settings
from tests.casework.factories import make_case, make_user

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.modes]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    own = tmp_path / "anchors"
    monkeypatch.setattr(anchors, "folder", lambda: own)
    return own


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    evidence.seal(make_case("一句话"), make_user())
    anchors.write()
    backups.make(tmp_path / "backup.tgz")
    return tmp_path / "backup.tgz"


def members(path: Path) -> dict[str, bytes]:
    with tarfile.open(path) as tar:
        return {info.name: tar.extractfile(info).read() for info in tar}  # type: ignore[union-attr]


def write(path: Path, content: dict[str, bytes], kind: bytes = tarfile.REGTYPE) -> None:
    with tarfile.open(path, "w:gz") as tar:
        for name, data in content.items():
            info = tarfile.TarInfo(name)
            info.size, info.type = len(data), kind
            tar.addfile(info, io.BytesIO(data))


def test_a_backup_holds_every_row_and_file_and_says_so(backup: Path) -> None:
    manifest = backups.check(backup)
    assert manifest.rows["casework_case"] == manifest.rows["casework_evidencerecord"] == 1
    names = [one.name.split("/")[0] for one in manifest.members]
    assert names.count("files") == 1
    assert names[0] in {"database.sqlite3", "tables"}
    assert AuditEntry.objects.latest("sequence").action == "backup.make"
    assert manifest.audit_hash == AuditEntry.objects.latest("sequence").hash


def test_the_key_that_this_installation_made_goes_with_it_unless_one_does_not_want_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = get_settings().model_copy(update={"data_dir": tmp_path, "secret_key": type(get_settings().secret_key)("")})
    monkeypatch.setattr(backups, "get_settings", lambda: own)
    (tmp_path / "secret_key").write_text("k" * 40)
    assert backups.make(tmp_path / "one.tgz").has("secret_key")
    assert not backups.make(tmp_path / "two.tgz", with_key=False).has("secret_key")


def test_a_backup_that_was_cut_off_or_changed_is_refused(backup: Path, tmp_path: Path) -> None:
    spoilt = tmp_path / "spoilt.tgz"
    whole = backup.read_bytes()
    inside = members(backup)
    first = next(iter(inside))
    file = next(name for name in inside if name.startswith("files/"))

    def refused(match: str) -> None:
        with pytest.raises(backups.BackupError, match=match):
            restoring.restore(spoilt, replace=True)

    for content in (b"", b"text", whole[: len(whole) // 2], gzip.compress(b"text")):
        spoilt.write_bytes(content)
        refused("not a backup, or not whole|ends before manifest.json")
    write(spoilt, {name: data for name, data in inside.items() if name != "manifest.json"})
    refused("ends before manifest.json")
    write(
        spoilt, {**inside, file: inside[file].replace(b"comment", b"tnemmoc"), "manifest.json": inside["manifest.json"]}
    )
    refused(f"{file} is not as it was")
    write(spoilt, {name: data for name, data in inside.items() if name != first})
    refused(f"{first} is not as it was")
    write(spoilt, {"further": b"", **inside})
    refused("further is not in the manifest")
    write(spoilt, {"../escape": b"", **inside})
    refused("'../escape'")
    write(spoilt, {"files/link": b"", **inside}, kind=tarfile.SYMTYPE)
    refused("plain files")
    assert Case.objects.get().text == "一句话"
    assert not (tmp_path.parent / "escape").exists()


def test_a_backup_of_a_newer_program_or_another_database_is_refused(backup: Path, tmp_path: Path) -> None:
    inside, spoilt = members(backup), tmp_path / "spoilt.tgz"
    vendor = backups.check(backup).vendor
    other = {"sqlite": "postgresql", "postgresql": "sqlite"}[vendor]
    for old, new, said in (
        (f'"vendor": "{vendor}"', f'"vendor": "{other}"', f"the backup is of {other}"),
        ('"0002_audit_append_only"', '"0999_later"', "casework.0999_later is not known here"),
    ):
        manifest = inside["manifest.json"].decode().replace(old, new)
        write(spoilt, {**inside, "manifest.json": manifest.encode()})
        with pytest.raises(backups.BackupError, match=said):
            restoring.restore(spoilt, replace=True)


def test_nothing_is_replaced_unasked_or_under_a_running_worker(backup: Path) -> None:
    with pytest.raises(backups.BackupError, match="--replace"):
        restoring.restore(backup)
    status.beat(status.WORK)
    with pytest.raises(backups.BackupError, match="stop every part first"):
        restoring.restore(backup, replace=True)
    assert AuditEntry.objects.filter(action="backup.restore").count() == 0


def test_anchors_of_what_a_restore_takes_back_are_set_aside(folder: Path) -> None:
    audit.record("test.act", audit.SYSTEM, "thing:1")
    first = anchors.write()
    audit.record("test.act", audit.SYSTEM, "thing:1")
    anchors.write()
    assert first is not None
    assert len(anchors.set_aside(first.anchor.audit_sequence)) == 1
    assert [one.sequence for one in anchors.kept()] == [first.anchor.audit_sequence]
    assert len(list((folder / "superseded").iterdir())) == 1


def test_a_file_that_goes_while_the_backup_is_made_does_not_break_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = backups.stored
    monkeypatch.setattr(backups, "stored", lambda folder: [*listed(folder), "responses/ab/.half-written.part"])
    manifest = backups.make(tmp_path / "backup.tgz")
    assert not manifest.has("files/responses/ab/.half-written.part")
    assert backups.check(tmp_path / "backup.tgz") == manifest


def test_a_file_that_cannot_be_written_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(backups._Writer, "write", full)
    with pytest.raises(OSError, match="No space"):
        backups.make(tmp_path / "backup.tgz")
    assert [path.name for path in tmp_path.iterdir() if "backup" in path.name] == []
