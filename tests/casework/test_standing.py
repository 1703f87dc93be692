"""`work.yaml` and `general.yaml`: what held goes on holding while the file is wrong, restarts included."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import DatabaseError, transaction

import config.policy
import config.standing
import config.work
from casework import activations, policies
from casework.models import AuditEntry, PolicyActivation
from config.settings import get_settings

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.modes]

TWO = "second_confirmation: [{severity: [S3]}]\n"
LOW = "thresholds: {general: 0.21, kid_zone: 0.2}\n"
GRAVE, MILD = {"severity": "S1"}, {"severity": "S3"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    own = get_settings().model_copy(update={"policy_dir": tmp_path})
    for module in (config.policy, config.standing, config.work):
        monkeypatch.setattr(module, "get_settings", lambda: own)
    policies.forget()
    return tmp_path


def threshold() -> float:
    return policies.placement("nowhere", "talk").thresholds["bullying"]


def test_what_the_lead_asked_for_goes_on_after_a_restart_while_the_file_is_wrong(folder: Path) -> None:
    (folder / "work.yaml").write_text(TWO, "utf-8")
    (folder / "general.yaml").write_text(LOW, "utf-8")
    assert policies.work().asks_second(MILD)
    assert threshold() == 0.21

    (folder / "work.yaml").write_text("second_confirmation: [{severety: [S3]}]\n", "utf-8")
    (folder / "general.yaml").write_text("thresholds: 1\n", "utf-8")
    policies.forget()

    assert policies.work().asks_second(MILD)
    assert threshold() == 0.21
    assert "work.yaml:1: second_confirmation.0.severety" in policies.wrong()["work.yaml"][0]
    assert "general.yaml:1: thresholds" in policies.wrong()["general.yaml"][0]


def test_it_is_recorded_once_with_its_text_whoever_reads_it(folder: Path) -> None:
    (folder / "work.yaml").write_text(TWO, "utf-8")
    for _ in range(3):
        policies.work()
        policies.forget()
    made = PolicyActivation.objects.get()
    assert (made.subject, made.by, made.content) == ("work.yaml", "system", TWO)
    assert AuditEntry.objects.get().subject == "policy:work.yaml"


def test_where_nothing_is_on_record_what_is_grave_needs_a_second_person(folder: Path) -> None:
    (folder / "work.yaml").write_text("queues: [", "utf-8")
    assert policies.work().asks_second(GRAVE)
    assert not policies.work().asks_second(MILD)
    assert [queue.name for queue in policies.work().queues][:1] == ["urgent"]
    assert policies.wrong()


def test_a_record_that_is_no_longer_understood_is_as_none(folder: Path) -> None:
    (folder / "work.yaml").write_text(TWO, "utf-8")
    policies.work()
    PolicyActivation.objects.update(document={"colours": []})
    (folder / "work.yaml").write_text("queues: [", "utf-8")
    policies.forget()
    assert policies.work().asks_second(GRAVE)


def test_the_shipped_file_is_recorded_only_after_one_of_our_own(folder: Path) -> None:
    policies.work()
    assert not PolicyActivation.objects.exists()
    (folder / "work.yaml").write_text(TWO, "utf-8")
    policies.work()
    (folder / "work.yaml").unlink()
    policies.work()
    (folder / "work.yaml").write_text("queues: [", "utf-8")
    policies.forget()
    assert not policies.work().asks_second(MILD)
    assert PolicyActivation.objects.count() == 2


def test_a_decision_that_is_rolled_back_records_nothing_and_the_next_use_does(folder: Path) -> None:
    (folder / "work.yaml").write_text(TWO, "utf-8")
    with pytest.raises(ValueError), transaction.atomic():  # noqa: PT011, PT012 - raised here
        policies.work()
        raise ValueError
    assert not PolicyActivation.objects.exists()
    policies.work()
    assert PolicyActivation.objects.count() == 1


def test_a_database_that_cannot_be_written_changes_nothing_of_what_holds(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise DatabaseError("full")

    (folder / "work.yaml").write_text(TWO, "utf-8")
    monkeypatch.setattr(activations, "note", full)
    assert policies.work().asks_second(MILD)
    monkeypatch.undo()
    assert not PolicyActivation.objects.exists()
