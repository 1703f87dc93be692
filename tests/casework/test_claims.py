"""Claims: one person at a time, returned by itself, handed over with a note, never in the way of the versions."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models import F
from django.utils import timezone
from hypothesis import Phase
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from casework import claims, decisions
from casework.errors import HeldByOther, InvalidInput, NotAllowed, NotFound
from casework.models import AuditEntry, Case, Claim, Role, User
from tests.casework.factories import make_case, make_restricted_case, make_user
from tests.casework.threads import at_once

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.modes]


def expire(case: Case) -> None:
    Claim.objects.filter(case=case).update(until=timezone.now() - timedelta(seconds=1))


def test_whoever_comes_second_is_told_who_holds_the_case() -> None:
    case, first, second = make_case(), make_user(), make_user()
    claims.take(case.pk, first)
    with pytest.raises(HeldByOther) as caught:
        claims.take(case.pk, second)
    assert caught.value.holder == first.staff_no
    assert claims.holders([case.pk], but=first) == {}
    assert claims.holders([case.pk], but=second)[case.pk][0] == first.staff_no


def test_a_claim_is_renewed_by_taking_it_again_and_returns_by_itself() -> None:
    case, first, second = make_case(), make_user(), make_user()
    before = claims.take(case.pk, first).until
    assert claims.take(case.pk, first).until >= before
    expire(case)
    assert claims.holders([case.pk]) == {}
    assert claims.take(case.pk, second).holder == second
    with pytest.raises(HeldByOther):
        claims.take(case.pk, first)


def test_a_claim_taken_by_a_clock_that_was_an_hour_ahead_holds_nothing_once_it_is_right() -> None:
    case, handed, first, second = make_case(), make_case(), make_user(), make_user()
    claims.take(case.pk, first)
    claims.hand_over(handed.pk, first, second.staff_no)
    Claim.objects.update(until=F("until") + timedelta(hours=1))

    assert set(claims.holders([case.pk, handed.pk])) == {handed.pk}
    assert claims.take(case.pk, second).holder == second
    with pytest.raises(HeldByOther):
        claims.take(case.pk, first)


def test_a_claim_of_a_clock_that_was_ahead_is_renewed_to_the_right_time_or_removed() -> None:
    case, other, user = make_case(), make_case(), make_user()
    claims.take(case.pk, user)
    claims.take(other.pk, user)
    Claim.objects.update(until=F("until") + timedelta(hours=1))

    assert claims.take(case.pk, user).until <= timezone.now() + claims.LEASE
    assert claims.drop_expired() == 1
    assert [one.case for one in claims.held_by(user)] == [case]


def test_rows_of_claims_that_are_over_are_removed() -> None:
    case, other, user = make_case(), make_case(), make_user()
    claims.take(case.pk, user)
    claims.take(other.pk, user)
    expire(case)
    assert claims.drop_expired() == 1
    assert [one.case for one in claims.held_by(user)] == [other]


def test_somebody_elses_claim_keeps_others_from_deciding_and_ends_with_the_decision() -> None:
    case, first, second = make_case(), make_user(), make_user()
    claims.take(case.pk, first)
    with pytest.raises(HeldByOther):
        decisions.decide(case.pk, second, "dismissed", expected_version=1)
    decisions.decide(case.pk, first, "dismissed", expected_version=1)
    assert not Claim.objects.exists()
    with pytest.raises(NotAllowed, match="不需要处理"):
        claims.take(case.pk, second)


def test_a_case_is_handed_over_with_a_note_and_waits_for_the_colleague() -> None:
    case, giver, taker, third = make_case(), make_user(), make_user(), make_user()
    claims.take(case.pk, giver)
    claims.hand_over(case.pk, giver, taker.staff_no, "请看第二段")
    (claim,) = claims.held_by(taker)
    assert (claim.case, claim.handed_by, claim.note) == (case, giver.staff_no, "请看第二段")
    assert claim.until > timezone.now() + timedelta(hours=11)
    for other in (giver, third):
        with pytest.raises(HeldByOther):
            claims.take(case.pk, other)
    renewed = claims.take(case.pk, taker)
    assert (renewed.until, renewed.note) == (claim.until, "请看第二段")
    entry = AuditEntry.objects.get(action="case.hand_over")
    assert (entry.actor, entry.details) == (giver.staff_no, {"to": taker.staff_no, "reason": "请看第二段"})


def test_a_case_is_handed_only_to_somebody_who_may_decide_it() -> None:
    case, grave, giver = make_case(), make_case(severity="S0"), make_user(Role.LEAD)
    for to in ("SW9999", giver.staff_no, make_user(Role.VOLUNTEER).staff_no, make_user(Role.LIAISON).staff_no):
        with pytest.raises(InvalidInput):
            claims.hand_over(case.pk, giver, to)
    with pytest.raises(InvalidInput):
        claims.hand_over(grave.pk, giver, make_user(Role.REVIEWER).staff_no)
    with pytest.raises(InvalidInput):
        claims.hand_over(case.pk, giver, make_user().staff_no, "长" * 501)
    offered = claims.colleagues(grave, giver)
    assert {one.role for one in offered} <= {Role.LEAD, Role.DUTY}
    assert not Claim.objects.exists()


def test_the_lead_takes_a_case_over_and_the_log_says_from_whom() -> None:
    case, first, lead = make_case(), make_user(), make_user(Role.LEAD)
    claims.take(case.pk, first)
    with pytest.raises(NotAllowed):
        claims.take_over(case.pk, make_user())
    assert claims.take_over(case.pk, lead).holder == lead
    assert AuditEntry.objects.get(action="case.take_over").details == {"held_by": first.staff_no}


def test_what_one_may_not_see_or_decide_is_not_claimed() -> None:
    with pytest.raises(NotFound):
        claims.take(make_restricted_case().pk, make_user())
    for role in (Role.LIAISON, Role.VOLUNTEER, Role.ADMIN):
        with pytest.raises(NotAllowed):
            claims.take(make_case().pk, make_user(role))
    with pytest.raises(NotAllowed):
        claims.take(make_case(copy_of=make_case()).pk, make_user())


def test_what_was_escalated_is_claimed_by_those_alone_who_may_decide_it() -> None:
    case, lead = make_case(state="escalated"), make_user(Role.LEAD)
    with pytest.raises(NotAllowed, match="已上报"):
        claims.take(case.pk, make_user())
    assert claims.take(case.pk, lead).holder == lead


def test_giving_back_frees_the_case_and_only_ones_own() -> None:
    case, first, second = make_case(), make_user(), make_user()
    claims.take(case.pk, first)
    assert not claims.give_back(case.pk, second)
    assert claims.give_back(case.pk, first)
    assert claims.take(case.pk, second).holder == second


def test_of_people_who_take_the_next_at_the_same_instant_each_gets_another() -> None:
    ids = [make_case().pk for _ in range(4)]
    people = [make_user() for _ in range(5)]
    taken = at_once(5, lambda number: claims.take_first(ids, people[number]))
    assert sorted(one for one in taken if one is not None) == ids
    assert taken.count(None) == 1


class OneHolder(RuleBasedStateMachine):
    """However people take, renew, hand over, give back and let expire, nobody decides what another holds."""

    def __init__(self) -> None:
        super().__init__()
        self.case = make_case()
        self.people = [make_user() for _ in range(3)]
        self.holder: User | None = None

    @rule(who=st.integers(0, 2))
    def take(self, who: int) -> None:
        person = self.people[who]
        if self.holder in (None, person):
            assert claims.take(self.case.pk, person).holder == person
            self.holder = person
        else:
            with pytest.raises(HeldByOther):
                claims.take(self.case.pk, person)

    @rule(who=st.integers(0, 2), to=st.integers(0, 2))
    def hand_over(self, who: int, to: int) -> None:
        giver, taker = self.people[who], self.people[to]
        if giver == taker or self.holder not in (None, giver):
            with pytest.raises((InvalidInput, HeldByOther)):
                claims.hand_over(self.case.pk, giver, taker.staff_no)
        else:
            claims.hand_over(self.case.pk, giver, taker.staff_no)
            self.holder = taker

    @rule(who=st.integers(0, 2))
    def give_back(self, who: int) -> None:
        mine = self.holder == self.people[who]
        assert claims.give_back(self.case.pk, self.people[who]) == mine
        self.holder = None if mine else self.holder

    @rule()
    def time_passes(self) -> None:
        expire(self.case)
        self.holder = None

    @invariant()
    def only_the_holder_may_decide(self) -> None:
        for person in self.people:
            if self.holder in (None, person):
                claims.must_be_free(self.case.pk, person)
            else:
                with pytest.raises(HeldByOther):
                    claims.must_be_free(self.case.pk, person)


def test_however_people_act_nobody_decides_what_another_holds() -> None:
    budget = hypothesis_settings(max_examples=6, stateful_step_count=12, phases=[Phase.generate])
    run_state_machine_as_test(OneHolder, settings=budget)  # type: ignore[no-untyped-call]
