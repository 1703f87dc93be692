"""Clusters: what is the same is decided once, what is graver or another thing never hides behind it."""

from __future__ import annotations

from typing import Any

import pytest

from casework import (
    annotations,
    audit,
    cases,
    clusters,
    decisions,
    evidence,
    intake,
    notices,
    switches,
)
from casework.errors import NotAllowed, NotFound, NothingToUndo
from casework.models import AuditEntry, Case, CaseState, Decision, Outbox, Role, Signature
from casework.search.database import DatabaseSearch
from classifiers.assessment import Span
from crawlers.capture import Capture
from tests.casework.factories import SITE, make_assessment, make_capture, make_user
from tests.casework.search.conftest import ask
from tests.casework.test_restricted import tables_that_hold
from tests.casework.threads import at_once

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.modes]

TEXT = "加微信领游戏点券，先到先得，每天只有十个名额"
NEAR = "加微信领游戏点券，先到先得，每天只有二十个名额"
OTHER = "代练上分包赢，价格美丽，想上分的同学私聊下单"


def arrive(*texts: str, slug: str = "illicit_ads", spans: Any = (), **values: Any) -> list[Case]:
    """Take in hits with these texts, one batch after the other, and return their rows."""
    return [row for text in texts for row in arrive_together(text, slug=slug, spans=spans, **values)]


def arrive_together(*texts: str, slug: str = "illicit_ads", spans: Any = (), **values: Any) -> list[Case]:
    """Take in hits with these texts in one batch and return their rows, in the order given."""
    captures = [make_capture(text, **values) for text in texts]
    complete(captures, slug, spans)
    return [Case.objects.get(capture_id=one.id) for one in captures]


def complete(captures: list[Capture], slug: str, spans: Any = ()) -> list[int]:
    batch_id = intake.receive(captures).batch_ids[0]
    return intake.complete(batch_id, [(one, make_assessment({slug: 0.9}, spans=spans)) for one in captures])


def decide(case: Case, finding: str, role: Role = Role.LEAD, **values: Any) -> Decision:
    version = Case.objects.get(pk=case.pk).version
    if finding == "confirmed":
        values.setdefault("category", case.category)
    return decisions.decide(case.pk, make_user(role), finding, expected_version=version, **values)


def queue() -> list[int]:
    """Return the open cases in the order of the queue."""
    return [hit.case_id for hit in DatabaseSearch().search(ask()).hits]


def reload(*rows: Case) -> list[Case]:
    return [Case.objects.get(pk=row.pk) for row in rows]


def test_exact_and_near_copies_join_one_case_wherever_they_stand() -> None:
    first, exact, near, other = arrive(TEXT, f"{TEXT}！！🔥", NEAR, OTHER)
    assert (first.copy_of, other.copy_of) == (None, None)
    assert exact.copy_of == near.copy_of == first
    assert exact.likeness == 1.0
    assert 0.7 <= (near.likeness or 0) < 1.0
    places = clusters.occurrences(first, make_user(Role.LEAD))
    assert [(one.case, one.exact) for one in places] == [(near, False), (exact, True)]
    assert clusters.counts([first.pk, other.pk]) == {first.pk: 2}


def test_copies_still_find_the_cases_that_were_signed_with_a_secret_key_of_before(settings: Any) -> None:
    oldest, key = "o" * 50, settings.SECRET_KEY
    settings.SECRET_KEY = oldest
    (first,) = arrive(OTHER)
    settings.SECRET_KEY = key
    (second,) = arrive(TEXT)

    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "n" * 50, [key, oldest]
    exact, near, exact_of_oldest = arrive(TEXT, NEAR, OTHER)
    assert [row.copy_of for row in (exact, near, exact_of_oldest)] == [second, second, first]

    settings.SECRET_KEY_FALLBACKS = []
    (lost,) = arrive(TEXT)
    assert lost.copy_of is None


