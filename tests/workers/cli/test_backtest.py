"""`woodpecker backtest`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.workers.test_backtest import flat_thresholds, history  # noqa: F401 - holds for these tests too
from workers import backtest

pytestmark = pytest.mark.django_db


def test_the_command_prints_writes_and_refuses(woodpecker: Any, tmp_path: Path) -> None:
    history()
    html = tmp_path / "report.html"
    done = woodpecker("backtest", "--threshold", "bullying=0.8", "--html", str(html), "--json")
    assert (done.code, done.json["format"]) == (0, backtest.FORMAT)
    assert "策略回测" in html.read_text("utf-8")
    assert "hours a week" in woodpecker("backtest", "--threshold", "all=0.8", "--minutes", "2").out
    queues = tmp_path / "work.yaml"
    queues.write_text("queues:\n  - {name: all, title: 全部}\n", "utf-8")
    moved = woodpecker("backtest", "--queues", str(queues), "--json")
    assert (moved.code, moved.json["queues"]["all"]["after"]) == (0, 4)
    for options, said in (
        ((), "found no change"),
        (("--threshold", "bully=0.8"), "found 'bully=0.8'"),
        (("--threshold", "bullying=2"), "between 0 and 1"),
        (("--rules", str(tmp_path / "none")), "no such folder"),
        (("--policy", str(tmp_path / "none.yaml")), "none.yaml"),
        (("--queues", str(tmp_path / "none.yaml")), "none.yaml"),
    ):
        wrong = woodpecker("backtest", *options, "--json")
        assert (wrong.code, said in wrong.json["error"]) == (2, True), wrong.json
