"""A new model says again what it thinks of what is open; it decides nothing, closes nothing and disturbs nobody."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from casework import audit, cases, claims, decisions, intake, reassessments, signatures
from casework.models import AuditEntry, Batch, Case, CaseState, PastAssessment, Reassessment
from classifiers.assessment import Assessment, Span
from tests.casework.factories import MODEL, make_assessment, make_capture, make_case, make_restricted_case, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.modes]
NEW = "stand-in-2"
BULLYING = {"bullying": 0.9}


def says(scores: dict[str, float], spans: Sequence[Span] = ()) -> Assessment:
    return make_assessment(scores, spans).model_copy(update={"model": NEW})


def assess_again(scores: dict[str, float], spans: Sequence[Span] = ()) -> Reassessment:
    """Let the new model say this of whatever is next."""
    run = reassessments.begin(NEW, "command")
    found = reassessments.next_cases(run, 100)
    reassessments.write(run, [(case, says(scores, spans)) for case in found])
    return Reassessment.objects.get(pk=run.pk)


def test_an_open_case_gets_the_new_scores_and_keeps_the_old_as_history() -> None:
    case = make_case()
    run = assess_again({"crime_drugs": 0.95})

    case.refresh_from_db()
    assert (case.category, case.categories, case.model_version) == ("crime_drugs", ["crime_drugs"], NEW)
    assert (case.score, case.version, case.state) == (0.95, 2, CaseState.OPEN)
    past = PastAssessment.objects.get()
    assert (past.case, past.category, past.scores, past.model_version) == (case, "bullying", {"bullying": 0.8}, MODEL)
    assert run.assessed == 1
    assert reassessments.next_cases(run, 100) == []


def test_who_looks_sees_by_what_it_was_assessed_again_and_what_was_said_before() -> None:
    case = make_case()
    assess_again({"crime_drugs": 0.95})
    (act,) = cases.history(Case.objects.get(pk=case.pk))
    assert (act.action, act.actor) == ("重新评估", audit.SYSTEM)
    before = {"model": MODEL, "category": "bullying", "severity": "S1"}
    assert act.details == {"model": NEW, "before": before}

    Case.objects.update(state=CaseState.DISMISSED)
    (act,) = cases.history(Case.objects.get(pk=case.pk))
    assert act.details["before"] == before | {"score": 0.8}


def test_what_reaches_no_threshold_any_more_stays_marked_and_lower_in_its_queue() -> None:
    sure, case = make_case(score=0.7, model_version=NEW), make_case()
    run = assess_again({"bullying": 0.02})

    case.refresh_from_db()
    assert (case.state, case.category, case.severity, case.score) == (CaseState.OPEN, "bullying", "S1", 0.02)
    assert case.below_at is not None
    assert list(cases.by_urgency(Case.objects.all())) == [sure, case]
    assert (run.below, run.lighter) == (1, 0)

    Case.objects.update(model_version="stand-in-0")
    assess_again(BULLYING)
    case.refresh_from_db()
    assert case.below_at is None


def test_an_audit_sample_is_not_told_from_a_hit() -> None:
    case = make_case(audit_sample=True, scores={"bullying": 0.02})
    drawn = case.score
    assess_again({"bullying": 0.03})
    case.refresh_from_db()
    assert (case.below_at, case.audit_sample, case.scores["bullying"]) == (None, True, 0.03)
    assert case.score not in (0.03, drawn)
    assert case.score >= 0.5


def test_what_has_become_graver_is_due_sooner_and_comes_first() -> None:
    case, other = make_case(category="gambling", severity="S2"), make_case(model_version=NEW)
    Case.objects.update(due_at=timezone.now() + timedelta(days=9))
    spans = [Span(start=0, end=2, slug="self_harm", reason="rule:self_harm.imminent")]
    run = assess_again({"self_harm": 0.95}, spans)

    case.refresh_from_db()
    assert (case.severity, run.graver) == ("S0", 1)
    assert case.due_at is not None
    assert case.due_at < timezone.now() + timedelta(days=1)
    assert next(iter(cases.by_urgency(Case.objects.all()))) == case
    assert other.severity == "S1"


@pytest.mark.parametrize(
    "values",
    [
        {"state": CaseState.CONFIRMED},
        {"state": CaseState.DISMISSED},
        {"state": CaseState.SECOND},
        {"state": CaseState.ESCALATED},
        {"text": "", "purged_at": timezone.now()},
        {"model_version": NEW},
    ],
)
def test_what_is_decided_or_has_no_text_or_is_done_is_left_alone(values: dict[str, Any]) -> None:
    make_case(**values)
    assert reassessments.next_cases(reassessments.begin(NEW, "command"), 100) == []


def test_a_case_of_which_a_person_has_said_something_keeps_what_they_said() -> None:
    case, first = make_case(), make_user()
    decisions.decide(case.pk, first, "dismissed", expected_version=1)
    decisions.decide(case.pk, make_user(), "reopened", expected_version=2, reason="再看")
    assert Case.objects.get().state == CaseState.OPEN
    assert reassessments.next_cases(reassessments.begin(NEW, "command"), 100) == []
    assert reassessments.left(NEW) == reassessments.Left(waiting=0, claimed=0, judged=1, restricted=0, failed=0)


def test_a_claimed_case_waits_until_it_is_free() -> None:
    case, user = make_case(), make_user()
    claims.take(case.pk, user)
    run = reassessments.begin(NEW, "command")
    assert reassessments.next_cases(run, 100) == []
    assert reassessments.left(NEW).claimed == 1
    claims.give_back(case.pk, user)
    assert reassessments.next_cases(run, 100) == [case]


@pytest.mark.parametrize("meanwhile", ["claimed", "decided"])
def test_what_somebody_takes_or_decides_in_the_meantime_is_not_touched(meanwhile: str) -> None:
    case, user = make_case(), make_user()
    run = reassessments.begin(NEW, "command")
    read = reassessments.next_cases(run, 100)
    if meanwhile == "claimed":
        claims.take(case.pk, user)
    else:
        decisions.decide(case.pk, user, "confirmed", expected_version=1, category="bullying")

    assert reassessments.write(run, [(one, says({"crime_drugs": 0.9})) for one in read]) == 0
    assert Case.objects.get().model_version == MODEL
    assert not PastAssessment.objects.exists()


def test_a_finding_made_on_the_old_assessment_comes_too_late() -> None:
    case, user = make_case(), make_user()
    assess_again({"crime_drugs": 0.95})
    with pytest.raises(decisions.StaleCase):
        decisions.decide(case.pk, user, "confirmed", expected_version=1, category="bullying")


def test_written_twice_it_changes_nothing() -> None:
    make_case()
    run = reassessments.begin(NEW, "command")
    read = [(one, says({"crime_drugs": 0.95})) for one in reassessments.next_cases(run, 100)]
    assert [reassessments.write(run, read) for _ in range(2)] == [1, 0]
    assert (PastAssessment.objects.count(), Case.objects.get().version) == (1, 2)
    assert Reassessment.objects.get().assessed == 1


def test_what_may_not_be_held_loses_its_text_its_copies_theirs_and_every_score() -> None:
    case = make_case()
    copy = make_case(copy_of=case, likeness=1.0)
    signatures.remember([(case.pk, signatures.signs([case])[0])])
    assess_again({"bullying": 0.95})
    Case.objects.filter(copy_of=None).update(model_version=MODEL)
    assert PastAssessment.objects.count() == 1

    run = assess_again({"sexual_exploitation": 0.9})

    for one in (case, copy):
        one.refresh_from_db()
        assert (one.restricted, one.text, one.folded, one.spans, one.severity) == (True, "", "", [], "S0")
        assert set(one.scores) <= {"sexual_exploitation"}
        assert one.state == CaseState.OPEN
    assert not PastAssessment.objects.exists()
    assert case.signature.band_0 is None
    assert run.restricted == 1
    assert reassessments.left("stand-in-3").restricted == 1


def test_a_case_with_copies_stays_as_grave_as_they_are_and_keeps_what_they_joined_under() -> None:
    case = make_case()
    make_case(copy_of=case, likeness=0.8)
    assess_again({"gambling": 0.9})
    case.refresh_from_db()
    assert (case.severity, set(case.categories)) == ("S1", {"gambling", "bullying"})


def test_restricted_cases_and_copies_are_left_out() -> None:
    make_restricted_case()
    make_case(copy_of=make_case(model_version=NEW), likeness=1.0)
    assert reassessments.next_cases(reassessments.begin(NEW, "command"), 100) == []
    assert reassessments.left(NEW).restricted == 1


def test_cases_of_several_earlier_models_are_all_found() -> None:
    held, *others = (make_case(model_version=f"stand-in-{n}") for n in (0, 1, 3))
    claims.take(held.pk, make_user())
    run = reassessments.begin(NEW, "command")
    found = []
    while some := reassessments.next_cases(run, 1):
        found += some
        reassessments.write(run, [(one, says(BULLYING)) for one in some])
    assert found == others


def test_the_audit_log_says_what_happened_and_stays_whole() -> None:
    light, low = make_case(category="gambling", severity="S2"), make_case()
    run = reassessments.begin(NEW, "command")
    reassessments.write(run, [(light, says({"crime_drugs": 0.9})), (low, says({"bullying": 0.01}))])
    entry = AuditEntry.objects.get(action="case.reassess")
    assert (entry.actor, entry.subject) == (audit.SYSTEM, f"model:{NEW}")
    assert entry.details == {"cases": [light.pk, low.pk], "graver": [light.pk], "below": [low.pk]}
    assert audit.verify().whole


def test_another_model_takes_the_place_of_the_one_before_and_the_same_goes_on() -> None:
    first = reassessments.begin(NEW, "worker")
    assert reassessments.begin(NEW, "command").pk == first.pk
    second = reassessments.begin("stand-in-3", "worker")
    assert reassessments.in_force() == second
    assert reassessments.take_turn(first.pk) is None
    reassessments.end("stand-in-4")
    assert reassessments.in_force() is None


def test_the_audit_log_says_that_a_model_begins_only_where_something_is_open() -> None:
    case = make_case(model_version=NEW)
    make_case(state=CaseState.DISMISSED)
    first = reassessments.begin(NEW, "worker")
    assert reassessments.in_force() == first
    assert not AuditEntry.objects.filter(action="model.reassess").exists()

    claims.take(case.pk, make_user())  # it waits, until it is free
    reassessments.begin("stand-in-3", "worker")
    entry = AuditEntry.objects.get(action="model.reassess")
    assert entry.details == {"by": "worker", "before": NEW}


def test_one_worker_at_a_time_is_at_it_and_a_dead_one_loses_its_turn() -> None:
    make_case()
    run = reassessments.begin(NEW, "worker")
    assert reassessments.due() == run
    assert reassessments.take_turn(run.pk) is not None
    assert (reassessments.take_turn(run.pk), reassessments.due()) == (None, None)
    Reassessment.objects.update(busy_until=timezone.now() - timedelta(seconds=1))
    assert reassessments.due() is not None
    assert reassessments.take_turn(run.pk) is not None
    reassessments.end_turn(run.pk)
    assert reassessments.due() is not None
    Reassessment.objects.update(busy_until=timezone.now() + timedelta(hours=1))  # by a clock that was set back since
    assert reassessments.due() is not None


def test_it_stops_while_the_inbox_is_behind() -> None:
    make_case()
    run = reassessments.begin(NEW, "worker")
    intake.receive([make_capture()])
    assert reassessments.due() is not None
    Batch.objects.update(created_at=timezone.now() - timedelta(seconds=reassessments.BEHIND_SECONDS + 1))
    assert reassessments.due() is None
    assert reassessments.take_turn(run.pk) is None


def test_a_text_that_ends_its_workers_is_found_and_set_aside() -> None:
    bad, good = make_case(), make_case()
    run = reassessments.begin(NEW, "worker")
    seen: list[list[Case]] = []
    for _ in range(reassessments.NONE_AFTER + 1):
        turn = reassessments.take_turn(run.pk)
        assert turn is not None
        seen.append(reassessments.next_cases(turn, 100))  # and then the process is killed
        Reassessment.objects.update(busy_until=None)
    assert [len(some) for some in seen] == [2, 2, 2, 1, 1, 1, 1]
    assert seen[-1] == [good]
    assert reassessments.left(NEW).failed == 1
    reassessments.retry_failed(run)
    assert bad in reassessments.next_cases(Reassessment.objects.get(), 100)


def test_the_progress_counts_what_is_done_and_left() -> None:
    assert reassessments.progress() is None
    make_case()
    assess_again(BULLYING)
    make_case()
    found = reassessments.progress()
    assert found is not None
    assert (found["model"], found["assessed"], found["left"], found["failed"]) == (NEW, 1, 1, 0)
