"""Rows go into the inbox in batches; what is wrong is named, what failed can be repeated."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from typing import Any

import pytest
from django.db import OperationalError

from benchmarks.captures import rows
from casework import counts, intake
from casework.models import Batch, InboxItem
from crawlers.capture import Capture
from workers import ingestion, receiving

pytestmark = [pytest.mark.django_db, pytest.mark.modes]


def stream(*found: dict[str, Any] | str) -> io.BytesIO:
    lines = (one if isinstance(one, str) else json.dumps(one, ensure_ascii=False) for one in found)
    return io.BytesIO("\n".join(lines).encode())


def test_rows_go_into_the_inbox_once_each() -> None:
    captures = list(rows(450))
    first = ingestion.run(stream(*captures), chunk=300)
    again = ingestion.run(stream(*captures, *captures), chunk=300)

    assert (first.accepted, first.duplicate, first.rejected) == (450, 0, 0)
    assert (again.accepted, again.duplicate, again.rejected) == (0, 900, 0)
    assert InboxItem.objects.count() == 450
    # 300 of the first chunk, 150 of the second; what a glance finds grave goes apart and before them.
    assert Batch.objects.filter(urgent=False).count() == 2
    assert counts.totals()["duplicate"] == 900


def test_wrong_rows_are_told_with_line_and_field_and_the_others_go_on() -> None:
    good, foreign, class_, section = rows(4)
    foreign |= {"site": "nowhere"}
    class_ |= {"platform_class": "game"}
    section |= {"section": "attic"}
    told: list[Any] = []

    outcome = ingestion.run(stream(good, "{", foreign, class_, section), chunk=10, tell=told.append)

    assert (outcome.accepted, outcome.rejected) == (1, 4)
    assert [(one.line, one.field) for one in told] == [
        (2, "(line)"), (3, "site"), (4, "platform_class"), (5, "section"),
    ]  # fmt: skip
    assert "demo" in told[1].allowed
    assert outcome.as_dict()["problems"][0]["line"] == 2
    assert counts.totals()["rejected"] == 4


def test_the_list_of_problems_does_not_grow_with_the_file() -> None:
    outcome = ingestion.run(stream(*["{"] * (ingestion.LISTED + 50)), chunk=10)
    assert outcome.rejected == ingestion.LISTED + 50
    assert len(outcome.problems) == ingestion.LISTED


def test_a_database_that_fails_half_way_says_what_is_safe_and_the_same_file_finishes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    captures = list(rows(2500))
    receive, calls = receiving.receive, iter((None, None, OperationalError("database or disk is full")))

    def full(some: Sequence[Capture]) -> intake.Receipt:
        error = next(calls)
        if error:
            raise error
        return receive(some)

    monkeypatch.setattr(receiving, "receive", full)
    with pytest.raises(ingestion.Interrupted, match="disk is full. 2000 captures are safe; run the same command again"):
        ingestion.run(stream(*captures), chunk=3000)
    monkeypatch.setattr(receiving, "receive", receive)

    outcome = ingestion.run(stream(*captures), chunk=3000)
    assert (outcome.accepted, outcome.duplicate) == (500, 2000)


def test_an_empty_file_is_no_mistake() -> None:
    assert ingestion.run(io.BytesIO(b"\n\n"), chunk=10).as_dict() == {
        "accepted": 0, "duplicate": 0, "rejected": 0, "problems": [],
    }  # fmt: skip


def test_progress_is_told_in_bytes_and_rows() -> None:
    source = stream(*rows(30))
    told: list[tuple[int, int]] = []
    ingestion.run(source, chunk=10, advance=lambda at, done: told.append((at, done)))
    assert [done for _, done in told] == [10, 20, 30]
    assert told[-1][0] == len(source.getvalue())
