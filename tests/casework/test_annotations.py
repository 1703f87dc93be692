"""What lies before a volunteer, and their blind answer."""

from datetime import timedelta

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from casework import annotations, decisions
from casework.errors import InvalidInput, NotAllowed, NothingToUndo
from casework.models import Annotation, Assignment, Case, CaseState, Role, User
from config.taxonomy import SLUGS, load_taxonomy
from tests.casework.factories import make_case, make_restricted_case, make_user
from tests.casework.threads import at_once

pytestmark = [pytest.mark.django_db, pytest.mark.modes]
NEVER = {"sexual_exploitation", "pornography", "self_harm"}

anything = st.fixed_dictionaries(
    {
        "categories": st.lists(st.sampled_from(SLUGS), min_size=1, max_size=4, unique=True),
        "severity": st.sampled_from(["S0", "S1", "S2", "S3"]),
        "state": st.sampled_from(CaseState.values),
        "restricted": st.booleans(),
        "purged": st.booleans(),
        "kid_zone": st.booleans(),
    }
)


def made(values: dict[str, object]) -> Case:
    fields = dict(values)
    categories = fields.pop("categories")
    assert isinstance(categories, list)
    if fields.pop("purged"):
        fields |= {"purged_at": timezone.now(), "text": ""}
    if fields["restricted"]:
        fields["text"] = ""
    return make_case(**{"category": categories[0], "categories": categories} | fields)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(anything, min_size=1, max_size=6))
def test_volunteers_are_sent_exactly_what_the_filter_allows(many: list[dict[str, object]]) -> None:
    made_cases = {made(values).pk: values for values in many}
    sent = set(annotations.for_volunteers().filter(pk__in=made_cases).values_list("pk", flat=True))
    for pk, values in made_cases.items():
        categories = set(values["categories"])  # type: ignore[call-overload]
        allowed = (
            values["state"] == "open"
            and not values["restricted"]
            and not values["purged"]
            and values["severity"] != "S0"
            and not categories & NEVER
            and not ("violence_gore" in categories and values["severity"] == "S1")
        )
        assert (pk in sent) == allowed, values


def test_the_taxonomy_keeps_these_categories_from_volunteers() -> None:
    categories = load_taxonomy().categories.items()
    assert {slug for slug, category in categories if not category.volunteers_may_see("S3")} == NEVER
    assert {slug for slug, category in categories if not category.volunteers_may_see("S1")} == NEVER | {"violence_gore"}


def answer_next(volunteer: User, answer: str = "harmless") -> Case:
    case = annotations.next_case(volunteer)
    assert case is not None
    annotations.answer(case.pk, volunteer, answer)
    return case


def test_the_same_item_lies_before_a_volunteer_until_it_is_answered() -> None:
    first, second, volunteer, other = make_case(), make_case(), make_user(Role.VOLUNTEER), make_user(Role.VOLUNTEER)
    assert annotations.next_case(volunteer) == first
    assert {answer_next(other), answer_next(other)} == {first, second}
    assert annotations.next_case(volunteer) == first
    assert [answer_next(volunteer), answer_next(volunteer)] == [first, second]
    assert annotations.next_case(volunteer) is None


def test_items_with_the_fewest_answers_come_first_then_the_oldest() -> None:
    first, second, third = make_case(), make_case(), make_case()
    one, two = make_user(Role.VOLUNTEER), make_user(Role.VOLUNTEER)
    assert answer_next(one) == first
    assert [answer_next(two), answer_next(two), answer_next(two)] == [second, third, first]


def test_three_answers_are_enough_and_items_being_answered_count() -> None:
    case = make_case()
    people = [make_user(Role.VOLUNTEER) for _ in range(4)]
    assert [annotations.next_case(person) for person in people] == [case, case, case, None]
    for person in people[:3]:
        annotations.answer(case.pk, person, "harmful")
    assert annotations.next_case(people[3]) is None


def test_an_item_that_was_left_lying_is_given_to_somebody_else() -> None:
    case = make_case()
    for person in [make_user(Role.VOLUNTEER) for _ in range(3)]:
        assert annotations.next_case(person) == case
    Assignment.objects.update(shown_at=timezone.now() - annotations.ASSIGNED_FOR - timedelta(seconds=1))
    assert annotations.next_case(make_user(Role.VOLUNTEER)) == case


def test_an_item_that_staff_decided_is_taken_away() -> None:
    case, volunteer = make_case(), make_user(Role.VOLUNTEER)
    assert annotations.next_case(volunteer) == case
    decisions.decide(case.pk, make_user(), "dismissed", expected_version=1)
    assert annotations.next_case(volunteer) is None