def test_copies_in_one_batch_join_each_other() -> None:
    rows = arrive_together(TEXT, OTHER, NEAR, TEXT)
    own = [row for row in rows if row.copy_of is None]
    assert len(own) == 2
    assert {row.copy_of_id for row in rows if row.copy_of} <= {row.pk for row in own}
    assert Signature.objects.count() == 2


def test_short_texts_are_copies_only_when_equal() -> None:
    first, near, same = arrive("加微信领点券", "加微信领点卷", "加微信 领点券！")
    assert (first.copy_of, near.copy_of, same.copy_of) == (None, None, first)


def test_a_copy_stands_in_no_queue_and_before_no_volunteer() -> None:
    first, copy = arrive(TEXT, NEAR)
    assert queue() == [first.pk]
    assert DatabaseSearch().count() == 1
    assert annotations.for_volunteers().filter(pk=copy.pk).count() == 0


def test_intake_tells_of_cases_and_not_of_copies(index_away: None) -> None:
    captures = [make_capture(text) for text in (TEXT, NEAR, OTHER)]
    told = complete(captures, "illicit_ads")
    assert told == sorted(Case.objects.filter(copy_of=None).values_list("pk", flat=True))
    assert sorted(Outbox.objects.values_list("pk", flat=True)) == told


@pytest.mark.parametrize(
    ("values", "joined"),
    [
        ({}, True),
        ({"slug": "gambling"}, False),
        ({"slug": "self_harm"}, False),
    ],
)
def test_what_harms_in_another_way_is_a_case_of_its_own(values: dict[str, Any], joined: bool) -> None:
    (first,) = arrive(TEXT)
    (second,) = arrive(NEAR, **values)
    assert (second.copy_of == first) is joined


def test_what_is_graver_where_it_stands_never_hides_behind_something_lighter() -> None:
    (general,) = arrive(TEXT, slug="gambling")
    (in_kid_zone,) = arrive(TEXT, slug="gambling", flags=["kid_zone"])
    (lighter,) = arrive(NEAR, slug="gambling")
    assert (general.severity, in_kid_zone.severity) == ("S2", "S1")
    assert in_kid_zone.copy_of is None
    assert lighter.copy_of in (general, in_kid_zone)


def test_imminent_self_harm_is_never_a_copy_of_what_is_not() -> None:
    (first,) = arrive(TEXT, slug="self_harm")
    (imminent,) = arrive(
        NEAR, slug="self_harm", spans=[Span(start=0, end=2, slug="self_harm", reason="rule:self_harm.imminent.x")]
    )
    assert (imminent.severity, imminent.copy_of) == ("S0", None)
    assert first.severity == "S1"


def test_an_audit_sample_is_never_joined(settings: object) -> None:
    from config.settings import get_settings

    get_settings().__dict__["audit_rate"] = 1.0
    try:
        (first,) = arrive(TEXT)
        capture = make_capture(TEXT)
        batch_id = intake.receive([capture]).batch_ids[0]
        intake.complete(batch_id, [(capture, make_assessment())])
    finally:
        del get_settings().__dict__["audit_rate"]
        get_settings.cache_clear()
    sample = Case.objects.get(capture_id=capture.id)
    assert (sample.audit_sample, sample.copy_of) == (True, None)
    assert Signature.objects.filter(case=sample).count() == 0
    assert first.copy_of is None


@pytest.mark.parametrize("finding", ["confirmed", "dismissed", "escalated"])
def test_one_decision_serves_all_and_is_taken_back_for_all(finding: str, index_away: None) -> None:
    first, copy = arrive(TEXT, NEAR)
    decision = decide(first, finding)
    first, copy = reload(first, copy)
    assert copy.state == first.state == finding
    follower = copy.decisions.get()
    assert (follower.follows, follower.decided_by) == (decision, decision.decided_by)
    decisions.undo(first.pk, decision.decided_by)
    first, copy = reload(first, copy)
    assert copy.state == first.state == CaseState.OPEN
    assert list(Outbox.objects.values_list("pk", flat=True)) == [first.pk]
    assert audit.verify().whole


