"""Which policy held when is on record, and a file that has become wrong changes nothing."""

from pathlib import Path

import pytest

import config.policy
from casework import activations, audit, policies
from casework.models import AuditEntry, Role
from config.policy import load_site
from config.settings import get_settings
from config.site_policy import SitePolicy
from tests.casework.factories import make_user
from tests.casework.test_policies import SITE

pytestmark = [pytest.mark.django_db, pytest.mark.modes]


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "policy" / "sites"
    folder.mkdir(parents=True)
    own = get_settings().model_copy(update={"policy_dir": folder.parent})
    monkeypatch.setattr(config.policy, "get_settings", lambda: own)
    monkeypatch.setattr(policies, "KEPT_SECONDS", 0.0)
    (folder / "mumian.yaml").write_text(SITE, "utf-8")
    return folder / "mumian.yaml"


def put_in_force(file: Path) -> None:
    activations.note(load_site("mumian"), file.read_text("utf-8"))


def test_a_policy_is_recorded_once_with_what_it_said(file: Path) -> None:
    put_in_force(file)
    put_in_force(file)
    found = activations.last("mumian")
    assert found is not None
    assert (found.by, found.content, found.digest) == ("system", SITE, load_site("mumian").digest)
    entry = AuditEntry.objects.get(action="policy.activate")
    assert (entry.subject, entry.details["before"]) == ("site:mumian", "")


@pytest.mark.parametrize("name", config.policy.list_sites())
def test_a_recorded_policy_is_the_policy_again(name: str) -> None:
    policy = load_site(name)
    made = activations.note(policy, "")
    assert made is not None
    made.refresh_from_db()
    again = activations.policy_of(made)
    assert again is not None
    assert again.digest == policy.digest


def test_a_file_that_becomes_wrong_leaves_the_old_policy_in_force_and_that_is_said(file: Path) -> None:
    before = policies.placement("mumian", "talk")
    file.write_text(SITE.replace("0.8", "1.8"), "utf-8")
    assert policies.placement("mumian", "talk") == before
    assert "1.8" in policies.wrong()["mumian"][0]
    file.write_text(SITE.replace("0.8", "0.7"), "utf-8")
    assert policies.placement("mumian", "talk").thresholds["bullying"] == 0.7
    assert policies.wrong() == {}


def test_after_a_restart_too(file: Path) -> None:
    put_in_force(file)
    before = policies.placement("mumian", "kids")
    file.write_text("class: [", "utf-8")
    policies.forget()
    assert policies.placement("mumian", "kids") == before
    assert policies.wrong()


def test_a_file_that_is_gone_leaves_no_policy(file: Path) -> None:
    put_in_force(file)
    file.unlink()
    policies.forget()
    assert policies.effective("mumian") is None


def test_a_record_that_is_no_longer_understood_is_no_policy(file: Path) -> None:
    put_in_force(file)
    found = activations.last("mumian")
    assert found is not None
    found.document["sections"] = []
    assert activations.policy_of(found) is None


def test_who_put_it_in_force_and_the_policy_before(file: Path) -> None:
    put_in_force(file)
    assert activations.before_last("mumian") is None
    first, lead = load_site("mumian"), make_user(Role.LEAD)
    second: SitePolicy = first.model_copy(update={"title": "新木棉"})
    made = activations.note(second, "…", lead, reason="改名", backtest={"added": 1})
    assert made is not None
    assert (made.by, made.reason, made.backtest) == (lead.staff_no, "改名", {"added": 1})
    before = activations.before_last("mumian")
    assert before is not None
    assert before.digest == first.digest
    assert audit.verify().whole
