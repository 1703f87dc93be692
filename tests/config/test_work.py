"""Queues and second confirmations: read from one file, wrong ones named."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from casework import policies
from config import work
from config.problems import PolicyError
from config.settings import get_settings
from config.work import Condition, Queue, Work, load_work


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    here = get_settings().model_copy(update={"policy_dir": tmp_path})
    monkeypatch.setattr(work, "get_settings", lambda: here)
    return tmp_path / "work.yaml"


def test_what_is_shipped_is_right_and_asks_for_nothing_that_no_lead_chose() -> None:
    shipped = load_work(shipped=True)
    assert [queue.name for queue in shipped.queues][:2] == ["urgent", "kids"]
    assert shipped.second_confirmation == ()


def test_a_queue_is_told_as_filters_of_the_search() -> None:
    queue = Queue(
        name="q",
        title="甲",
        category=("gambling",),
        severity=("S1",),
        kid_zone=True,
        score={"least": 0.5, "below": 0.8},
    )
    assert queue.filters() == {
        "state": ["open"],
        "category": ["gambling"],
        "severity": ["S1"],
        "kid_zone": ["true"],
        "score": ["0.5-0.8"],
    }


@pytest.mark.parametrize(
    ("condition", "fits"),
    [
        ({}, True),
        ({"severity": ["S1"]}, True),
        ({"severity": ["S0"]}, False),
        ({"category": ["gambling", "bullying"]}, True),
        ({"category": ["gambling"], "severity": ["S1"]}, False),
        ({"kid_zone": False}, False),
        ({"site": ["demo"], "platform_class": ["forum_qa"]}, True),
        ({"score": {"least": 0.8}}, False),
        ({"score": {"below": 0.8}}, True),
    ],
)
def test_a_condition_fits_when_all_that_it_names_holds(condition: dict[str, object], fits: bool) -> None:
    case = {"categories": ["bullying"], "severity": "S1", "kid_zone": True, "site": "demo"}
    case |= {"platform_class": "forum_qa", "score": 0.7}
    assert Condition.model_validate(condition).fits(case) is fits


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("queues: [{name: a, title: 甲, severity: [S9]}]", "queues.0.severity.0"),
        ("queues: [{name: a, title: 甲, category: [politics]}]", "queues.0.category"),
        ("queues: [{name: a, title: 甲, state: [gone]}]", "queues.0.state.0"),
        ("queues: [{name: a, title: 甲}, {name: a, title: 乙}]", "queues"),
        ("second_confirmation: [{score: {least: 0.9, below: 0.1}}]", "second_confirmation.0.score"),
        ("second: []", "second"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(own: Path, text: str, field: str) -> None:
    own.write_text(text, "utf-8")
    with pytest.raises(PolicyError) as caught:
        load_work()
    problem = caught.value.problems[0]
    assert (problem.file, problem.line, problem.field) == (str(own), 1, field)


@pytest.mark.django_db
def test_a_file_that_becomes_wrong_changes_nothing_and_is_told(own: Path) -> None:
    own.write_text("queues: [{name: only, title: 唯一}]", "utf-8")
    assert [queue.name for queue in policies.work().queues] == ["only"]
    own.write_text("queues: [{name: Only, title: 唯一, colour: red}]", "utf-8")
    assert [queue.name for queue in policies.work().queues] == ["only"]
    assert any("colour" in one for one in policies.wrong()["work.yaml"])
    own.unlink()
    assert policies.wrong() == {}


def test_a_policy_does_not_change_once_read() -> None:
    with pytest.raises(ValidationError):
        Work().queues = ()  # type: ignore[misc]
