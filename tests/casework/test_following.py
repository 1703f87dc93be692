"""Copies go where their case goes: in SQL the same becomes of each as would in Python, on both databases."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from casework import decisions, hits
from casework.models import Case, CaseState, Decision, PastAssessment
from tests.casework.factories import make_case, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.modes]
IMMINENT = [{"start": 0, "end": 2, "slug": "self_harm", "reason": f"{hits.IMMINENT_RULE}"}]
MODEL_SAID = [{"start": 0, "end": 2, "slug": "self_harm", "reason": "linear"}]
COPIES: list[dict[str, Any]] = [
    {},
    {"kid_zone": True, "categories": ["bullying", "gambling"], "scores": {"bullying": 0.7, "gambling": 0.6}},
    {"categories": ["gambling", "self_harm", "bullying"], "spans": IMMINENT, "scores": {"self_harm": 0.9}},
    {"spans": MODEL_SAID, "grade": "bad", "scores": {"minor_privacy": 0.25, "bullying": 0.5}},
    {"text": "", "folded": "", "purged_at": "2026-11-20T08:30:00Z"},
]
FIELDS = ("state", "category", "categories", "severity", "grade", "score", "purge_after")


def cluster() -> Case:
    case = make_case()
    for values in COPIES:
        make_case(copy_of=case, likeness=1.0, **values)
    return case


def look(case: Case) -> list[tuple[Any, ...]]:
    rows = case.copies.order_by("id")
    return [tuple(getattr(copy, name) for name in FIELDS if name != "purge_after") for copy in rows]


@pytest.mark.parametrize("category", ["bullying", "gambling", "self_harm", "minor_privacy", "illicit_ads"])
def test_every_copy_is_settled_as_a_case_of_its_own_would_be(category: str) -> None:
    case = cluster()
    before = list(case.copies.order_by("id"))
    expected = []
    for copy in before:
        others = [slug for slug in copy.categories if slug != category]
        copy.state = CaseState.CONFIRMED
        hits.settle(copy, category, [category, *others])
        expected.append(tuple(getattr(copy, name) for name in FIELDS if name != "purge_after"))

    decisions.decide(case.pk, make_user(), "confirmed", expected_version=1, category=category)

    assert look(case) == expected
    after = list(case.copies.order_by("id"))
    assert {copy.version for copy in after} == {2}


def test_each_copy_has_a_decision_of_its_own_that_tells_what_it_was_before() -> None:
    case, user = cluster(), make_user()
    rows = list(case.copies.order_by("id"))
    decided = decisions.decide(case.pk, user, "confirmed", expected_version=1, category="gambling", reason="同一广告")
    followers = list(Decision.objects.filter(follows=decided).order_by("case_id"))
    assert [one.case_id for one in followers] == [copy.pk for copy in rows]
    for one, copy in zip(followers, rows, strict=True):
        assert (one.decided_by, one.finding, one.category, one.reason) == (user, "confirmed", "gambling", "同一广告")
        assert (one.state_before, one.category_before, one.grade_before) == ("open", copy.category, copy.grade)
        assert (one.categories_before, one.case_version) == (copy.categories, 1)


@pytest.mark.parametrize(("finding", "category"), [("confirmed", "gambling"), ("dismissed", None), ("escalated", None)])
def test_taken_back_every_copy_is_as_it_was(finding: str, category: str | None) -> None:
    case, user = cluster(), make_user()
    for copy in case.copies.all():  # what a model gave it, so that there is something exact to return to
        hits.settle(copy, copy.category, copy.categories)
        copy.save()
    before = look(case)
    decisions.decide(case.pk, user, finding, expected_version=1, category=category)
    assert look(case) != before
    decisions.undo(case.pk, user)
    assert look(case) == before
    assert not Decision.objects.filter(undone_at__isnull=True).exists()


def test_out_of_scope_purges_the_copies_that_still_hold_a_text() -> None:
    case = cluster()
    decisions.decide(case.pk, make_user(), "out_of_scope", expected_version=1)
    case.refresh_from_db()
    dates = [copy.purge_after for copy in case.copies.order_by("id")]
    assert dates == [case.purge_after] * 4 + [None]


def test_what_may_not_be_held_goes_from_every_copy() -> None:
    case = cluster()
    for copy in case.copies.all():
        PastAssessment.objects.create(case=copy, score=0.5)
    decisions.decide(case.pk, make_user(), "escalated", expected_version=1, category="sexual_exploitation")
    for copy in case.copies.all():
        assert (copy.restricted, copy.text, copy.spans, copy.severity) == (True, "", [], "S0")
        assert (copy.categories, copy.state) == (["sexual_exploitation"], CaseState.ESCALATED)
        assert set(copy.scores) <= {"sexual_exploitation"}
    assert not PastAssessment.objects.exists()


def test_many_copies_take_no_more_statements_than_one() -> None:
    def statements(copies: int) -> int:
        case, user = make_case(), make_user()
        for _ in range(copies):
            make_case(copy_of=case, likeness=1.0)
        with CaptureQueriesContext(connection) as asked:
            decisions.decide(case.pk, user, "confirmed", expected_version=1, category="gambling")
            decisions.undo(case.pk, user)
        return len(asked)

    statements(1)  # the first act of all makes the heads of the chains
    assert statements(12) == statements(1)
