"""Many rows in one statement arrive as they were given, in both databases."""

from __future__ import annotations

import pytest
from django.utils import timezone

from casework import bulk
from casework.models import Batch, Case, DailyCount, InboxItem, SeenCapture
from tests.casework.factories import make_case

pytestmark = [pytest.mark.django_db, pytest.mark.modes]
AWKWARD = "引号\"' 反斜杠\\ 百分号%s 换行\n 表情🙂 {括号}, [方]"


def test_values_arrive_as_they_were_given() -> None:
    given = make_case(
        AWKWARD,
        scores={"bullying": 0.25},
        spans=[{"start": 0, "end": 2, "slug": "bullying", "reason": AWKWARD}],
        published_at=timezone.now(),
        inclusion_probability=0.125,
        kid_zone=True,
        thread=None,
        position=3,
    )
    names = [
        field.attname for field in Case._meta.concrete_fields if field.name not in {"id", "created_at", "updated_at"}
    ]
    expected = {name: getattr(Case.objects.get(), name) for name in names}
    Case.objects.all().delete()

    given.pk = None
    ((capture_id, case_id),) = bulk.create([given], returning=("capture_id", "id"))

    written = Case.objects.get(pk=case_id)
    assert {name: getattr(written, name) for name in names} == expected
    assert (capture_id, written.created_at is not None) == (given.capture_id, True)


def test_what_is_there_already_stays_and_is_not_returned() -> None:
    first, second = make_case("甲"), make_case("乙")
    second.delete()
    first.text, second.pk = "改过", None
    assert bulk.create([first, second], returning=("capture_id",)) == [(second.capture_id,)]
    assert Case.objects.get(pk=first.pk).text == "甲"
    assert bulk.create([], returning=("id",)) == []


def test_json_goes_in_as_it_is() -> None:
    batch = Batch.objects.create()
    rows = [("a", batch.pk, bulk.Json('{"text": "引号\\" %s"}')), ("b", batch.pk, bulk.Json("[1]"))]
    bulk.insert(InboxItem, ("capture_id", "batch_id", "payload"), rows)
    assert dict(InboxItem.objects.values_list("capture_id", "payload")) == {"a": {"text": '引号" %s'}, "b": [1]}


def test_more_rows_than_one_statement_takes_all_arrive_in_order() -> None:
    rows = [(f"{number:06d}", timezone.now()) for number in range(2 * bulk.ROWS + 1)]
    written = bulk.insert(SeenCapture, ("capture_id", "seen_at"), rows, on_conflict="DO NOTHING")
    assert written == [row[0] for row in rows]
    assert bulk.insert(SeenCapture, ("capture_id", "seen_at"), rows[:3], on_conflict="DO NOTHING") == []


def test_a_conflict_can_add_up() -> None:
    for _ in range(2):
        bulk.insert(
            DailyCount,
            ("day", "site", "section", "accepted", "duplicate", "rejected", "assessed", "flagged"),
            [("2026-11-27", "a", "b", 1, 2, 3, 4, 5)],
            on_conflict="(day, site, section) DO UPDATE SET accepted = {table}.accepted + excluded.accepted",
        )
    assert DailyCount.objects.get().accepted == 2


def test_whether_a_column_is_among_values() -> None:
    cases = [make_case() for _ in range(3)]
    asked, values = bulk.among("id", "bigint", [cases[0].pk, cases[2].pk])
    found = Case.objects.raw(f"SELECT id FROM casework_case WHERE {asked} ORDER BY id", values)
    assert [case.pk for case in found] == [cases[0].pk, cases[2].pk]
