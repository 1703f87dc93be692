"""What a page asks of the database: a few things, however many people, rows and copies there are."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from casework.models import Case, Role
from tests.casework.factories import make_case, make_user
from tests.review_ui.conftest import Enter

pytestmark = pytest.mark.django_db


def asked(client: Client, address: str) -> int:
    """Return how many queries an answer takes."""
    with CaptureQueriesContext(connection) as queries:
        assert client.get(address).status_code == 200
    return len(queries)


def test_a_case_page_asks_no_more_because_there_are_many_colleagues_neighbours_and_copies(enter: Enter) -> None:
    case, lead = make_case(thread="t", position=3), enter(Role.LEAD)
    make_case(copy_of=case, likeness=1.0)
    before = asked(lead, f"/cases/{case.pk}/")
    for position in range(6):
        make_user(Role.REVIEWER)
        make_case(thread="t", position=position)
        make_case(copy_of=case, likeness=1.0)
    assert asked(lead, f"/cases/{case.pk}/") == before


@pytest.mark.skipif(connection.vendor != "sqlite", reason="how SQLite finds rows")
def test_copies_are_found_by_index_though_nearly_no_case_is_one() -> None:
    case = make_case()
    Case.objects.bulk_create([Case(**values(case, number)) for number in range(200)])
    copies = Case.objects.filter(copy_of=case).order_by("-id")[:50]
    try:
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        assert "case_copies" in copies.explain()
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM sqlite_stat1")
            cursor.execute("ANALYZE sqlite_schema")  # forget what was found out about the tables


def values(case: Case, number: int) -> dict[str, object]:
    """Return another case's values."""
    own = {field.attname: getattr(case, field.attname) for field in Case._meta.concrete_fields if field.attname != "id"}
    return own | {"capture_id": f"{number:064x}"}
