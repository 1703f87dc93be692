"""`woodpecker backup` and `restore`: what is put back is what was there, and that can be taken back."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings

from casework import anchors, audit, decisions, evidence, intake, status
from casework.models import Batch, Case, Outbox, Role
from tests.casework.factories import make_assessment, make_capture, make_user

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.modes]


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    """Evidence files and anchors of this test alone."""
    monkeypatch.setattr(anchors, "folder", lambda: tmp_path / "anchors")
    options = {"location": str(tmp_path / "files"), "file_permissions_mode": 0o600}
    settings.STORAGES = dict(django_settings.STORAGES) | {
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": options}
    }


def lasting() -> dict[str, object]:
    """What of a state does not depend on which processes run, and the texts and files behind it."""
    found = status.snapshot()
    texts = list(Case.objects.order_by("id").values_list("id", "text", "state"))
    return {name: found[name] for name in ("inbox", "captures", "assessed", "cases")} | {
        "texts": texts,
        "evidence": evidence.verify_all(),
    }


def some_work(count: int) -> None:
    captures = [make_capture(f"你真笨{'呀' * count}{'嘛' * n}") for n in range(count)]
    (batch_id,) = intake.receive(captures).batch_ids
    made = intake.complete(batch_id, [(one, make_assessment({"bullying": 0.9})) for one in captures])
    decisions.decide(made[0], make_user(Role.LEAD), "confirmed", expected_version=1, category="bullying")
    intake.receive([make_capture("还在等")])


def test_a_restored_installation_is_the_one_that_was_backed_up_and_that_can_be_taken_back(
    woodpecker: Any, tmp_path: Path, index_away: None
) -> None:
    some_work(3)
    Outbox.objects.all().delete()
    before, file = lasting(), tmp_path / "backup.tgz"
    made = woodpecker("backup", str(file), "--json")
    assert (made.code, made.json["rows"]["case"], stat.S_IMODE(file.stat().st_mode)) == (0, 3, 0o600)
    anchors.write()
    some_work(5)
    anchors.write()
    changed = lasting()
    assert changed != before
    assert "is whole" in woodpecker("restore", str(file), "--check").out
    refused = woodpecker("restore", str(file), "--json")
    assert (refused.code, "--replace" in refused.json["error"]) == (2, True)
    assert lasting() == changed

    back = woodpecker("restore", str(file), "--replace", "--json")
    assert (back.code, back.json["audit_whole"]) == (0, True), back.err
    assert lasting() == before
    own = Case.objects.filter(copy_of=None).order_by("id").values_list("id", flat=True)
    assert list(Outbox.objects.order_by("pk").values_list("pk", flat=True)) == list(own)
    assert Batch.objects.get().sent_at is None
    assert woodpecker("audit", "verify").code == 0
    some_work(2)  # work goes on: numbers, chains and files follow each other
    assert evidence.verify_all() == []
    assert audit.verify().whole

    undone = woodpecker("restore", back.json["kept"], "--replace", "--json")
    assert (undone.code, undone.json["audit_whole"]) == (0, True), undone.err
    assert lasting() == changed


@pytest.mark.parametrize("arguments", [("restore", "{nowhere}"), ("restore", "{nowhere}", "--check")])
def test_a_file_that_is_not_there_is_named(woodpecker: Any, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = woodpecker(*(one.format(nowhere=tmp_path / "none.tgz") for one in arguments), "--json")
    assert (done.code, "none.tgz" in done.json["error"]) == (2, True)


def test_a_folder_that_is_not_there_is_named(woodpecker: Any, tmp_path: Path) -> None:
    done = woodpecker("backup", str(tmp_path / "nowhere" / "backup.tgz"), "--json")
    assert (done.code, "No such file" in done.json["error"]) == (1, True)
