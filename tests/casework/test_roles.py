"""What each role may do, line by line."""

import pytest

from casework.errors import NotAllowed
from casework.models import Role, User
from casework.roles import ALLOWED, Action, may, require


def person(role: Role, **values: object) -> User:
    return User(username="somebody", role=role, staff_no="SW0001", **values)


def test_every_role_has_its_line() -> None:
    assert set(ALLOWED) == set(Role)


@pytest.mark.parametrize("action", list(Action))
def test_everything_can_be_done_by_somebody(action: Action) -> None:
    assert any(action in actions for actions in ALLOWED.values())


def test_only_duty_staff_see_restricted_cases() -> None:
    assert [role for role in Role if may(person(role), Action.SEE_RESTRICTED)] == [Role.DUTY]


def test_whoever_keeps_the_accounts_reads_no_case() -> None:
    assert not may(person(Role.ADMIN), Action.SEE_CASES)


def test_volunteers_annotate_and_nothing_else() -> None:
    assert ALLOWED[Role.VOLUNTEER] == {Action.ANNOTATE}


def test_a_refusal_says_why_and_who_may() -> None:
    verdict = may(person(Role.VOLUNTEER), Action.DECIDE)
    assert not verdict
    assert "志愿者" in verdict.reason
    assert "审核员" in verdict.reason


def test_a_closed_account_may_do_nothing() -> None:
    with pytest.raises(NotAllowed, match="停用"):
        require(person(Role.LEAD, is_active=False), Action.SEE_CASES)
