"""Anchors: what was written down elsewhere shows that a chain was computed anew."""

import json
from pathlib import Path

import pytest

from casework import anchors, audit, evidence
from casework.errors import InvalidInput
from tests.casework.factories import make_case, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    own = tmp_path / "anchors"
    monkeypatch.setattr(anchors, "folder", lambda: own)
    return own


def test_an_anchor_names_the_last_entry_of_both_chains(folder: Path) -> None:
    record = evidence.seal(make_case(), make_user())
    entry = audit.record("test.act", audit.SYSTEM, "thing:1")
    written = anchors.write()
    assert written is not None
    assert written.new
    assert written.path.parent == folder
    assert (written.anchor.audit_sequence, written.anchor.audit_hash) == (entry.sequence, entry.hash)
    assert written.anchor.evidence_hash == record.sha256
    assert anchors.read(written.path) == written.anchor
    assert list(anchors.kept()) == [audit.head()]


def test_what_has_not_grown_is_not_anchored_again(folder: Path) -> None:
    audit.record("test.act", audit.SYSTEM, "thing:1")
    first, again = anchors.write(), anchors.write()
    assert first is not None
    assert again is not None
    assert (again.path, again.new) == (first.path, False)
    audit.record("test.act", audit.SYSTEM, "thing:1")
    anchors.write()
    assert len(list(folder.iterdir())) == 2


def test_where_nothing_was_recorded_there_is_nothing_to_anchor() -> None:
    assert anchors.write() is None
    assert list(anchors.kept()) == []


@pytest.mark.parametrize(
    "spoil", [lambda one: one | {"audit_sequence": 9}, lambda one: one | {"more": 1}, lambda _: []]
)
def test_an_anchor_that_was_changed_is_refused_by_name(spoil: object) -> None:
    audit.record("test.act", audit.SYSTEM, "thing:1")
    written = anchors.write()
    assert written is not None
    content = json.loads(written.path.read_text())
    written.path.chmod(0o600)
    written.path.write_text(json.dumps(spoil(content)))  # type: ignore[operator]
    with pytest.raises(InvalidInput, match=written.path.name):
        anchors.read(written.path)


def test_anchors_kept_elsewhere_are_read_from_a_folder_or_a_file(tmp_path: Path) -> None:
    audit.record("test.act", audit.SYSTEM, "thing:1")
    written = anchors.write(tmp_path / "elsewhere")
    assert written is not None
    assert len(list(anchors.kept([tmp_path / "elsewhere"]))) == 1
    assert len(list(anchors.kept([written.path]))) == 1
    with pytest.raises(FileNotFoundError):
        list(anchors.kept([tmp_path / "nowhere"]))