def test_a_copy_that_came_late_goes_back_to_where_its_case_goes() -> None:
    (first,) = arrive(TEXT)
    decide(first, "escalated")
    lead = make_user(Role.LEAD)
    decisions.decide(first.pk, lead, "dismissed", expected_version=2)
    (late,) = arrive(NEAR)
    assert late.state == CaseState.DISMISSED
    decisions.undo(first.pk, lead)
    assert [row.state for row in reload(first, late)] == [CaseState.ESCALATED] * 2


def test_another_category_is_settled_for_all_and_restored_for_all() -> None:
    first, copy = arrive(TEXT, NEAR)
    decision = decide(first, "confirmed", category="fraud_spending")
    (copy,) = reload(copy)
    assert (copy.category, copy.categories[:2], copy.grade) == (
        "fraud_spending",
        ["fraud_spending", "illicit_ads"],
        "illegal",
    )
    decisions.undo(first.pk, decision.decided_by)
    (copy,) = reload(copy)
    assert (copy.category, copy.categories) == ("illicit_ads", ["illicit_ads"])


def test_a_copy_is_never_decided_alone() -> None:
    first, copy = arrive(TEXT, NEAR)
    with pytest.raises(NotAllowed, match=first.number):
        decide(copy, "confirmed")
    decision = decide(first, "dismissed")
    with pytest.raises(NothingToUndo):
        decisions.undo(copy.pk, decision.decided_by)


def test_a_new_copy_follows_what_was_decided_and_the_log_says_so() -> None:
    (first,) = arrive(TEXT)
    decision = decide(first, "confirmed", category="fraud_spending")
    (copy,) = arrive(NEAR)
    assert (copy.state, copy.copy_of, copy.category) == (CaseState.CONFIRMED, first, "fraud_spending")
    assert copy.decisions.get().follows == decision
    entry = AuditEntry.objects.get(action="case.follow")
    assert (entry.actor, entry.subject) == ("system", "rule:copies_follow_decisions")
    assert entry.details == {"copies": {str(first.pk): [copy.pk]}}
    decisions.undo(first.pk, decision.decided_by)
    assert reload(copy)[0].state == CaseState.OPEN


def test_with_the_rule_off_a_copy_of_what_was_decided_is_a_case_of_its_own_and_gathers_the_next() -> None:
    lead = make_user(Role.LEAD)
    (first,) = arrive(TEXT)
    decide(first, "dismissed")
    switches.turn(switches.COPIES_FOLLOW, lead, on=False)
    second, third = arrive(TEXT, NEAR)
    assert (second.copy_of, second.state) == (None, CaseState.OPEN)
    assert third.copy_of == second
    switches.turn(switches.COPIES_FOLLOW, lead, on=True)
    assert [one.on for one in switches.standing()] == [True]
    assert list(AuditEntry.objects.filter(action="rule.turn").values_list("details", flat=True)) == [
        {"on": False},
        {"on": True},
    ]


def test_only_a_lead_turns_rules_and_only_those_there_are() -> None:
    for role in set(Role) - {Role.LEAD}:
        with pytest.raises(NotAllowed):
            switches.turn(switches.COPIES_FOLLOW, make_user(role), on=False)
    with pytest.raises(NotFound):
        switches.turn("no_such_rule", make_user(Role.LEAD), on=False)


def test_what_is_out_of_scope_takes_its_copies_with_it_now_and_later() -> None:
    first, copy = arrive(TEXT, NEAR)
    decide(first, "out_of_scope")
    later = cases.timezone.now() + 2 * cases.UNDO_WINDOW
    assert cases.purge_due(later) == 2
    assert [row.text for row in reload(first, copy)] == ["", ""]
    assert Signature.objects.get(case=first).band_0 is None
    (again,) = arrive(TEXT)
    assert (again.copy_of, again.state) == (first, CaseState.OUT_OF_SCOPE)
    assert cases.purge_due() == 1
    assert not tables_that_hold(TEXT)


