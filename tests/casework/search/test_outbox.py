"""The outbox: what changes is in it until the index has it, whoever changes, writes or is killed in between."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from casework import cases, clusters, decisions, intake, reassessments, retention, traces
from casework.models import Case, CaseState, Outbox, Role, User, Visible
from casework.search import mapping, outbox
from tests.casework.factories import make_assessment, make_capture, make_case, make_user
from tests.casework.threads import at_once

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.modes]
LONG_AGO = timedelta(days=400)


def waiting() -> dict[int, int]:
    """Case → mark."""
    return dict(Outbox.objects.values_list("pk", "mark"))


def come(*texts: str) -> list[int]:
    captures = [make_capture(text) for text in texts]
    (batch_id,) = intake.receive(captures).batch_ids
    return intake.complete(batch_id, [(one, make_assessment({"bullying": 0.9})) for one in captures])


def decide(case: Case, lead: User) -> set[int]:
    decisions.decide(case.pk, lead, "dismissed", expected_version=case.version)
    return {case.pk}


def undo(case: Case, lead: User) -> set[int]:
    decide(case, lead)
    Outbox.objects.all().delete()
    decisions.undo(case.pk, lead)
    return {case.pk}


def split(case: Case, lead: User) -> set[int]:
    copy = make_case(case.text, copy_of=case, likeness=1.0)
    clusters.split(copy.pk, lead)
    return {copy.pk}


def rejoin(case: Case, lead: User) -> set[int]:
    copy = make_case(case.text, split_from=case)
    clusters.rejoin(copy.pk, lead)
    return {copy.pk}


def gone(case: Case, lead: User) -> set[int]:
    traces.note_gone([case.capture_id])
    return {case.pk}


def edited(case: Case, lead: User) -> set[int]:
    traces.note_edited({case.capture_id: timezone.now()})
    return {case.pk}


def assess_again(case: Case, lead: User) -> set[int]:
    run = reassessments.begin("another-1", "command")
    reassessments.write(run, [(case, make_assessment({"bullying": 0.7}))])
    return {case.pk}


def purge(case: Case, lead: User) -> set[int]:
    Case.objects.filter(pk=case.pk).update(state=CaseState.OUT_OF_SCOPE, purge_after=timezone.now() - LONG_AGO)
    assert cases.purge_due() == 1
    return {case.pk}


def retain(case: Case, lead: User) -> set[int]:
    decide(case, lead)
    Outbox.objects.all().delete()
    retention.purge(now=timezone.now() + LONG_AGO)
    return {case.pk}


@pytest.mark.parametrize("act", [decide, undo, split, rejoin, gone, edited, assess_again, purge, retain])
def test_whatever_changes_a_case_puts_it_there(act: Callable[[Case, User], set[int]], index_away: None) -> None:
    before = make_case("他说你真笨，大家都别理他")
    assert set(waiting()) == set()
    assert act(before, make_user(Role.LEAD)) == set(waiting())


def test_hits_are_there_as_they_come(index_away: None) -> None:
    assert sorted(come("你真笨呀", "大家都别理他")) == sorted(waiting())


def test_what_was_not_committed_is_not_there(index_away: None) -> None:
    case = make_case()
    with transaction.atomic():
        outbox.put([case.pk])
        transaction.set_rollback(True)
    assert waiting() == {}


def test_only_who_has_read_the_mark_takes_it_away_and_the_first_time_is_noted() -> None:
    first, second = make_case().pk, make_case().pk
    outbox.put([first, second])
    read = waiting()
    outbox.put([second])

    outbox.take(list(read.items()))

    assert set(waiting()) == {second}
    seen = Visible.objects.get()
    assert seen.pk == first
    outbox.put([first])
    outbox.take(list(waiting().items()))
    assert (waiting(), Visible.objects.count(), Visible.objects.get(pk=first).at) == ({}, 2, seen.at)
    outbox.take(list(read.items()))
    outbox.take([])
    assert waiting() == {}


def test_all_are_put_there_but_copies_and_what_changed_lately_with_them() -> None:
    old, new = make_case(), make_case()
    Case.objects.filter(pk=old.pk).update(updated_at=timezone.now() - LONG_AGO)
    copy = make_case(copy_of=old)
    outbox.put_all()
    assert set(waiting()) == {old.pk, new.pk}
    before = waiting()
    outbox.put_since(timezone.now() - timedelta(days=1))
    after = waiting()
    assert set(after) == {old.pk, new.pk, copy.pk}
    assert {one for one, mark in before.items() if after[one] == mark} == {old.pk}


def test_whoever_takes_away_waits_for_nobody_and_what_somebody_is_just_changing_stays() -> None:
    if connection.vendor == "sqlite":  # it lets one write at a time: there is nobody to wait for
        return
    first, second = make_case().pk, make_case().pk
    outbox.put([first, second])
    read = list(waiting().items())
    with transaction.atomic():
        outbox.put([second])
        at_once(1, lambda _number: outbox.take(read))
    assert set(waiting()) == {second}


steps = st.lists(
    st.one_of(
        st.tuples(st.just("change"), st.integers(0, 1)),
        st.tuples(st.sampled_from(["read", "write", "take", "die", "force"]), st.integers(0, 1)),
    ),
    max_size=30,
)


@given(steps=steps)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_two_workers_do_in_any_order_what_the_index_lacks_is_in_the_outbox(
    steps: list[tuple[str, int]],
) -> None:
    """Each worker reads both cases, writes them with external versions, takes them away, or dies in between."""
    Outbox.objects.all().delete()
    Case.objects.all().delete()
    ids = [make_case().pk, make_case().pk]
    outbox.put(ids)
    held = dict.fromkeys(ids, 0)
    read: dict[int, list[mapping.Stored]] = {0: [], 1: []}
    written: dict[int, list[mapping.Stored]] = {0: [], 1: []}
    for step, who in steps:
        if step == "change":
            Case.objects.filter(pk=ids[who]).update(version=Case.objects.get(pk=ids[who]).version + 1)
            outbox.put([ids[who]])
        elif step == "read":
            read[who], written[who] = mapping.stored(Case.objects.filter(pk__in=ids)), []
        elif step == "write":
            for one in read[who]:
                held[one.pk] = max(held[one.pk], one.version)
            written[who] = read[who]
        elif step == "take":
            outbox.take([(one.pk, one.mark) for one in written[who] if one.mark is not None])
        elif step == "force":  # the index was lost: whatever was written to it before does not count
            held = dict.fromkeys(ids, 0)
            outbox.put_all()
        else:
            read[who], written[who] = [], []
        lacking = {pk for pk, version in Case.objects.values_list("pk", "version") if held[pk] < version}
        assert lacking <= set(waiting())
