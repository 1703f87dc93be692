"""Whatever page or answer shows text, or a grave or restricted case, leaves one entry that says who saw it."""

from __future__ import annotations

from typing import Any

import pytest

from casework import decisions
from casework.models import AuditEntry, Case, CaseState, Role
from tests.casework.factories import SITE, make_case, make_restricted_case, make_user
from tests.review_ui.conftest import Enter
from tests.review_ui.pages import words

pytestmark = pytest.mark.django_db
SPAN = {"start": 0, "end": 2, "slug": "fraud_spending", "reason": "linear"}


def light(text: str = "抽奖先付定金", **values: Any) -> Case:
    return make_case(text, **({"category": "fraud_spending", "severity": "S3", "spans": [SPAN]} | values))


def seen() -> list[tuple[str, dict[str, Any]]]:
    found = AuditEntry.objects.filter(action="case.view").order_by("sequence")
    return [(one.subject, one.details) for one in found]


def test_opening_a_restricted_case_with_its_address_is_recorded(enter: Enter) -> None:
    case = make_restricted_case()
    assert case.url in enter(Role.DUTY).get(f"/cases/{case.pk}/").content.decode()
    assert seen() == [(f"case:{case.pk}", {"version": 1, "where": "page", "text": "none"})]


def test_a_case_page_tells_which_others_around_it_showed_text(enter: Enter) -> None:
    case, beside = light(thread="t", position=1), light(thread="t", position=2)
    make_case(thread="t", position=3, severity="S1")
    enter(Role.REVIEWER).get(f"/cases/{case.pk}/")
    told = {"version": 1, "where": "page", "text": "part", "cases": [beside.pk]}
    assert seen() == [(f"case:{case.pk}", told)]


def test_a_page_of_the_queue_leaves_one_entry_with_what_it_showed(enter: Enter) -> None:
    shown = [light(), light(spans=[])]
    covered = make_case(severity="S1")
    client = enter(Role.REVIEWER)
    client.get("/queue/")
    assert seen() == [("cases", {"where": "queue", "cases": [one.pk for one in shown]})]
    client.get("/queue/?severity=S1")
    client.get(f"/cases/{covered.pk}/")
    assert len(seen()) == 1


def test_the_api_leaves_the_same_entries(enter: Enter) -> None:
    case, client = light(), enter(Role.LIAISON)
    assert client.get(f"/api/v1/cases/{case.pk}").status_code == 404
    assert seen() == []
    Case.objects.update(state=CaseState.CONFIRMED)
    client.get("/api/v1/cases")
    client.get(f"/api/v1/cases/{case.pk}")
    assert seen() == [
        ("cases", {"where": "api", "cases": [case.pk]}),
        (f"case:{case.pk}", {"version": 1, "where": "api", "text": "part"}),
    ]


def test_what_an_open_page_asks_for_again_and_again_leaves_none(enter: Enter) -> None:
    case, client = light(), enter(Role.REVIEWER)
    for _ in range(3):
        client.post(f"/cases/{case.pk}/claim/", headers={"HX-Request": "true"})
    assert seen() == []


def test_a_page_that_tells_of_a_finding_made_meanwhile_is_seen_too(enter: Enter) -> None:
    case = light()
    decisions.decide(case.pk, make_user(), "dismissed", expected_version=1)
    form = {"finding": "dismissed", "version": 1, "asked": ""}
    assert enter(Role.REVIEWER).post(f"/cases/{case.pk}/decide/", form).status_code == 409
    assert [subject for subject, _details in seen()] == [f"case:{case.pk}"]


def test_similar_cases_and_cases_for_a_list_are_seen(enter: Enter) -> None:
    case, other = light("抽奖先付定金一二三"), light("抽奖先付定金一二三")
    enter(Role.REVIEWER).get(f"/cases/{case.pk}/similar/")
    Case.objects.update(state=CaseState.CONFIRMED)
    enter(Role.LIAISON).get(f"/notices/new/{SITE}/")
    assert [(details["where"], sorted(details["cases"])) for _subject, details in seen()] == [
        ("similar", [other.pk]),
        ("notice", [case.pk, other.pk]),
    ]


def test_what_a_volunteer_reads_is_recorded(enter: Enter) -> None:
    case, volunteer = light(), make_user(Role.VOLUNTEER)
    enter(volunteer).get("/volunteer/")
    assert seen() == [(f"case:{case.pk}", {"version": 1, "where": "volunteer", "text": "whole"})]
    assert AuditEntry.objects.get(action="case.view").actor == volunteer.staff_no


def test_who_saw_what_stands_in_words_on_the_overview_and_not_among_a_cases_acts(enter: Enter) -> None:
    case, client = light(), enter(Role.LEAD)
    client.get("/queue/")
    client.get(f"/cases/{case.pk}/")
    told = words(client.get("/lead/"), ".history.seen")
    assert f"看到 {case.number}" in told
    assert "看到 案件列表 · 1 件" in told
    assert "看到" not in words(client.get(f"/cases/{case.pk}/"), ".history")
    client.cookies["django_language"] = "en"
    assert "saw a list of cases · 1 case" in words(client.get("/lead/"), ".history.seen")
