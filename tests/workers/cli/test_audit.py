"""`woodpecker audit verify`, `anchor` and `list`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from casework import anchors, audit, decisions
from casework.models import ChainHead
from tests.casework.factories import make_case, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    own = tmp_path / "anchors"
    monkeypatch.setattr(anchors, "folder", lambda: own)
    return own


def three_entries() -> None:
    for number in range(3):
        audit.record("case.reveal", audit.SYSTEM, f"case:9{number}", reason="[red]复核[/red]")


def test_the_chain_is_whole_until_somebody_touches_it(woodpecker: Any) -> None:
    three_entries()
    assert woodpecker("audit", "verify", "--json").json == {
        "whole": True, "entries": 3, "broken_at": None, "why": "", "expected": "", "found": "", "anchors": 0,
    }  # fmt: skip
    ChainHead.objects.filter(name=audit.CHAIN).update(sequence=4)
    done = woodpecker("audit", "verify", "--json")
    assert (done.code, done.json["whole"], done.json["broken_at"]) == (1, False, 4)
    assert "breaks at entry 4: the last entries are missing" in done.err
    assert done.json["expected"].startswith("4:")
    assert done.json["found"].startswith("3:")


def test_an_anchor_is_written_once_and_looked_at_when_verifying(woodpecker: Any, folder: Path) -> None:
    three_entries()
    first, again = woodpecker("audit", "anchor", "--json"), woodpecker("audit", "anchor")
    assert (first.code, first.json["new"], first.json["audit_sequence"]) == (0, True, 3)
    assert "was there" in again.out
    assert "1 anchors fit" in woodpecker("audit", "verify").out
    assert woodpecker("audit", "verify", "--anchor", str(folder / "none.json")).code == 2


def test_without_an_entry_there_is_nothing_to_anchor(woodpecker: Any) -> None:
    done = woodpecker("audit", "anchor", "--json")
    assert (done.code, "nothing has been recorded" in done.json["error"]) == (2, True)


def test_entries_are_listed_by_case_by_person_and_by_time(woodpecker: Any) -> None:
    three_entries()
    case, user = make_case(), make_user()
    decisions.decide(case.pk, user, "dismissed", expected_version=1)

    def listed(*options: str) -> list[str]:
        return [one["action"] for one in woodpecker("audit", "list", *options, "--json").json["entries"]]

    assert listed("--case", str(case.pk)) == ["case.decide"]
    audit.record("case.view", user, "cases", where="queue", cases=[case.pk, case.pk + 1])
    assert listed("--case", str(case.pk)) == ["case.decide", "case.view"]
    assert listed("--case", str(case.pk + 1)) == ["case.view"]
    assert listed("--who", user.username) == listed("--who", user.staff_no) == ["case.decide", "case.view"]
    assert listed("--who", "system", "--action", "case.") == ["case.reveal"] * 3
    assert listed("--until", "2020-01-01") == []
    assert len(listed("--since", "2020-01-01")) >= 4
    assert listed("--limit", "1") == ["case.view"]


def test_a_list_for_people_shows_what_was_typed_as_it_was_typed(woodpecker: Any) -> None:
    three_entries()
    done = woodpecker("audit", "list", "--limit", "2")
    assert "[red]" in done.out
    assert "the last 2 of 3" in done.out


@pytest.mark.parametrize(
    ("option", "value"), [("--who", "nobody"), ("--since", "yesterday"), ("--until", "2026-13-01")]
)
def test_what_cannot_be_asked_for_is_named(woodpecker: Any, option: str, value: str) -> None:
    done = woodpecker("audit", "list", option, value, "--json")
    assert done.code == 2
    assert f"{option}: found '{value}'" in done.json["error"]
