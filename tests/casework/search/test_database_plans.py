"""How SQLite finds rows: by the index that is meant, without statistics, which no installation keeps."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from casework.exposure import scope_for, visible_cases
from casework.models import Case, Role
from casework.search import database
from casework.search.port import Query, Sort
from tests.casework.factories import make_case, make_user

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("query", "index"),
    [({"sort": Sort.NEWEST}, "case_newest"), ({}, "case_gravest"), ({"filters": {"state": ["open"]}}, "case_urgency")],
)
def test_without_statistics_cases_are_read_in_their_order_and_none_is_sorted(
    query: dict[str, object], index: str
) -> None:
    asked = Query(scope=scope_for(make_user(Role.LEAD)), **query)  # type: ignore[arg-type]
    with CaptureQueriesContext(connection) as queries:
        database.DatabaseSearch().ids(asked)
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {queries.captured_queries[0]['sql']}")
        plan = " ".join(row[3] for row in cursor.fetchall())
    assert index in plan
    assert "TEMP B-TREE" not in plan


def test_without_statistics_what_somebody_may_meet_is_found_by_the_key_that_is_named() -> None:
    assert "PRIMARY KEY" in visible_cases(make_user()).filter(pk__in=range(100)).explain()


def test_copies_are_found_by_index_though_nearly_no_case_is_one() -> None:
    case = make_case()
    Case.objects.bulk_create([Case(**_values(case, number)) for number in range(200)])
    copies = Case.objects.filter(copy_of=case).order_by("-id")[:50]
    try:
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        assert "case_copies" in copies.explain()
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM sqlite_stat1")
            cursor.execute("ANALYZE sqlite_schema")  # forget what was found out about the tables


def _values(case: Case, number: int) -> dict[str, object]:
    """Return another case's values."""
    own = {field.attname: getattr(case, field.attname) for field in Case._meta.concrete_fields if field.attname != "id"}
    return own | {"capture_id": f"{number:064x}"}
