"""What a page asks of the database: a few things, however many people, rows and copies there are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from casework.models import Case, Role
from tests.casework.factories import make_case, make_user
from tests.review_ui.conftest import Enter

pytestmark = pytest.mark.django_db


@dataclass
class Desk:
    """A lead at work on a case that is open in the browser."""

    client: Client
    case: Case

    def get(self, address: str) -> int:
        """Return how many queries a page takes."""
        return self._queries(lambda: self.client.get(address.format(case=self.case.pk)))

    def post(self, act: str, **form: object) -> int:
        """Return how many queries an act on the case takes."""
        return self._queries(lambda: self.client.post(f"/cases/{self.case.pk}/{act}/", {"asked": "", **form}))

    def _queries(self, ask: Callable[[], Any]) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert ask().status_code in {200, 302}
        return len(queries)


@pytest.fixture
def desk(enter: Enter) -> Desk:
    for number in range(30):
        make_case(f"第{number}天放风筝", thread="t", position=number)
    for _ in range(3):
        make_user(Role.REVIEWER)
    case = make_case(thread="t", position=15)
    make_case(copy_of=case, likeness=1.0)
    return Desk(enter(Role.LEAD), case)


@pytest.mark.parametrize(
    ("address", "most"),
    [
        ("/queue/", 10),
        ("/queue/?page=2", 10),
        ("/queue/?category=bullying&site=nowhere", 10),
        ("/queue/?state=all&sort=newest", 9),
        ("/queue/?q=风筝", 11),
        ("/queue/next/", 8),
        ("/cases/{case}/", 13),
        ("/cases/{case}/similar/", 4),
    ],
)
def test_a_page_takes_few_queries(desk: Desk, address: str, most: int) -> None:
    assert desk.get(address) <= most


def test_that_a_page_was_seen_takes_three_queries_more_however_many_cases_it_shows(desk: Desk) -> None:
    before = desk.get("/queue/"), desk.get("/cases/{case}/")
    Case.objects.update(severity="S3")
    assert desk.get("/queue/") <= before[0] + 3
    assert desk.get("/cases/{case}/") <= before[1] + 3


def test_claiming_deciding_and_taking_back_take_few_queries(desk: Desk) -> None:
    assert desk.post("claim") <= 5
    assert desk.post("decide", finding="confirmed", category="bullying", version=1) <= 28
    assert desk.post("undo") <= 20
    assert desk.post("decide", finding="dismissed", version=3) <= 21


def test_a_case_page_asks_no_more_because_there_are_many_colleagues_and_copies(desk: Desk) -> None:
    before = desk.get("/cases/{case}/")
    for _ in range(6):
        make_user(Role.REVIEWER)
        make_case(copy_of=desk.case, likeness=1.0)
    assert desk.get("/cases/{case}/") == before