def test_a_copy_that_was_joined_wrongly_is_split_off_and_can_be_put_back() -> None:
    first, copy = arrive(TEXT, NEAR)
    decision = decide(first, "confirmed", category="fraud_spending")
    reviewer = make_user()
    clusters.split(copy.pk, reviewer)
    (copy,) = reload(copy)
    assert (copy.copy_of, copy.split_from, copy.state, copy.category) == (None, first, CaseState.OPEN, "illicit_ads")
    assert queue() == [copy.pk]
    assert AuditEntry.objects.get(action="case.split").details["from"] == first.pk
    decisions.undo(first.pk, decision.decided_by)
    assert reload(copy)[0].state == CaseState.OPEN
    assert queue() == [first.pk, copy.pk]
    decide(first, "dismissed")
    clusters.rejoin(copy.pk, reviewer)
    (copy,) = reload(copy)
    assert (copy.copy_of, copy.split_from, copy.state) == (first, None, CaseState.DISMISSED)
    assert not Signature.objects.filter(case=copy).exists()
    assert queue() == []
    assert audit.verify().whole


def test_what_was_split_off_is_decided_for_itself_and_gathers_its_own_copies() -> None:
    first, copy = arrive(TEXT, NEAR)
    clusters.split(copy.pk, make_user())
    decide(copy, "confirmed")
    (later,) = arrive(NEAR)
    assert later.copy_of == copy
    assert [row.state for row in reload(first, later)] == [CaseState.OPEN, CaseState.CONFIRMED]
    with pytest.raises(NotAllowed, match="不能归回"):
        clusters.rejoin(copy.pk, make_user())


def test_what_cannot_be_split_says_why() -> None:
    first, copy = arrive(TEXT, NEAR)
    with pytest.raises(NotAllowed, match="不是副本"):
        clusters.split(first.pk, make_user())
    with pytest.raises(NotAllowed, match="不是拆出来的"):
        clusters.rejoin(copy.pk, make_user())
    with pytest.raises(NotAllowed):
        clusters.split(copy.pk, make_user(Role.LIAISON))
    with pytest.raises(NotFound):
        clusters.split(10**9, make_user())


def test_each_copy_is_listed_at_its_own_address_with_evidence_of_its_own() -> None:
    first, copy = arrive(TEXT, NEAR)
    decision = decide(first, "confirmed")
    liaison = make_user(Role.LIAISON)
    assert evidence.latest(copy) is None
    notice = notices.draft(SITE, "REPORT", liaison, [first.pk, copy.pk])
    assert {line.case.url for line in notice.lines.all()} == {first.url, copy.url}
    assert evidence.latest(copy) is not None
    with pytest.raises(NotAllowed, match=notice.number):
        decisions.undo(first.pk, decision.decided_by)
    with pytest.raises(NotAllowed, match=notice.number):
        clusters.split(copy.pk, make_user())


def test_workers_with_copies_of_one_text_make_one_case() -> None:
    batches = [[make_capture(text) for text in (TEXT, NEAR)] for _ in range(6)]
    ids = [intake.receive(batch).batch_ids[0] for batch in batches]

    def work(number: int) -> list[int]:
        assessed = [(one, make_assessment({"illicit_ads": 0.9})) for one in batches[number]]
        return intake.complete(ids[number], assessed)

    at_once(6, work)
    assert (Case.objects.count(), Case.objects.filter(copy_of=None).count()) == (12, 1)


def test_a_copy_that_arrives_while_its_case_is_decided_is_not_left_behind() -> None:
    (first,) = arrive(TEXT)
    captures = [make_capture(NEAR) for _ in range(4)]
    ids = [intake.receive([one]).batch_ids[0] for one in captures]
    lead = make_user(Role.LEAD)

    def act(number: int) -> None:
        if number == 4:
            decisions.decide(first.pk, lead, "dismissed", expected_version=1)
        else:
            intake.complete(ids[number], [(captures[number], make_assessment({"illicit_ads": 0.9}))])

    at_once(5, act)
    assert set(Case.objects.values_list("state", flat=True)) == {CaseState.DISMISSED}
    assert Decision.objects.filter(undone_at__isnull=True).count() == 5
