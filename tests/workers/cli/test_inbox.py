"""`woodpecker ingest`, `status`, `sweep`, `reindex`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.captures import rows
from casework import intake
from casework.models import Batch, InboxItem
from tests.casework.factories import make_capture, make_case

pytestmark = [pytest.mark.django_db, pytest.mark.modes]


@pytest.fixture
def captures(tmp_path: Path) -> Path:
    """A file of twenty good captures."""
    file = tmp_path / "captures.jsonl"
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows(20)), "utf-8")
    return file


def test_a_file_is_ingested_and_again_changes_nothing(woodpecker: Any, captures: Path) -> None:
    first, again = (woodpecker("ingest", str(captures), "--json") for _ in range(2))
    assert (first.code, first.json) == (0, {"accepted": 20, "duplicate": 0, "rejected": 0, "problems": []})
    assert (again.code, again.json["duplicate"]) == (0, 20)
    assert InboxItem.objects.count() == 20


def test_captures_come_from_standard_input(woodpecker: Any, captures: Path) -> None:
    done = woodpecker("ingest", "-", stdin=captures.read_bytes())
    assert done.code == 0
    assert "accepted" in done.out
    assert InboxItem.objects.count() == 20


def test_wrong_rows_end_with_3_and_each_is_named(woodpecker: Any, captures: Path) -> None:
    with captures.open("a", encoding="utf-8") as file:
        file.write('{"id": "zz"}\n')
    done = woodpecker("ingest", str(captures), "--json")
    assert done.code == 3
    assert f"{captures}: line 21, field id: found 'zz'; allowed: " in done.err
    assert done.json["accepted"] == 20
    assert {one["line"] for one in done.json["problems"]} == {21}


def test_many_wrong_rows_are_counted_instead_of_told(woodpecker: Any) -> None:
    done = woodpecker("ingest", "-", "--json", stdin=b"{\n" * 500)
    assert done.code == 3
    assert done.json["rejected"] == 500
    assert len(done.err.splitlines()) < 30
    assert "more rows were rejected" in done.err


@pytest.mark.parametrize(
    ("name", "said"),
    [("nowhere.jsonl", "No such file"), (".", "Is a directory")],
)
def test_what_is_no_file_of_captures_changes_nothing(woodpecker: Any, tmp_path: Path, name: str, said: str) -> None:
    done = woodpecker("ingest", str(tmp_path / name), "--json")
    assert done.code == 2
    assert said in done.err
    assert said in done.json["error"]


def test_status_tells_people_and_machines(woodpecker: Any) -> None:
    intake.receive([make_capture()])
    make_case()
    told = woodpecker("status")
    machine = woodpecker("status", "--json").json
    assert told.code == 0
    assert "total 1" in told.out
    assert (machine["inbox"], machine["cases"]["total"], machine["search"]["behind"]) == (1, 1, 0)
    assert {"mode", "oldest_inbox_seconds", "captures", "assessed", "failed", "workers", "model"} <= set(machine)


def test_sweep_sends_again_and_with_failed_also_what_was_given_up(woodpecker: Any) -> None:
    (batch_id,) = intake.receive([make_capture()]).batch_ids
    intake.fail(batch_id, "assessment failed: ValueError")
    assert woodpecker("sweep", "--json").json["batches"] == 0
    done = woodpecker("sweep", "--failed", "--json")
    assert (done.code, done.json["released"]) == (0, 1)
    assert Batch.objects.get().failed_at is None


def test_reindex_says_how_many_documents_there_are(woodpecker: Any) -> None:
    make_case()
    done = woodpecker("reindex", "--json")
    assert (done.code, done.json) == (0, {"documents": 1})
