"""Own word rules that become wrong change nothing: the last right ones are on record."""

from __future__ import annotations

from pathlib import Path

import pytest

from casework import policies
from casework.models import AuditEntry, PolicyActivation
from classifiers import triage
from classifiers.errors import RuleError
from config.settings import get_settings
from workers import own_rules

pytestmark = [pytest.mark.django_db, pytest.mark.modes]

RULES = """\
category: self_harm
author: 巡查组
date: 2026-11-24
rules:
  - name: invented
    any: [榕树下见面词]
    strength: strong
    reason: invented for a test
"""
TEXTS = ["今晚榕树下见面词", "今天天气真好"]


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "rules").mkdir()
    here = get_settings().model_copy(update={"policy_dir": tmp_path})
    monkeypatch.setattr(own_rules, "get_settings", lambda: here)
    (tmp_path / "rules" / "ours.yaml").write_text(RULES, "utf-8")
    return tmp_path / "rules" / "ours.yaml"


def found() -> list[bool]:
    return [bool(hits) for hits in own_rules.load_with(own_rules.read).match(TEXTS)]


def test_the_last_right_ones_are_gone_on_with(file: Path) -> None:
    own_rules.note()
    own_rules.note()
    file.write_text(RULES.replace("strength: strong", "strength: mighty"), "utf-8")
    assert found() == [True, False]
    own_rules.note()
    assert PolicyActivation.objects.get().document == {"ours.yaml": RULES}
    assert AuditEntry.objects.get().subject == "policy:rules/"


def test_where_none_are_on_record_the_error_names_file_and_line(file: Path) -> None:
    file.write_text(RULES.replace("strength: strong", "strength: mighty"), "utf-8")
    with pytest.raises(RuleError, match=r"ours\.yaml:7: rule invented, rules\.0\.strength: found 'mighty'; allowed: "):
        own_rules.load_with(triage.load)
    with pytest.raises(RuleError, match=r"ours\.yaml:7"):
        own_rules.check()


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (("any: [", "any: [["), 7),
        (("self_harm", "harm"), 1),
        (("    any:", "    colour: red\n    any:"), 6),
        (("[榕树下见面词]", "['@nowhere']"), 5),
        (("    strength", "    pattern: '['\n    strength"), 5),
    ],
)
def test_every_mistake_has_its_line(file: Path, change: tuple[str, str], line: int) -> None:
    assert change[0] in RULES
    file.write_text(RULES.replace(*change), "utf-8")
    with pytest.raises(RuleError) as caught:
        own_rules.check()
    assert caught.value.line == line


def test_that_they_were_taken_away_is_on_record_too(file: Path) -> None:
    own_rules.note()
    file.unlink()
    own_rules.note()
    file.write_text("rules: [", "utf-8")
    assert found() == [False, False]


def test_a_worker_says_that_they_have_become_wrong_until_they_are_right(file: Path) -> None:
    watch = own_rules.Watch()
    watch.look()
    assert policies.wrong() == {}
    file.write_text("category: [", "utf-8")
    watch.look()
    assert "rules/ours.yaml:2" in policies.wrong()["rules/"][0]
    file.write_text(RULES, "utf-8")
    watch.look()
    assert policies.wrong() == {}