def test_an_answer_sent_twice_counts_once_and_the_category_may_follow() -> None:
    case, volunteer = make_case(), make_user(Role.VOLUNTEER)
    annotations.next_case(volunteer)
    annotations.answer(case.pk, volunteer, "harmful")
    annotations.answer(case.pk, volunteer, "harmful", "bullying")
    annotations.answer(case.pk, volunteer, "harmless")
    given_answer = Annotation.objects.get()
    assert (given_answer.answer, given_answer.category) == ("harmful", "bullying")


@pytest.mark.parametrize(
    ("field", "answer", "category"),
    [("answer", "guilty", None), ("category", "harmless", "bullying"), ("category", "harmful", "politics")],
)
def test_a_wrong_answer_is_named(field: str, answer: str, category: str | None) -> None:
    case, volunteer = make_case(), make_user(Role.VOLUNTEER)
    annotations.next_case(volunteer)
    with pytest.raises(InvalidInput) as caught:
        annotations.answer(case.pk, volunteer, answer, category)
    assert caught.value.field == field


def test_only_the_item_that_lies_there_can_be_answered() -> None:
    make_case()
    other, volunteer = make_restricted_case(), make_user(Role.VOLUNTEER)
    annotations.next_case(volunteer)
    with pytest.raises(InvalidInput):
        annotations.answer(other.pk, volunteer, "harmful")


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.VOLUNTEER])
def test_staff_do_not_annotate(role: Role) -> None:
    with pytest.raises(NotAllowed):
        annotations.next_case(make_user(role))


def test_skipping_asks_no_reason_and_counts_as_work_done() -> None:
    case, volunteer = make_case(), make_user(Role.VOLUNTEER)
    annotations.next_case(volunteer)
    annotations.skip(case.pk, volunteer)
    assert annotations.work_done(volunteer) == 1
    assert annotations.summary(case) == annotations.Summary(0)
    Annotation.objects.update(answered_at=timezone.now() - timedelta(days=1))
    assert annotations.work_done(volunteer) == 0


def test_the_last_answer_can_be_taken_back_and_its_item_lies_there_again() -> None:
    first, second, volunteer = make_case(), make_case(), make_user(Role.VOLUNTEER)
    answer_next(volunteer, "harmful")
    assert annotations.next_case(volunteer) == second
    assert annotations.undo_last(volunteer) == first
    assert annotations.next_case(volunteer) == first
    assert Annotation.objects.count() == 0
    with pytest.raises(NothingToUndo):
        annotations.undo_last(volunteer)


def test_an_answer_to_a_decided_case_stays() -> None:
    case, volunteer = make_case(), make_user(Role.VOLUNTEER)
    answer_next(volunteer)
    decisions.decide(case.pk, make_user(), "dismissed", expected_version=1)
    with pytest.raises(NothingToUndo, match="审核员"):
        annotations.undo_last(volunteer)
    assert Annotation.objects.count() == 1


@pytest.mark.parametrize(
    ("answers", "majority"),
    [
        (["harmful"], ""),
        (["harmful", "harmful"], "harmful"),
        (["harmful", "harmless"], ""),
        (["harmful", "harmful", "unsure"], "harmful"),
        (["harmful", "harmless", "unsure"], ""),
        (["harmless", "harmless", "skipped"], "harmless"),
    ],
)
def test_a_majority_needs_two_who_agree_and_never_decides(answers: list[str], majority: str) -> None:
    case = make_case()
    for one in answers:
        answer_next(make_user(Role.VOLUNTEER), one)
    assert annotations.summary(case).majority == majority
    case.refresh_from_db()
    assert (case.state, case.version) == (CaseState.OPEN, 1)


@pytest.mark.django_db(transaction=True)
def test_people_who_sit_down_at_the_same_instant_do_not_get_more_than_is_wanted() -> None:
    case, people = make_case(), [make_user(Role.VOLUNTEER) for _ in range(6)]
    given_cases = at_once(6, lambda number: annotations.next_case(people[number]))
    assert given_cases.count(case) == 3
    assert given_cases.count(None) == 3


@pytest.mark.django_db(transaction=True)
def test_two_tabs_of_one_person_show_the_same_item() -> None:
    for _ in range(4):
        make_case()
    volunteer = make_user(Role.VOLUNTEER)
    assert len(set(at_once(4, lambda _: annotations.next_case(volunteer)))) == 1
