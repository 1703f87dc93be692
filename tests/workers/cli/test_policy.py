"""`woodpecker policy`: a policy is put in force on the record, and taken back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import config.documents
import config.policy
import config.standing
import config.work
from casework import policies
from casework.models import PolicyActivation, Role, User
from config.settings import get_settings
from tests.casework.factories import make_user
from workers import crawling

pytestmark = pytest.mark.django_db
SITE = """\
title: 木棉论坛
class: forum_qa
basis: {kind: owner, document: 站方书面同意}
thresholds: {general: 0.6, kid_zone: 0.35, reason: 试行}
sections: [{slug: talk, title: 闲聊}]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    own = get_settings().model_copy(update={"policy_dir": tmp_path / "policy"})
    monkeypatch.setattr("config.settings.get_settings", lambda: own)
    for module in (config.policy, config.standing, config.work):
        monkeypatch.setattr(module, "get_settings", lambda: own)
    (tmp_path / "policy" / "sites").mkdir(parents=True)
    policies.forget()
    return tmp_path / "policy" / "sites"


@pytest.fixture
def lead() -> User:
    return make_user(Role.LEAD)


def test_a_policy_is_put_in_force_on_a_backtest_and_taken_back(
    woodpecker: Any, folder: Path, tmp_path: Path, lead: User
) -> None:
    (folder / "mumian.yaml").write_text(SITE, "utf-8")
    crawling.due()
    new, report = tmp_path / "mumian.yaml", tmp_path / "report.json"
    new.write_text(SITE.replace("0.6", "0.7"), "utf-8")
    change = {"policies": {"mumian": config.policy.load_site(new).digest}}
    told = {"format": "silver-woodpecker-backtest/1", "change": change, "lost": 3, "examples": ["…"]}
    report.write_text(json.dumps(told))
    done = woodpecker(
        "policy", "activate", str(new), "--as", lead.username, "--reason", "少误报", "--backtest", str(report), "--json"
    )
    assert done.code == 0, done.err
    assert policies.placement("mumian", "talk").thresholds["bullying"] == 0.7
    made = PolicyActivation.objects.get(pk=done.json["activation"])
    assert (made.by, made.reason, made.backtest["lost"]) == (lead.staff_no, "少误报", 3)
    assert "examples" not in made.backtest
    listed = woodpecker("policy", "history", "mumian", "--json").json["activations"]
    assert [one["by"] for one in listed] == [lead.staff_no, "system"]
    assert "少误报" in woodpecker("policy", "history").out

    assert woodpecker("policy", "revert", "mumian", "--as", lead.username).code == 0
    policies.forget()
    assert policies.placement("mumian", "talk").thresholds["bullying"] == 0.6
    assert woodpecker("policy", "revert", "mumian", "--as", lead.username).code == 0
    policies.forget()
    assert policies.placement("mumian", "talk").thresholds["bullying"] == 0.7


def test_a_wrong_file_is_not_put_in_force(woodpecker: Any, folder: Path, tmp_path: Path, lead: User) -> None:
    wrong = tmp_path / "mumian.yaml"
    wrong.write_text(SITE.replace("forum_qa", "forum"), "utf-8")
    done = woodpecker("policy", "activate", str(wrong), "--as", lead.username, "--json")
    assert (done.code, "mumian.yaml" in done.json["error"]) == (2, True)
    assert list(folder.iterdir()) == []


def test_nobody_puts_it_in_force_without_the_right_or_on_something_that_is_no_backtest(
    woodpecker: Any, folder: Path, tmp_path: Path, lead: User
) -> None:
    file, other = tmp_path / "mumian.yaml", tmp_path / "other.json"
    file.write_text(SITE, "utf-8")
    other.write_text("{}")
    reviewer = make_user(Role.REVIEWER)
    for options, said in (
        (("--as", "nobody"), "--as: found 'nobody'"),
        (("--as", reviewer.username), "lead or admin"),
        (("--as", lead.username, "--backtest", str(other)), "output of `woodpecker backtest --json`"),
        (("--as", lead.username, "--backtest", str(tmp_path / "none")), "FileNotFoundError"),
    ):
        done = woodpecker("policy", "activate", str(file), *options, "--json")
        assert (done.code, said in done.json["error"]) == (2, True), done.json
    assert (
        "no earlier policy" in woodpecker("policy", "revert", "mumian", "--as", lead.username, "--json").json["error"]
    )
    assert not PolicyActivation.objects.exists()


def test_what_holds_for_all_sites_is_put_in_force_and_taken_back(
    woodpecker: Any, folder: Path, tmp_path: Path, lead: User
) -> None:
    who, own = ("--as", lead.username, "--json"), folder.parent
    texts = {
        "work.yaml": "second_confirmation: [{severity: [S3]}]\n",
        "general.yaml": "thresholds: {general: 0.31, kid_zone: 0.3}\n",
        "classes/forum_qa.yaml": (config.documents.HERE / "classes/forum_qa.yaml").read_text("utf-8") + "\n",
    }
    for subject, text in texts.items():
        file = tmp_path / f"new-{Path(subject).name}"
        file.write_text(text, "utf-8")
        done = woodpecker("policy", "activate", str(file), *who)
        assert (done.code, done.json["subject"]) == (0, subject), done.err
        assert (own / subject).read_text("utf-8") == text
        assert woodpecker("policy", "history", subject, "--json").json["activations"][0]["by"] == lead.staff_no
    assert policies.work().asks_second({"severity": "S3"})
    assert policies.general().zone_thresholds("general")["bullying"] == 0.31
    assert woodpecker("policy", "revert", "work.yaml", *who).code == 0
    assert not policies.work().asks_second({"severity": "S3"})
    assert woodpecker("policy", "revert", "general.yaml", *who).code == 0
    assert policies.general() == config.policy.load_general(shipped=True)
    assert "no policy of one file" in woodpecker("policy", "revert", "rules/", *who).json["error"]


@pytest.mark.parametrize(
    ("file", "text", "change", "said"),
    [
        ("mumian.yaml", SITE, {"thresholds": {"bullying": 0.8}}, "another policy of mumian, or none"),
        ("work.yaml", "queues: []", {"work": "0" * 64}, "another work.yaml, or none"),
        ("g.yaml", "thresholds: {general: 0.3, kid_zone: 0.3}", {"thresholds": {"bullying": 0.8}}, "bullying=0.8"),
        ("g.yaml", "thresholds: {general: 0.3, kid_zone: 0.3}", {}, "no threshold"),
    ],
)
def test_a_report_that_tried_something_else_is_refused(  # noqa: PLR0913, PLR0917 - each is a part of the case
    woodpecker: Any, folder: Path, tmp_path: Path, lead: User, file: str, text: str, change: Any, said: str
) -> None:
    new, report = tmp_path / file, tmp_path / "report.json"
    new.write_text(text, "utf-8")
    report.write_text(json.dumps({"format": "silver-woodpecker-backtest/1", "change": change}))
    done = woodpecker("policy", "activate", str(new), "--as", lead.username, "--backtest", str(report), "--json")
    assert (done.code, said in done.json["error"]) == (2, True), done.json
    assert not PolicyActivation.objects.filter(by=lead.staff_no).exists()
