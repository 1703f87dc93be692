"""What lies around a case, and what was done with it."""

import pytest

from casework import cases, decisions, exposure
from casework.models import Case, CaseState, Role
from config.policy import general_thresholds
from tests.casework.factories import make_case, make_restricted_case, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.modes]


def test_neighbours_are_shown_in_the_order_of_the_thread() -> None:
    thread = [make_case(thread="t", position=position) for position in range(14)]
    make_case(thread="other", position=7)
    make_case(thread="t", position=6, site="elsewhere")
    around = cases.context(thread[7], make_user())
    assert list(around.before) == thread[2:7]
    assert list(around.after) == thread[8:13]


def test_neighbours_are_shown_only_as_far_as_the_person_may_see_them() -> None:
    case = make_case(thread="t", position=1)
    hidden = make_case(thread="t", position=2, state=CaseState.OUT_OF_SCOPE)
    grave = make_case(thread="t", position=3, severity="S0", category="self_harm")
    seen = [*cases.context(case, make_user()).after, *cases.context(case, make_user(Role.LEAD)).after]
    assert hidden not in seen
    assert seen == [grave]


def test_a_case_without_a_thread_has_no_neighbours() -> None:
    make_case()
    around = cases.context(make_restricted_case(), make_user(Role.DUTY))
    assert (list(around.before), list(around.after)) == ([], [])


def test_definition_law_and_threshold_stand_beside_the_case() -> None:
    around = cases.context(make_case(), make_user())
    assert (around.category_name, around.threshold) == ("网络欺凌与开盒", general_thresholds()["bullying"])
    assert ("L", "中华人民共和国未成年人保护法", "77") in {(one.law, one.title, one.article) for one in around.law}
    assert around.definition


def test_the_gravest_comes_first_then_the_surest_then_the_oldest() -> None:
    light = make_case(severity="S3", score=0.99)
    unsure, sure, later = (make_case(severity="S1", score=score) for score in (0.5, 0.9, 0.9))
    assert list(cases.by_urgency(Case.objects.all())) == [sure, later, unsure, light]


def test_the_history_tells_who_did_and_who_saw_what() -> None:
    case, user = make_case(), make_user()
    exposure.reveal(case, user)
    decisions.decide(case.pk, user, "dismissed", expected_version=1, reason="玩笑")
    decisions.undo(case.pk, user)
    acts = cases.history(case)
    assert [(act.actor, act.action) for act in acts] == [
        (user.staff_no, "查看原文"),
        (user.staff_no, "作出决定"),
        (user.staff_no, "撤销决定"),
    ]
    assert (acts[1].details["finding"], acts[1].details["reason"]) == ("排除", "玩笑")
