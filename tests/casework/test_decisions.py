"""A person's finding, and taking it back."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from casework import audit, cases, decisions, evidence, exposure, notices, policies
from casework.errors import CaseworkError, InvalidInput, NotAllowed, NotFound, NothingToUndo, StaleCase
from casework.models import AuditEntry, Case, CaseState, Decision, Finding, Role, User
from casework.transitions import TRANSITIONS
from config.work import Condition, Work
from tests.casework.factories import SITE, make_case, make_restricted_case, make_user
from tests.casework.threads import at_once

pytestmark = [pytest.mark.django_db, pytest.mark.modes]


def decide(case: Case, user: User, finding: str, **values: object) -> Decision:
    values.setdefault("expected_version", Case.objects.get(pk=case.pk).version)
    if finding == "confirmed":
        values.setdefault("category", case.category)
    return decisions.decide(case.pk, user, finding, **values)  # type: ignore[arg-type]


def test_confirming_settles_the_category_and_seals_the_evidence() -> None:
    case, user = make_case(), make_user()
    decision = decide(case, user, "confirmed", category="minor_privacy", grade="may_affect", reason="写出了学校")
    case.refresh_from_db()
    assert (case.state, case.version) == (CaseState.CONFIRMED, 2)
    assert (case.category, case.grade, case.severity) == ("minor_privacy", "may_affect", "S2")
    assert case.categories == ["minor_privacy", "bullying"]
    assert (decision.state_before, decision.category_before, decision.case_version) == ("open", "bullying", 1)
    record = evidence.latest(case)
    assert record is not None
    assert record.sealed_by == user.staff_no
    entry = AuditEntry.objects.latest("sequence")
    assert (entry.action, entry.actor, entry.subject) == ("case.decide", user.staff_no, f"case:{case.pk}")
    assert entry.details["evidence"] == record.number


def test_confirming_needs_a_category() -> None:
    case = make_case()
    with pytest.raises(InvalidInput) as caught:
        decide(case, make_user(), "confirmed", category=None)
    assert caught.value.field == "category"


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("finding", {"finding": "guilty"}),
        ("category", {"category": "politics"}),
        ("grade", {"category": "bullying", "grade": "may_affect"}),
        ("reason", {"reason": "长" * 501}),
    ],
)
def test_a_wrong_value_is_named_and_nothing_changes(field: str, values: dict[str, object]) -> None:
    case = make_case()
    with pytest.raises(InvalidInput) as caught:
        decide(case, make_user(), **({"finding": "confirmed"} | values))  # type: ignore[arg-type]
    assert caught.value.field == field
    case.refresh_from_db()
    assert (case.state, case.version, Decision.objects.count()) == (CaseState.OPEN, 1, 0)


def test_whoever_comes_second_is_told_who_decided_what() -> None:
    case, first, second = make_case(), make_user(), make_user()
    decide(case, first, "dismissed")
    with pytest.raises(StaleCase) as caught:
        decide(case, second, "confirmed", expected_version=1)
    assert (caught.value.holder, caught.value.finding) == (first.staff_no, "排除")


def test_whoever_looks_at_a_case_that_was_put_out_of_scope_is_told_so() -> None:
    case, first, second = make_case(), make_user(), make_user()
    decide(case, first, "out_of_scope")
    with pytest.raises(StaleCase) as caught:
        decide(case, second, "confirmed", expected_version=1)
    assert caught.value.holder == first.staff_no


def test_a_decided_case_is_not_decided_again() -> None:
    case, user = make_case(), make_user()
    decide(case, user, "dismissed")
    with pytest.raises(NotAllowed, match="已排除"):
        decide(case, user, "confirmed")


@pytest.mark.parametrize("role", [Role.VOLUNTEER, Role.LIAISON, Role.ADMIN])
def test_whoever_does_not_review_decides_nothing(role: Role) -> None:
    with pytest.raises(NotAllowed):
        decide(make_case(), make_user(role), "dismissed")


def test_an_escalated_case_is_decided_by_the_lead_or_duty_staff() -> None:
    case, reviewer = make_case(), make_user()
    decide(case, reviewer, "escalated", reason="拿不准")
    with pytest.raises(NotAllowed, match="组长"):
        decide(case, reviewer, "confirmed")
    decide(case, make_user(Role.LEAD), "confirmed")
    case.refresh_from_db()
    assert case.state == CaseState.CONFIRMED


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.DUTY])
def test_restricted_cases_do_not_exist_for_anybody_but_duty_staff(role: Role) -> None:
    with pytest.raises((NotFound, NotAllowed)):
        decide(make_restricted_case(), make_user(role), "confirmed")


def test_duty_staff_confirm_a_restricted_case_without_any_text() -> None:
    case = make_restricted_case()
    decide(case, make_user(Role.DUTY), "confirmed", category="sexual_exploitation")
    record = evidence.latest(case)
    assert record is not None
    with pytest.raises(InvalidInput, match="sexual_exploitation"):
        decide(make_restricted_case(), make_user(Role.DUTY), "confirmed", category="bullying")


def test_a_reviewer_who_meets_m01_can_only_escalate_it_and_the_text_goes_at_once() -> None:
    case, reviewer = make_case("标记文字甲乙丙", thread="t", evidence="responses/1"), make_user()
    with pytest.raises(NotAllowed, match="上报"):
        decide(case, reviewer, "confirmed", category="sexual_exploitation")
    decide(case, reviewer, "escalated", category="sexual_exploitation")
    case.refresh_from_db()
    assert case.restricted
    assert (case.text, case.folded, case.spans, case.thread, case.evidence) == ("", "", [], None, None)
    assert (case.category, case.severity, case.scores) == ("sexual_exploitation", "S0", {})
    assert not exposure.visible_cases(reviewer).filter(pk=case.pk).exists()
    with pytest.raises(NotAllowed):
        decisions.undo(case.pk, reviewer)
    assert exposure.visible_cases(make_user(Role.DUTY)).filter(pk=case.pk).exists()


def test_out_of_scope_hides_at_once_and_is_purged_after_a_minute() -> None:
    case, user = make_case(), make_user()
    decide(case, user, "out_of_scope")
    for role in Role:
        assert not exposure.visible_cases(make_user(role)).filter(pk=case.pk).exists()
    assert cases.purge_due() == 0
    assert cases.purge_due(timezone.now() + timedelta(seconds=61)) == 1
    case.refresh_from_db()
    assert (case.text, case.folded, case.spans, case.undone) == ("", "", [], [])
    assert case.version == 3
    assert AuditEntry.objects.filter(action="case.purge").count() == 1
    assert cases.purge_due(timezone.now() + timedelta(days=1)) == 0


def test_out_of_scope_is_taken_back_within_the_minute_only() -> None:
    early, late, user = make_case(), make_case(), make_user()
    decide(early, user, "out_of_scope")
    decide(late, user, "out_of_scope")
    Case.objects.filter(pk=late.pk).update(purge_after=timezone.now() - timedelta(seconds=1))
    assert decisions.undo(early.pk, user).state == CaseState.OPEN
    assert cases.purge_due(timezone.now() + timedelta(hours=1)) == 1  # the late one alone
    with pytest.raises(NothingToUndo, match="时限"):
        decisions.undo(late.pk, user)


def test_taking_back_restores_what_was_settled() -> None:
    case, user = make_case(scores={"bullying": 0.8, "gambling": 0.4}), make_user()
    decide(case, user, "confirmed", category="gambling")
    restored = decisions.undo(case.pk, user)
    assert (restored.state, restored.category, restored.categories) == (CaseState.OPEN, "bullying", ["bullying"])
    assert (restored.severity, restored.grade, restored.score, restored.version) == ("S1", "illegal", 0.8, 3)


def test_nobody_takes_back_what_another_decided() -> None:
    case, user = make_case(), make_user()
    decide(case, user, "dismissed")
    with pytest.raises(NothingToUndo, match="本人"):
        decisions.undo(case.pk, make_user(Role.LEAD))
    with pytest.raises(NothingToUndo):
        decisions.undo(make_case().pk, user)
    with pytest.raises(NotFound):
        decisions.undo(10**9, user)


def test_nothing_is_taken_back_once_the_case_is_on_a_list() -> None:
    case, user = make_case(), make_user()
    decide(case, user, "confirmed")
    notice = notices.draft(SITE, "REPORT", make_user(Role.LIAISON), [case.pk])
    with pytest.raises(NotAllowed, match=notice.number):
        decisions.undo(case.pk, user)


@pytest.mark.django_db(transaction=True)
def test_of_people_who_decide_at_the_same_instant_one_succeeds_and_the_others_are_told() -> None:
    case, people = make_case(), [make_user() for _ in range(4)]

    def act(number: int) -> str:
        try:
            decisions.decide(case.pk, people[number], "dismissed", expected_version=1)
        except StaleCase as stale:
            return stale.holder
        return "decided"

    results = at_once(4, act)
    winner = people[results.index("decided")].staff_no
    assert sorted(results) == sorted(["decided", winner, winner, winner])
    assert Decision.objects.count() == 1


class Office(RuleBasedStateMachine):
    """Reviewers, a lead and duty staff act on three cases in any order; the rules hold after every act."""

    def __init__(self) -> None:
        super().__init__()
        self.transaction = transaction.atomic()
        self.transaction.__enter__()
        self.people = [make_user(Role.REVIEWER), make_user(Role.REVIEWER), make_user(Role.LEAD), make_user(Role.DUTY)]
        self.cases = [
            make_case(),
            make_case(category="gambling", grade="illegal", severity="S2"),
            make_restricted_case(),
        ]
        self.versions = {case.pk: 1 for case in self.cases}
        self.work = policies.work
        policies.work = lambda: Work(second_confirmation=(Condition(),))  # everything needs two

    def teardown(self) -> None:
        policies.work = self.work
        transaction.set_rollback(True)
        self.transaction.__exit__(None, None, None)

    def _changed(self, case: Case, before: Case) -> None:
        case.refresh_from_db()
        assert case.version == before.version + 1
        self.versions[case.pk] = case.version

    @rule(
        which=st.integers(0, 2),
        who=st.integers(0, 3),
        finding=st.sampled_from(Finding.values),
        category=st.sampled_from([None, "bullying", "minor_privacy", "sexual_exploitation"]),
        stale=st.booleans(),
        reason=st.sampled_from(["", "说明"]),
    )
    def decide(self, which: int, who: int, finding: str, category: str | None, stale: bool, reason: str) -> None:
        case, person = Case.objects.get(pk=self.cases[which].pk), self.people[who]
        step = TRANSITIONS.get((CaseState(case.state), Finding(finding)))
        try:
            decisions.decide(
                case.pk, person, finding, expected_version=case.version - stale, category=category, reason=reason
            )
        except CaseworkError:
            assert Case.objects.get(pk=case.pk).version == case.version
            return
        assert not stale
        assert step is not None
        assert not (case.restricted and person.role != Role.DUTY)
        self._changed(self.cases[which], case)
        assert self.cases[which].state in (step.to, step.second)
        assert reason or not step.reason

    @rule(which=st.integers(0, 2), who=st.integers(0, 3))
    def undo(self, which: int, who: int) -> None:
        case, person = Case.objects.get(pk=self.cases[which].pk), self.people[who]
        standing = decisions.last_decision(case)
        try:
            decisions.undo(case.pk, person)
        except CaseworkError:
            assert Case.objects.get(pk=case.pk).version == case.version
            return
        assert standing is not None
        assert standing.decided_by == person
        self._changed(self.cases[which], case)
        assert self.cases[which].state == standing.state_before

    @rule()
    @precondition(lambda self: any(case.state == CaseState.OUT_OF_SCOPE for case in self.cases))
    def a_minute_passes(self) -> None:
        purged = cases.purge_due(timezone.now() + timedelta(seconds=61))
        assert purged == sum(case.state == CaseState.OUT_OF_SCOPE and case.purged_at is None for case in self.cases)
        for case in self.cases:
            case.refresh_from_db()

    @invariant()
    def the_standing_finding_explains_the_state(self) -> None:
        for case in Case.objects.all():
            standing = decisions.last_decision(case)
            if standing is None:
                assert case.state == CaseState.OPEN
                continue
            step = TRANSITIONS[CaseState(standing.state_before), Finding(standing.finding)]
            assert case.state in (step.to, step.second)

    @invariant()
    def there_is_no_way_around_the_second_person(self) -> None:
        for case in Case.objects.filter(state=CaseState.CONFIRMED):
            standing = list(case.decisions.filter(undone_at__isnull=True).order_by("id"))
            again = max((at for at, one in enumerate(standing) if one.finding == Finding.REOPENED), default=-1)
            confirmed = {one.decided_by_id for one in standing[again + 1 :] if one.finding == Finding.CONFIRMED}
            earlier = {one.decided_by_id for one in standing[: again + 1] if one.finding in ("confirmed", "dismissed")}
            assert len(confirmed) == 2
            assert not confirmed & earlier

    @invariant()
    def what_is_restricted_or_purged_holds_no_text(self) -> None:
        for case in Case.objects.all():
            assert case.restricted == (case.category == "sexual_exploitation")
            assert bool(case.text) != (case.restricted or case.purged_at is not None)

    @invariant()
    def every_act_is_in_the_chain(self) -> None:
        acts = Decision.objects.count() + Decision.objects.filter(undone_at__isnull=False).count()
        assert AuditEntry.objects.filter(action__in=["case.decide", "case.undo"]).count() == acts
        assert audit.verify().whole

    @invariant()
    def the_evidence_is_whole(self) -> None:
        assert evidence.verify_all() == []


def test_the_rules_hold_whatever_people_do_in_whatever_order() -> None:
    quick = settings(max_examples=25, stateful_step_count=15, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(Office, settings=quick)  # type: ignore[no-untyped-call]
