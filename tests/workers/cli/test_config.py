"""`woodpecker config`: a newcomer writes a site file, gets it wrong, and is told what to mend."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from config.policy import load_class
from workers.cli.output import console

SITE = """\
title: 梧桐里
class: forum_qa
basis: {kind: owner, document: 站方 2026-03-01 书面同意}
base_url: https://forum.example/
sections:
  - {slug: talk, title: 闲聊}
  - {slug: kids, title: 少年版, kid_zone: true}
overrides:
  - {category: bullying, value: 0.8, zone: general, reason: 版内玩笑多}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "wutongli.yaml"
    path.write_text(SITE, "utf-8")
    return path


def test_everything_that_is_shipped_is_right(woodpecker: Any) -> None:
    done = woodpecker("config", "check")
    assert done.code == 0
    assert "nothing wrong" in done.out


def test_wrong_files_are_told_together_and_nothing_else_is_said(woodpecker: Any, file: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(SITE.replace("0.8", "1.4").replace("slug: kids", "slgu: kids"), "utf-8")

    done = woodpecker("config", "check", str(file), str(wrong), str(tmp_path / "absent.yaml"), "--json")

    assert done.code == 2
    assert done.json["checked"] == 3
    told = {(Path(one["file"]).name, one["line"], one["field"], one["nearest"]) for one in done.json["problems"]}
    assert told == {
        ("wrong.yaml", 7, "sections.1.slug", None),
        ("wrong.yaml", 7, "sections.1.slgu", "slug"),
        ("wrong.yaml", 9, "overrides.0.value", None),
        ("absent.yaml", None, "(file)", None),
    }
    assert f"{wrong}:9: overrides.0.value: found 1.4; allowed: less than 1." in done.err


def test_explain_tells_each_value_its_place_and_the_thresholds_that_follow(
    woodpecker: Any, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console, "width", 300)  # enough for the longest folder of a test
    done = woodpecker("config", "explain", str(file))

    assert done.code == 0
    rows = {line.split("│")[1].strip(): line for line in done.out.splitlines() if line.count("│") > 3}
    assert "wutongli.yaml:7" in rows["sections.1.kid_zone"]
    assert "config/classes/forum_qa.yaml:6" in rows["thresholds.general"]
    kids = f"{load_class('forum_qa').zone_thresholds('kid_zone')['bullying']:g}"
    assert [part.strip() for part in rows["bullying"].split("│")[2:5]] == ["0.8", kids, "版内玩笑多"]
    assert [part.strip() for part in rows["sexual_exploitation"].split("│")[2:4]] == ["0.15", "0.15"]


def test_explain_tells_a_machine_the_thresholds_of_each_section(woodpecker: Any, file: Path) -> None:
    found = woodpecker("config", "explain", str(file), "--json").json
    assert (found["thresholds"]["talk"]["bullying"], found["thresholds"]["kids"]["bullying"]) == (
        0.8,
        load_class("forum_qa").zone_thresholds("kid_zone")["bullying"],
    )
    assert {"field": "title", "value": "梧桐里", "file": str(file), "line": 1} in found["values"]


def test_explain_of_a_site_that_is_not_there_names_those_that_are(woodpecker: Any) -> None:
    done = woodpecker("config", "explain", "demoo", "--json")
    assert done.code == 2
    assert done.json["problems"][0]["nearest"] == "demo"


def test_the_schema_is_json(woodpecker: Any) -> None:
    assert json.loads(woodpecker("config", "schema").out)["title"] == "Site file"
