"""What a person may see of a case."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework import annotations, exposure
from casework.errors import InvalidInput, NotAllowed, NotFound
from casework.models import AuditEntry, Case, CaseState, Role, User
from tests.casework.factories import make_case, make_restricted_case, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.modes]
SPAN = {"start": 2, "end": 4, "slug": "fraud_spending", "reason": "rule:fraud.refund"}
REVIEWER = User(username="r", role=Role.REVIEWER, staff_no="SW0001")


def light(text: str = "零元抽奖先付定金", **values: Any) -> Case:
    return make_case(text, **{"category": "fraud_spending", "severity": "S3", "spans": [SPAN]} | values)


def shown(view: exposure.CaseView) -> str:
    return "".join(segment.text for segment in view.segments)


def seen_by(user: User) -> set[str]:
    return {case.text or "restricted" for case in exposure.visible_cases(user)}


def test_each_role_meets_its_own_cases() -> None:
    make_case("普通")
    make_case("最重", severity="S0", category="self_harm")
    make_case("已确认", state=CaseState.CONFIRMED)
    make_case("超出范围", state=CaseState.OUT_OF_SCOPE)
    make_restricted_case()
    assert seen_by(make_user(Role.REVIEWER)) == {"普通", "已确认"}
    assert seen_by(make_user(Role.LEAD)) == {"普通", "已确认", "最重"}
    assert seen_by(make_user(Role.DUTY)) == {"普通", "已确认", "最重", "restricted"}
    assert seen_by(make_user(Role.LIAISON)) == {"已确认"}
    assert seen_by(make_user(Role.ADMIN)) == set()
    assert seen_by(make_user(Role.VOLUNTEER)) == set()


def test_the_scope_names_the_same_cases_as_conditions() -> None:
    filters = exposure.scope_for(make_user(Role.REVIEWER)).filters()
    assert filters["restricted"] == [False]
    assert "S0" not in filters["severity"]
    assert "out_of_scope" not in filters["state"]
    assert exposure.scope_for(make_user(Role.ADMIN)).filters()["severity"] == []


@pytest.mark.parametrize("severity", ["S0", "S1"])
def test_a_grave_text_is_masked_wholly_until_asked_for(severity: str) -> None:
    view = exposure.present(light(severity=severity), make_user(Role.LEAD))
    assert view.masked
    assert set(shown(view)) == {exposure.MASK}


@pytest.mark.parametrize("severity", ["S2", "S3"])
def test_a_light_text_is_masked_where_it_was_flagged(severity: str) -> None:
    view = exposure.present(light(severity=severity), make_user())
    assert view.masked
    assert shown(view) == "零元■■先付定金"


def test_asking_shows_everything_with_its_marks_and_is_recorded() -> None:
    undone = {"start": 4, "end": 6, "seen": "先付", "read_as": "现付", "kind": "homophone"}
    case, user = light(undone=[undone], redactions=[{"kind": "phone", "start": 6, "end": 8}]), make_user()
    assert exposure.present(case, user).undone == ()
    view = exposure.reveal(case, user)
    assert not view.masked
    assert shown(view) == case.text
    marked = [(one.text, one.slug, one.read_as, one.redacted) for one in view.segments if not one.plain]
    assert marked == [("抽奖", "fraud_spending", "", False), ("先付", "", "现付", False), ("定金", "", "", True)]
    assert view.undone == (undone,)
    entry = AuditEntry.objects.get(action="case.reveal")
    assert (entry.actor, entry.subject) == (user.staff_no, f"case:{case.pk}")
    assert case.text not in str(entry.details)


@pytest.mark.parametrize("values", [{"category": "minor_privacy"}, {"flags": ["minor_author"]}])
def test_staff_give_a_reason_before_they_see_what_concerns_a_minor(values: dict[str, object]) -> None:
    case, user = light(**values), make_user()
    assert exposure.present(case, user).reason_needed
    with pytest.raises(InvalidInput) as caught:
        exposure.reveal(case, user, "  ")
    assert caught.value.field == "reason"
    exposure.reveal(case, user, "核对学校是否已遮盖")
    assert AuditEntry.objects.get(action="case.reveal").details["reason"] == "核对学校是否已遮盖"


def test_nobody_is_shown_what_they_may_not_meet() -> None:
    with pytest.raises(NotFound):
        exposure.reveal(light(), make_user(Role.ADMIN))
    with pytest.raises(NotFound):
        exposure.reveal(make_restricted_case(), make_user(Role.LEAD))


def test_a_restricted_case_has_no_text_even_for_duty_staff() -> None:
    case, duty = make_restricted_case(), make_user(Role.DUTY)
    view = exposure.present(case, duty)
    assert (view.restricted, view.has_text, view.masked, view.category) == (True, False, False, "sexual_exploitation")
    with pytest.raises(NotAllowed, match="不留存"):
        exposure.reveal(case, duty)


class TestAVolunteer:
    """Blind: neither the model's opinion nor where it looked."""

    def test_sees_only_the_item_that_lies_before_them_and_no_opinion(self) -> None:
        case, volunteer = light(), make_user(Role.VOLUNTEER)
        light()
        assert annotations.next_case(volunteer) == case
        assert list(exposure.visible_cases(volunteer)) == [case]
        view = exposure.present(case, volunteer)
        assert (view.category, view.categories, view.severity, view.grade) == ("", (), "", "")
        assert (view.score, view.scores, view.spans, view.undone) == (None, {}, (), ())
        assert view.segments == (exposure.Segment(case.text),)

    def test_taps_once_to_see_a_grave_text_without_giving_a_reason(self) -> None:
        case, volunteer = make_case(category="minor_privacy", flags=["minor_author"]), make_user(Role.VOLUNTEER)
        annotations.next_case(volunteer)
        assert exposure.present(case, volunteer).masked
        view = exposure.reveal(case, volunteer)
        assert view.segments == (exposure.Segment(case.text),)
        assert AuditEntry.objects.filter(action="case.reveal", actor=volunteer.staff_no).count() == 1


