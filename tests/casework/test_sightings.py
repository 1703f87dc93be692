"""Who saw what: each answer that shows something sensitive leaves one entry, and an entry tells which cases."""

from __future__ import annotations

import pytest

from casework import audit, exposure, sightings
from casework.models import AuditEntry, Case, Role, User
from casework.sightings import Extent, Where
from tests.casework.factories import make_case, make_restricted_case, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.modes]
SPAN = {"start": 0, "end": 2, "slug": "fraud_spending", "reason": "linear"}


def view(case: Case, user: User | None = None) -> exposure.CaseView:
    return exposure.present(case, user or make_user(Role.DUTY))


def entries() -> list[AuditEntry]:
    return list(AuditEntry.objects.filter(action="case.view").order_by("sequence"))


@pytest.mark.parametrize(
    ("values", "extent", "recorded"),
    [
        ({"severity": "S1"}, Extent.NONE, False),
        ({"severity": "S0"}, Extent.NONE, True),
        ({"severity": "S3", "spans": [SPAN]}, Extent.PART, True),
        ({"severity": "S3"}, Extent.WHOLE, True),
        ({"severity": "S3", "spans": [{**SPAN, "end": 4}]}, Extent.NONE, False),
    ],
)
def test_recorded_is_what_is_gravest_and_what_shows_text(
    values: dict[str, object], extent: Extent, recorded: bool
) -> None:
    user, case = make_user(Role.DUTY), make_case("抽奖付钱", **values)
    sightings.note_case(user, Where.PAGE, view(case, user))
    assert sightings.extent(view(case)) == extent
    told = [(one.actor, one.subject, one.details) for one in entries()]
    wanted = (user.staff_no, f"case:{case.pk}", {"version": 1, "where": "page", "text": str(extent)})
    assert told == ([wanted] if recorded else [])


def test_a_restricted_case_leaves_an_entry_though_it_has_no_text() -> None:
    case = make_restricted_case()
    sightings.note_case(make_user(Role.DUTY), Where.API, view(case))
    assert [(one.subject, one.details["where"]) for one in entries()] == [(f"case:{case.pk}", "api")]


def test_a_list_leaves_one_entry_with_what_was_sensitive_in_it_and_no_text() -> None:
    light = [make_case("抽奖付钱", severity="S3") for _ in range(3)]
    covered = make_case("抽奖付钱", severity="S1")
    sightings.note_list(make_user(), Where.QUEUE, map(view, (*light, covered)))
    sightings.note_list(make_user(), Where.QUEUE, [view(covered)])
    (entry,) = entries()
    assert (entry.subject, entry.details) == ("cases", {"where": "queue", "cases": [one.pk for one in light]})
    assert "抽奖" not in str(entry.details)


def test_whoever_saw_a_case_is_found_whether_alone_around_another_or_in_a_list() -> None:
    case, other = make_case("抽奖付钱", severity="S3"), make_case("抽奖付钱", severity="S3")
    people = [make_user() for _ in range(4)]
    sightings.note_case(people[0], Where.PAGE, view(case))
    sightings.note_case(people[1], Where.PAGE, view(other), [view(case)])
    sightings.note_list(people[2], Where.QUEUE, [view(other), view(case)])
    sightings.note_list(people[3], Where.QUEUE, [view(other)])
    assert {one.actor for one in audit.about(case.pk)} == {one.staff_no for one in people[:3]}
    assert not audit.about(case.pk + 10**6).exists()
    assert audit.verify().whole
