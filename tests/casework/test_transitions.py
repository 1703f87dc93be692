"""The table of a case's life: complete, drawn in the docs as it stands, and no way around a second person."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from casework import decisions, evidence, notices, policies, transitions
from casework.errors import CaseworkError, InvalidInput, NotAllowed, NothingToUndo
from casework.models import UNDECIDED, Case, CaseState, Decision, Finding, Role, User
from casework.transitions import TRANSITIONS
from config.work import Condition, Work
from tests.casework.factories import SITE, make_case, make_user

pytestmark = pytest.mark.django_db

PAGES = Path(__file__).parents[2] / "docs" / "pages.md"


@pytest.fixture
def two_persons(monkeypatch: pytest.MonkeyPatch) -> None:
    """The policy asks for a second person where something is S1."""
    work = Work(second_confirmation=(Condition(severity=("S1",)),))
    monkeypatch.setattr(policies, "work", lambda: work)


def decide(case: Case, user: User, finding: str, **values: object) -> CaseState:
    version = Case.objects.get(pk=case.pk).version
    values = {"reason": "看过全文", **({"category": "bullying"} if finding == "confirmed" else {}), **values}
    decisions.decide(case.pk, user, finding, expected_version=version, **values)  # type: ignore[arg-type]
    return CaseState(Case.objects.get(pk=case.pk).state)


def test_an_undecided_case_can_get_every_finding_but_a_re_assessment_and_a_decided_one_nothing_else() -> None:
    for state in UNDECIDED:
        expected = set(Finding) - {Finding.REOPENED} - ({Finding.ESCALATED} if state is CaseState.ESCALATED else set())
        assert set(transitions.findings(state)) == expected
    for state in (CaseState.CONFIRMED, CaseState.DISMISSED):
        assert transitions.findings(state) == [Finding.REOPENED]
    for state in (CaseState.OUT_OF_SCOPE, CaseState.POLICE):
        assert transitions.findings(state) == []


def test_confirmed_is_reached_by_confirming_alone() -> None:
    leading = {finding for (_, finding), step in TRANSITIONS.items() if step.to is CaseState.CONFIRMED}
    assert leading == {Finding.CONFIRMED}


def test_the_drawing_in_the_docs_is_the_table() -> None:
    """After a change: `python -m workers.drawing` prints what belongs there."""
    assert f"```mermaid\n{transitions.diagram()}\n```" in PAGES.read_text("utf-8")


@pytest.mark.usefixtures("two_persons")
def test_where_the_policy_asks_for_it_a_second_person_confirms_and_only_then_evidence_is_sealed() -> None:
    case, first, second = make_case(), make_user(), make_user()
    assert decide(case, first, "confirmed") is CaseState.SECOND
    assert evidence.latest(case) is None
    with pytest.raises(NotAllowed, match="另一人"):
        decide(case, first, "confirmed")
    with pytest.raises(CaseworkError):
        notices.draft(SITE, "REPORT", make_user(Role.LIAISON), [case.pk])
    assert decide(case, second, "confirmed") is CaseState.CONFIRMED
    assert evidence.latest(case) is not None


@pytest.mark.usefixtures("two_persons")
@pytest.mark.parametrize("finding", ["dismissed", "out_of_scope", "escalated"])
def test_who_disagrees_with_the_first_brings_it_before_the_lead(finding: str) -> None:
    case = make_case()
    decide(case, make_user(), "confirmed")
    assert decide(case, make_user(), finding) is CaseState.ESCALATED
    assert decide(case, make_user(Role.LEAD), "confirmed") is CaseState.CONFIRMED  # two have confirmed by now


@pytest.mark.usefixtures("two_persons")
def test_a_lead_alone_confirms_nothing_that_needs_two() -> None:
    case, lead = make_case(), make_user(Role.LEAD)
    decide(case, lead, "escalated")
    assert decide(case, lead, "confirmed") is CaseState.SECOND
    with pytest.raises(NotAllowed):
        decide(case, lead, "confirmed")


@pytest.mark.usefixtures("two_persons")
def test_what_the_policy_does_not_name_is_confirmed_by_one() -> None:
    assert decide(make_case(severity="S2"), make_user(), "confirmed") is CaseState.CONFIRMED


@pytest.mark.parametrize("finding", ["confirmed", "dismissed"])
def test_a_re_assessment_is_decided_by_somebody_else_than_the_first(finding: str) -> None:
    case, first, second = make_case(), make_user(), make_user()
    decide(case, first, finding)
    with pytest.raises(InvalidInput) as caught:
        decide(case, second, "reopened", reason=" ")
    assert caught.value.field == "reason"
    assert decide(case, first, "reopened") is CaseState.OPEN
    for again in ("confirmed", "dismissed"):
        with pytest.raises(NotAllowed, match="另一人"):
            decide(case, first, again)
    assert decide(case, second, "dismissed") is CaseState.DISMISSED


def test_what_is_on_a_list_or_has_no_text_is_not_re_assessed() -> None:
    listed, purged, user = make_case(), make_case(), make_user()
    decide(listed, user, "confirmed")
    notices.draft(SITE, "REPORT", make_user(Role.LIAISON), [listed.pk])
    with pytest.raises(NotAllowed, match="清单"):
        decide(listed, user, "reopened")
    decide(purged, user, "dismissed")
    Case.objects.filter(pk=purged.pk).update(text="", folded="")
    with pytest.raises(NotAllowed, match="清除"):
        decide(purged, user, "reopened")


def test_only_lead_and_duty_staff_hand_a_case_to_the_police_and_say_why() -> None:
    case, lead = make_case(), make_user(Role.LEAD)
    with pytest.raises(NotAllowed):
        decide(case, make_user(), "police")
    with pytest.raises(InvalidInput):
        decide(case, lead, "police", reason="")
    assert decide(case, lead, "police", reason="已报属地派出所") is CaseState.POLICE
    assert evidence.latest(case) is not None
    with pytest.raises(CaseworkError):
        notices.draft(SITE, "REPORT", make_user(Role.LIAISON), [case.pk])


def test_an_escalation_may_name_to_whom() -> None:
    case = make_case()
    with pytest.raises(InvalidInput):
        decide(case, make_user(), "escalated", addressee="mayor")
    with pytest.raises(InvalidInput):
        decide(case, make_user(), "dismissed", addressee="duty")
    decide(case, make_user(), "escalated", addressee="duty")
    assert Decision.objects.get().get_addressee_display() == "专班值守"


def test_a_finding_is_taken_back_within_a_minute_only() -> None:
    case, user = make_case(), make_user()
    decide(case, user, "dismissed")
    Decision.objects.update(decided_at=timezone.now() - timedelta(seconds=61))
    with pytest.raises(NothingToUndo, match="复议"):
        decisions.undo(case.pk, user)
