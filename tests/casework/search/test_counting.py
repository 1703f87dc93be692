"""What large results count is kept for a moment, said to be, and nobody is shown what another may meet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.utils import timezone

from casework.exposure import Scope
from casework.models import Case
from casework.search import counting
from casework.search.counting import MANY, Counts
from casework.search.port import Page, Query, SearchPort, Sort
from casework.searches import MOST_ROWS
from tests.casework.factories import make_case
from tests.casework.search.conftest import EVERYTHING, ask, put

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def three_are_many(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(counting, "MANY", 2)
    cache.clear()
    yield
    cache.clear()


def numbers(page: Page) -> tuple[int, dict[str, int]]:
    """Total, and the cases of each category."""
    return page.total, dict(page.facets["category"])


def dismiss(search: SearchPort, case: Case) -> None:
    case.state = "dismissed"
    case.version += 1
    case.save()
    put(search, case)


def test_what_may_be_exported_is_always_counted() -> None:
    assert MOST_ROWS <= MANY


def test_a_small_result_is_counted_for_every_page(search: SearchPort) -> None:
    cases = [make_case() for _ in range(2)]
    put(search, *cases)
    assert numbers(search.search(ask())) == (2, {"bullying": 2})
    dismiss(search, cases[0])
    page = search.search(ask())
    assert (numbers(page), page.counted_at) == ((1, {"bullying": 1}), None)


def test_what_a_large_result_counted_is_shown_again_with_its_time_and_the_list_is_new(search: SearchPort) -> None:
    cases = [make_case(score=0.5 + n / 10) for n in range(3)]
    put(search, *cases)
    began, first = timezone.now(), search.search(ask())
    dismiss(search, cases[0])
    second = search.search(ask())
    assert (numbers(first), first.counted_at) == ((3, {"bullying": 3}), None)
    assert (numbers(second), [hit.case_id for hit in second.hits]) == (numbers(first), [cases[2].pk, cases[1].pk])
    assert second.counted_at is not None
    assert began < second.counted_at < timezone.now()


def test_after_half_a_minute_it_is_counted_anew(search: SearchPort, monkeypatch: pytest.MonkeyPatch) -> None:
    cases = [make_case() for _ in range(4)]
    put(search, *cases)
    search.search(ask())
    dismiss(search, cases[0])
    monkeypatch.setattr(counting, "FRESH", timedelta())
    page = search.search(ask())
    assert (numbers(page), page.counted_at) == ((3, {"bullying": 3}), None)


@pytest.mark.parametrize(
    "changes",
    [
        {"text": "风筝"},
        {"filters": {"state": ["open"], "category": ["gambling"]}},
        {"filters": {"state": ["open"], "kid_zone": ["false"]}},
        {"scope": replace(EVERYTHING, severities=("S1",))},
        {"scope": replace(EVERYTHING, restricted=(False,))},
        {"scope": replace(EVERYTHING, states=("open",))},
        {"facets": False},
    ],
)
def test_of_another_question_and_of_another_scope_nothing_is_kept(changes: dict[str, object]) -> None:
    counting.keep(ask(), "here", Counts(5, {}))
    assert counting.kept(ask(), "here") is not None
    assert counting.kept(replace(ask(), **changes), "here") is None  # type: ignore[arg-type]
    assert counting.kept(ask(), "elsewhere") is None


def test_the_page_and_the_order_change_nothing_about_what_is_counted() -> None:
    counting.keep(ask(), "here", Counts(5, {}))
    assert counting.kept(ask(page=7, size=3, sort=Sort.NEWEST), "here") is not None


def test_whoever_may_meet_less_is_not_told_what_others_may_meet(search: SearchPort) -> None:
    grave, lights = make_case(severity="S0"), [make_case(severity="S1") for _ in range(3)]
    put(search, grave, *lights)
    reviewer = Query(scope=Scope(restricted=(False,), severities=("S1",), states=("open",)))
    assert search.search(ask()).total == 4
    page = search.search(reviewer)
    assert (page.total, dict(page.facets["severity"])) == (3, {"S1": 3})


def test_one_counts_anew_while_others_are_shown_the_numbers_that_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    counting.keep(ask(), "here", Counts(5, {}))
    monkeypatch.setattr(counting, "FRESH", timedelta())
    found = [counting.kept(ask(), "here") for _ in range(3)]
    assert [one and one.total for one in found] == [None, 5, 5]
    counting.keep(ask(), "here", Counts(6, {}))
    monkeypatch.setattr(counting, "FRESH", timedelta(seconds=30))
    again = counting.kept(ask(), "here")
    assert again is not None
    assert again.total == 6


@pytest.mark.parametrize("age", [timedelta(minutes=1), timedelta(hours=-1)])
def test_no_number_is_older_than_a_minute_or_of_a_time_to_come(age: timedelta, monkeypatch: pytest.MonkeyPatch) -> None:
    counting.keep(ask(), "here", Counts(5, {}))
    now = timezone.now()
    monkeypatch.setattr(counting.timezone, "now", lambda: now + age)
    assert [counting.kept(ask(), "here") for _ in range(2)] == [None, None]
