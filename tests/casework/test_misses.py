"""Misses: the audit sample stands unmarked among the hits, and recall follows from what people find in it."""

from __future__ import annotations

import pytest

from casework import counts, decisions, exposure, hits, misses
from casework.models import Case, CaseState
from tests.casework.factories import SITE, make_case, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.modes]


def make_sample(**values: object) -> Case:
    case = make_case(audit_sample=True, scores={"bullying": 0.07}, **values)
    hits.settle(case, "bullying")
    case.save()
    return case


def test_before_somebody_decides_nothing_tells_a_sample_from_a_hit() -> None:
    sample, hit, user = make_sample(), make_case(), make_user()
    assert 0.5 <= sample.score <= 1
    views = [exposure.present(case, user) for case in (sample, hit)]
    assert [(view.score, view.scores) for view in views] == [(None, {})] * 2


@pytest.mark.parametrize("finding", ["dismissed", "confirmed"])
def test_once_decided_its_true_score_is_shown_and_taken_back_it_is_hidden_again(finding: str) -> None:
    sample, user = make_sample(), make_user()
    category = "bullying" if finding == "confirmed" else None
    decisions.decide(sample.pk, user, finding, expected_version=1, category=category)
    sample.refresh_from_db()
    assert exposure.present(sample, user).score == 0.07
    decisions.undo(sample.pk, user)
    sample.refresh_from_db()
    assert (exposure.present(sample, user).score, sample.score >= 0.5) == (None, True)


def test_samples_are_spread_over_the_whole_queue() -> None:
    places = [hits._place(f"capture-{number}") for number in range(400)]
    assert 0.5 <= min(places) < 0.53
    assert 0.97 < max(places) <= 1
    assert 0.72 < sum(places) / len(places) < 0.78


def test_recall_is_found_among_hits_over_found_and_missed() -> None:
    counts.add({(SITE, "talk"): {"assessed": 1100, "flagged": 100}})
    for state in (CaseState.CONFIRMED,) * 8 + (CaseState.DISMISSED,) * 2:
        make_case(state=state)
    for state in (CaseState.CONFIRMED,) + (CaseState.DISMISSED,) * 49 + (CaseState.OPEN,) * 3:
        make_case(state=state, audit_sample=True)
    found = misses.recall()
    assert (found.sampled, found.harmful, found.waiting, found.below) == (50, 1, 3, 1000)
    assert found.missed == pytest.approx(20)  # one in fifty of a thousand
    assert found.rate == pytest.approx(80 / 100)  # of a hundred hits eighty are right
    assert 0.4 < found.low < 0.8 < found.high < 1


def test_what_went_to_the_police_was_harmful_and_what_is_out_of_scope_was_not() -> None:
    counts.add({(SITE, "talk"): {"assessed": 1100, "flagged": 100}})
    for state in (CaseState.CONFIRMED, CaseState.POLICE, CaseState.OUT_OF_SCOPE, CaseState.DISMISSED):
        make_case(state=state)
    for state in (CaseState.POLICE, CaseState.OUT_OF_SCOPE, CaseState.SECOND, CaseState.ESCALATED):
        make_case(state=state, audit_sample=True)
    found = misses.recall()
    assert (found.sampled, found.harmful, found.waiting) == (2, 1, 2)
    assert found.rate == pytest.approx(50 / 550)


def test_where_nothing_was_decided_nothing_is_said() -> None:
    make_sample()
    assert (misses.recall().rate, misses.recall().waiting) == (None, 1)
