"""What is late and what soon will be, as a person meets it: the list, and the clock on the case itself."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from casework import claims, decisions
from casework.models import Role
from tests.casework.factories import make_case, make_restricted_case, make_user
from tests.review_ui.conftest import Enter
from tests.review_ui.pages import read, words

pytestmark = pytest.mark.django_db


def test_the_list_begins_with_what_is_late_and_counts_what_this_person_may_meet(enter: Enter) -> None:
    now = timezone.now()
    soon, late = (make_case(severity="S1", due_at=now + timedelta(minutes=left)) for left in (20, -20))
    make_restricted_case(due_at=now)
    page = enter(Role.REVIEWER).get("/queue/due/")
    assert "已超时 1 件，即将到时限 1 件" in words(page)
    first, second = read(page).css("tbody tr")
    assert late.number in first.get()
    assert "▲" in first.get()
    assert soon.number in second.get()
    assert "⚠" in second.get()


def test_the_list_says_who_works_on_a_case_already(enter: Enter) -> None:
    case, holder = make_case(severity="S1", due_at=timezone.now()), make_user()
    claims.take(case.pk, holder)
    assert f"{holder.staff_no} 处理中" in words(enter(Role.REVIEWER).get("/queue/due/"), "tbody")
    assert "处理中" not in words(enter(holder).get("/queue/due/"), "tbody")


def test_an_escalated_case_tells_those_who_decide_it_by_when(enter: Enter) -> None:
    case = make_case(severity="S1")
    decisions.decide(case.pk, make_user(), "escalated", expected_version=1)
    page = words(enter(Role.LEAD).get(f"/cases/{case.pk}/"), "aside")
    assert "建议时限" in page
    assert "建议首看" not in page
