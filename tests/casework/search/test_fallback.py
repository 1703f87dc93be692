"""An index in front of the database: what it still shows of a case that has changed is not shown to anybody."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db.models import F

from casework.exposure import Scope
from casework.models import Case
from casework.search.database import DatabaseSearch
from casework.search.elasticsearch import ElasticsearchSearch
from casework.search.fallback import WithFallback
from casework.search.port import Query
from tests.casework.factories import make_case
from tests.casework.search.conftest import ask, ids, put

pytestmark = pytest.mark.django_db


@pytest.fixture
def search(index: ElasticsearchSearch) -> WithFallback:
    return WithFallback(index, DatabaseSearch())


def change(*cases: Case, **values: object) -> None:
    """Change cases as a decision does; nobody has told the index yet."""
    Case.objects.filter(pk__in=[case.pk for case in cases]).update(**values, version=F("version") + 1)


def test_a_case_that_was_decided_a_moment_ago_is_neither_shown_nor_counted(
    search: WithFallback, index: ElasticsearchSearch
) -> None:
    decided, first, second = (make_case("放风筝", score=score) for score in (0.9, 0.8, 0.7))
    put(search, decided, first, second)
    change(decided, state="dismissed")
    assert ids(index, ask("风筝")) == [decided.pk, first.pk, second.pk]
    page = search.search(ask("风筝"))
    assert ([hit.case_id for hit in page.hits], page.total, page.degraded) == ([first.pk, second.pk], 2, "")
    assert search.ids(ask("风筝")) == [first.pk, second.pk]


@pytest.mark.parametrize(
    ("values", "filters"),
    [
        ({"severity": "S0"}, {}),
        ({"restricted": True, "text": "", "folded": "", "scores": {}}, {}),
        ({"category": "gambling", "categories": ["gambling"]}, {"category": ["bullying"]}),
    ],
)
def test_what_somebody_may_no_longer_meet_or_did_not_ask_for_is_not_shown(
    search: WithFallback, values: dict[str, object], filters: dict[str, list[str]]
) -> None:
    reviewer = Scope(restricted=(False,), severities=("S1", "S2"), states=("open",))
    case, other = make_case(severity="S1"), make_case(severity="S1")
    put(search, case, other)
    change(case, **values)
    assert ids(search, Query(scope=reviewer, filters=filters)) == [other.pk]


def test_a_copy_is_not_shown_although_the_index_has_not_dropped_it(search: WithFallback) -> None:
    case, copy = make_case("同一句话"), make_case("同一句话")
    put(search, case, copy)
    change(copy, copy_of=case)
    assert ids(search, ask("同一句话")) == [case.pk]


def most_have_gone(search: WithFallback) -> list[Case]:
    """Five cases, of which the three most urgent have been decided since they were indexed."""
    cases = [make_case(score=score) for score in (0.9, 0.8, 0.7, 0.6, 0.5)]
    put(search, *cases)
    change(*cases[:3], state="confirmed")
    return cases


@pytest.mark.parametrize("found", [ids, WithFallback.ids])
def test_of_a_page_of_which_most_has_gone_the_database_answers(
    search: WithFallback, found: Callable[[WithFallback, Query], list[int]]
) -> None:
    cases = most_have_gone(search)
    assert found(search, ask(size=3)) == [cases[3].pk, cases[4].pk]


def test_that_the_database_answers_is_said(search: WithFallback) -> None:
    most_have_gone(search)
    page = search.search(ask(size=3))
    assert (page.total, page.backend) == (2, "database")
    assert "behind" in page.degraded


def test_whoever_is_further_on_does_not_begin_anew_because_the_page_has_gone(search: WithFallback) -> None:
    cases = [make_case(score=score) for score in (0.9, 0.8, 0.7, 0.6, 0.5)]
    put(search, *cases)
    first = search.search(ask(size=2))
    change(*cases[2:4], state="confirmed")
    second = search.search(ask(size=2, after=first.next_after))
    assert second.hits == []
    assert ids(search, ask(size=2, after=second.next_after)) == [cases[4].pk]