ranges = st.tuples(st.integers(0, 30), st.integers(0, 30)).map(sorted).filter(lambda pair: pair[0] < pair[1])


@given(text=st.text(min_size=1, max_size=30), spans=st.lists(ranges), undone=st.lists(ranges), hits=st.lists(ranges))
def test_however_marks_overlap_the_revealed_text_is_the_text(
    text: str, spans: list[list[int]], undone: list[list[int]], hits: list[list[int]]
) -> None:
    case = Case(
        pk=1,
        text=text,
        severity="S3",
        spans=[{"start": a, "end": b, "slug": "bullying", "reason": "linear"} for a, b in spans],
        undone=[{"start": a, "end": b, "seen": "x", "read_as": "y", "kind": "k"} for a, b in undone],
    )
    pairs = [(a, b) for a, b in hits]
    assert shown(exposure.present(case, REVIEWER, revealed=True, highlights=pairs)) == text
    masked = exposure.present(case, REVIEWER, highlights=pairs)
    covered = {at for a, b in spans if b <= len(text) for at in range(a, b)}
    visible = "".join(character for at, character in enumerate(text) if at not in covered)
    assert "".join(one.text for one in masked.segments if not one.masked) == visible


def test_an_excerpt_begins_shortly_before_the_first_mark_and_is_short() -> None:
    case = light("一" * 100 + "抽奖" + "二" * 200, spans=[SPAN | {"start": 100, "end": 102}])
    excerpt = exposure.present(case, make_user()).excerpt(20)
    text = "".join(segment.text for segment in excerpt)
    assert text == "…" + "一" * 16 + "■■" + "二" * 18 + "…"
    assert exposure.present(light("短"), make_user()).excerpt() == (exposure.Segment("短"),)
