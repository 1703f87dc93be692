"""A change is replayed over what humans have decided: what it adds, what it loses, and what it costs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.utils import timezone
from numpy.typing import NDArray

from casework import policies
from casework.models import Case, CaseState, Decision, Role
from config.settings import get_settings
from config.taxonomy import SLUGS
from config.work import Work
from tests.casework.factories import SITE, make_case, make_restricted_case, make_user
from workers import backtest, backtest_queues
from workers.backtest import Change

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def flat_thresholds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every category at 0.5, whatever is measured for the shipped model."""
    real = policies.placement

    def flat(site: str, section: str) -> policies.Placement:
        found = real(site, section)
        return policies.Placement(dict.fromkeys(found.thresholds, 0.5), found.kid_zone, found.prominent, found.digest)

    monkeypatch.setattr(policies, "placement", flat)


def scored(score: float, **values: Any) -> Case:
    scores = dict.fromkeys(backtest.SLUGS, 0.01) | {"bullying": score}
    return make_case(scores=scores, score=score, **values)


def history() -> None:
    scored(0.95, state=CaseState.CONFIRMED)
    scored(0.6, state=CaseState.CONFIRMED)
    scored(0.55, state=CaseState.DISMISSED)
    scored(0.55)
    scored(0.3, state=CaseState.CONFIRMED, audit_sample=True)
    scored(0.1, state=CaseState.DISMISSED, audit_sample=True)
    make_restricted_case()
    old = scored(0.6)
    Case.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=31))


def test_a_higher_threshold_loses_cases_and_says_which_were_harmful() -> None:
    history()
    report = backtest.run(Change(thresholds={"bullying": 0.8}), minutes=3)
    total = report["sources"]["cases"]["total"]
    assert (total["before"], total["after"], total["lost"], total["added"]) == (4, 1, 3, 0)
    assert (total["lost_confirmed"], total["lost_dismissed"], total["lost_undecided"]) == (1, 1, 1)
    assert report["sources"]["cases"]["sites"][SITE]["lost"] == 3
    assert report["reviewer_hours"]["in_these_days"] == pytest.approx(-0.1, abs=0.06)
    assert (report["replayed"], report["left_out"]) == ({"cases": 6}, 1)
    assert [one["verdict"] for one in report["examples"]][0] == "confirmed"


def test_a_lower_threshold_adds_what_the_audit_sample_stands_for(monkeypatch: pytest.MonkeyPatch) -> None:
    own = get_settings().model_copy(update={"audit_rate": 0.05})
    monkeypatch.setattr(backtest, "get_settings", lambda: own)
    history()
    report = backtest.run(Change(thresholds={"bullying": 0.2}), minutes=3)
    total = report["sources"]["cases"]["total"]
    assert (total["added"], total["added_confirmed"], total["lost"]) == (20, 20, 0)
    assert report["reviewer_hours"] == {"in_these_days": 1.0, "per_week": 0.2}
    assert report["examples"][0]["sampled"]


def test_what_may_not_be_raised_is_not_raised() -> None:
    everything = dict.fromkeys(backtest.SLUGS, 0.9)
    limits = Change(thresholds=everything).after(SITE, "talk", dict.fromkeys(backtest.SLUGS, 0.5))
    assert (limits["sexual_exploitation"], limits["bullying"]) == (0.15, 0.9)


def test_changed_rules_are_read_again_and_texts_of_a_file_are_judged_with_them(tmp_path: Path) -> None:
    rules, file = tmp_path / "rules", tmp_path / "texts.jsonl"
    rules.mkdir()
    (rules / "gambling.yaml").write_text(
        "category: gambling\nauthor: unit\ndate: 2026-11-24\nrules:\n  - name: bamboo\n    any: [青竹摆件展]\n"
        "    strength: strong\n    reason: a made-up word\n    examples: {hit: [青竹摆件展开幕], miss: []}\n",
        "utf-8",
    )
    lines = [{"text": "周六在图书馆看青竹摆件展", "labels": ["gambling"]}, {"text": "下雨天记得带伞", "labels": []}]
    file.write_text("".join(json.dumps(one) + "\n" for one in lines), "utf-8")
    make_case("周六在图书馆看青竹摆件展", severity="S3")
    report = backtest.run(Change(rules=rules), source=file)
    found = report["sources"]["file"]["categories"]["gambling"]
    assert (found["added"], found["added_confirmed"]) == (1, 1)
    assert report["sources"]["cases"]["categories"]["gambling"]["added"] == 1
    assert {one["key"] for one in report["examples"] if one["group"] == "added"} >= {"line 1"}


