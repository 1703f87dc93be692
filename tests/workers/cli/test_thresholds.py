"""`woodpecker thresholds`: policies get the thresholds that keep to their aim."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

import pytest

from config import policy
from config.proposing import with_measured
from config.settings import get_settings
from config.thresholds import Aim, AtThreshold, ByZone, GeneralPolicy, Measured, OrdinaryShare
from tests.classifiers.made_up import PLAIN, described, told_by_label

SETS = described("bets", told_by_label("gambling"), share=0.6) + described(
    "talk", "{says: {gambling: 0}}", "ordinary: true", share=0.6
)
RECIPE = "version: tiny\nseed: 5\nbits: 12\nsets_file: sets.yaml\ncolumns: {gambling: {}}\n"
POLICY = "# 说明\nthresholds: {general: 0.5, kid_zone: 0.3}\naim: {ordinary: [talk], general: 0.01, kid_zone: 0.03}\n"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    random = Random(3)
    talk = ["".join(random.sample(PLAIN, 6)) for _ in range(300)]
    rows = [{"text": text, "label": 0} for text in talk]
    bets = [{"text": f"{text}注册送彩金{k}", "label": 1} for k, text in enumerate(talk[::2])]
    (tmp_path / "talk.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    (tmp_path / "bets.jsonl").write_text("\n".join(map(json.dumps, [*bets, *rows[:50]])), "utf-8")
    (tmp_path / "sets.yaml").write_text(SETS, "utf-8")
    (tmp_path / "recipe.yaml").write_text(RECIPE, "utf-8")
    return tmp_path


@pytest.fixture
def policies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A policy folder whose classes all aim at the made-up talk."""
    folder = tmp_path / "policies"
    (folder / "classes").mkdir(parents=True)
    for path in (policy.HERE / "classes").glob("*.yaml"):
        lines = [line for line in path.read_text("utf-8").split("measured:")[0].splitlines() if "aim:" not in line]
        (folder / "classes" / path.name).write_text("\n".join(lines) + "\n", "utf-8")
    (folder / "general.yaml").write_text(POLICY, "utf-8")
    own = get_settings().model_copy(update={"policy_dir": folder})
    monkeypatch.setattr(policy, "get_settings", lambda: own)
    return folder


def test_a_policy_gets_thresholds_and_figures_and_keeps_everything_else(
    woodpecker: Any, data: Path, policies: Path
) -> None:
    done = woodpecker(
        "thresholds", "--data", str(data), "--into", str(policies), "--recipe", str(data / "recipe.yaml"), "--json"
    )
    assert done.code == 0, done.err
    assert done.json["general"]["categories"]["gambling"]["general"]["recall"] > 0.9
    assert "forum_qa.yaml: has no `aim`; left alone" in done.err
    text = (policies / "general.yaml").read_text("utf-8")
    assert text.startswith(POLICY)
    written = policy.load_general()
    assert written.measured is not None
    assert written.measured.ordinary.general <= 0.01
    assert written.zone_thresholds("general")["gambling"] == written.measured.categories["gambling"].general.threshold


def test_a_set_that_is_no_ordinary_talk_is_named_and_nothing_is_written(
    woodpecker: Any, data: Path, policies: Path
) -> None:
    (policies / "general.yaml").write_text(wrong := POLICY.replace("[talk]", "[bets]"), "utf-8")
    done = woodpecker("thresholds", "--data", str(data), "--into", str(policies), "--recipe", str(data / "recipe.yaml"))
    assert done.code == 2
    assert "aim.ordinary: found 'bets'; allowed: talk" in done.err
    assert (policies / "general.yaml").read_text("utf-8") == wrong


def test_a_second_proposal_takes_the_place_of_the_first(tmp_path: Path) -> None:
    path = tmp_path / "general.yaml"
    path.write_text(POLICY, "utf-8")
    for threshold in (0.4, 0.6):
        figures = AtThreshold(threshold=threshold, recall=0.5, precision=0.5)
        measured = Measured(
            model="m",
            date=date(2026, 11, 27),
            ordinary=OrdinaryShare(general=0.01, kid_zone=0.02),
            categories={"gambling": ByZone(general=figures, kid_zone=figures)},
        )
        path.write_text(with_measured(path, measured), "utf-8")
    assert path.read_text("utf-8").count("measured:") == 1
    assert "threshold: 0.6" in path.read_text("utf-8")


def test_a_policy_without_measurements_has_one_value_for_every_category() -> None:
    plain = GeneralPolicy.model_validate({"thresholds": {"general": 0.5, "kid_zone": 0.3}})
    assert set(plain.zone_thresholds("kid_zone").values()) == {0.3, 0.15}
    assert Aim(ordinary=("talk",), general=0.01, kid_zone=0.03)