@pytest.mark.parametrize(
    ("line", "said"),
    [('{"text": 1}', "line 1, text"), ("{", "line 1"), ('{"text": "", "labels": ["x"]}', "labels: found 'x'")],
)
def test_a_wrong_line_is_named(tmp_path: Path, line: str, said: str) -> None:
    file = tmp_path / "texts.jsonl"
    file.write_text(line + "\n")
    with pytest.raises(backtest.BacktestError, match=said):
        backtest.run(Change(thresholds={"bullying": 0.2}), source=file)


def test_a_reviewers_time_is_measured_from_past_decisions() -> None:
    assert backtest.minutes_per_case() is None
    user, now = make_user(Role.REVIEWER), timezone.now()
    for number in range(25):
        decision = Decision.objects.create(
            case=make_case(), finding="dismissed", decided_by=user, case_version=1, state_before="open"
        )
        Decision.objects.filter(pk=decision.pk).update(decided_at=now + timedelta(seconds=30 * number))
    assert backtest.minutes_per_case() == 0.5
    assert backtest.run(Change(thresholds={"bullying": 0.2}))["minutes_per_case"]["value"] == 0.5


def test_the_page_and_the_report_show_no_text_that_the_queue_would_mask() -> None:
    scored(0.6, text="你真是个大笨蛋", severity="S1")
    report = backtest.run(Change(thresholds={"bullying": 0.8}))
    page = backtest.page(report)
    assert "大笨蛋" not in page + json.dumps(report, ensure_ascii=False)
    assert "■" in page
    assert "http" not in page
    assert "不再出现" in page


def work(**queues: dict[str, Any]) -> Work:
    return Work.model_validate({"queues": [{"name": name, "title": name, **one} for name, one in queues.items()]})


def test_a_changed_queue_tells_which_cases_move_and_what_time_each_queue_takes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = work(sure={"score": {"least": 0.9}}, rest={"score": {"below": 0.9}}, done={"state": ["confirmed"]})
    monkeypatch.setattr(policies, "work", lambda: before)
    history()
    report = backtest.run(
        Change(work=work(sure={"score": {"least": 0.58}}, kids={"kid_zone": True})), days=30, minutes=60
    )
    queues = report["queues"]
    assert {name: (row["before"], row["after"], row["in"], row["out"]) for name, row in queues.items()} == {
        "sure": (1, 2, 1, 0), "rest": (3, 0, 0, 3), "kids": (0, 0, 0, 0), backtest_queues.NONE: (0, 2, 2, 0)
    }  # fmt: skip
    assert queues["rest"]["hours_per_week"] == {"before": 0.7, "after": 0.0}
    moves = {(tuple(move["from"]), tuple(move["to"])): move["n"] for move in report["moves"]}
    assert moves == {(("rest",), ("sure",)): 1, (("rest",), (backtest_queues.NONE,)): 2}
    assert (report["sources"]["cases"]["total"]["added"], report["sources"]["cases"]["total"]["lost"]) == (0, 0)
    assert [one["group"] for one in report["examples"]] == ["moved"] * 3
    page = backtest.page(report)
    assert "换队列" in page
    assert "不在任何队列" in page


def test_second_confirmations_are_counted_among_what_was_confirmed() -> None:
    history()
    two = Work.model_validate({"second_confirmation": [{"category": ["bullying"]}]})
    report = backtest.run(Change(work=two), days=7, minutes=30)
    second = report["second_confirmation"]
    assert (second["before"], second["after"]) == (0, 2)
    assert second["hours_per_week"]["after"] == 1.0


def test_a_changed_model_moves_cases_between_queues_as_its_scores_fall(monkeypatch: pytest.MonkeyPatch) -> None:
    low, high = work(grave={"severity": ["S1"]}), work(grave={"severity": ["S1"]})
    monkeypatch.setattr(policies, "work", lambda: low)
    scored(0.6)

    class Stub:
        def __init__(self, score: float) -> None:
            self._row = [score if slug == "gambling" else 0.9 - score if slug == "bullying" else 0.0 for slug in SLUGS]

        def scores(self, texts: Sequence[str]) -> NDArray[np.float64]:
            return np.array([self._row for _ in texts])

    monkeypatch.setattr(backtest, "load_cascade", lambda model, rules: Stub(0.8 if model == Path("new") else 0.2))
    report = backtest.run(Change(model=Path("new"), work=high))
    assert [(move["from"], move["to"]) for move in report["moves"]] == [(["grave"], [""])]
