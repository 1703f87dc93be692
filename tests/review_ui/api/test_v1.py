"""The API: what the pages show, for programs, under the same rules."""

from __future__ import annotations

import json

import pytest
from django.test import Client

from casework import status
from casework.models import CaseState, Role
from classifiers.assessment import Span
from tests.casework.factories import make_case, make_restricted_case
from tests.review_ui.conftest import Enter

pytestmark = pytest.mark.django_db


def test_the_api_describes_itself(client: Client) -> None:
    described = client.get("/api/v1/openapi.json").json()
    assert described["openapi"].startswith("3.")
    assert set(described["paths"]) == {
        "/api/v1/status",
        "/api/v1/cases",
        "/api/v1/cases/{case_id}",
        "/api/v1/notices",
    }
    given = {one["name"] for one in described["paths"]["/api/v1/cases"]["get"]["parameters"]}
    assert given >= {"q", "sort", "size", "after", "site", "severity", "category", "state"}


@pytest.mark.parametrize("path", ["status", "cases", "cases/1", "notices"])
def test_a_stranger_gets_nothing(path: str, client: Client) -> None:
    assert client.get(f"/api/v1/{path}").status_code == 401


@pytest.mark.parametrize(
    ("path", "roles"),
    [
        ("status", {Role.LEAD, Role.ADMIN}),
        ("cases", {Role.REVIEWER, Role.LIAISON, Role.LEAD, Role.DUTY}),
        ("notices", {Role.LIAISON, Role.LEAD}),
    ],
)
def test_each_role_gets_what_it_may_see(path: str, roles: set[Role], enter: Enter) -> None:
    for role in Role:
        answer = enter(role).get(f"/api/v1/{path}")
        assert answer.status_code == (200 if role in roles else 403), role
        if role not in roles:
            assert answer.json()["detail"]


def test_cases_are_searched_filtered_and_paged(enter: Enter) -> None:
    kites = [make_case(f"放风筝 {number}", severity="S3") for number in range(5)]
    make_case("别的事", severity="S3")
    reviewer, seen, after = enter(Role.REVIEWER), [], ""
    for _ in range(3):
        page = reviewer.get("/api/v1/cases", {"q": "放风筝", "severity": "S3", "size": 2, "after": after}).json()
        assert page["total"] == 5
        seen += [one["number"] for one in page["items"]]
        after = page["next_after"]
    assert seen == [one.number for one in kites]
    assert after is None
    assert ["S3", 5] in page["facets"]["severity"]
    assert page["counted_at"] is None


def test_texts_stay_behind_their_masks(enter: Enter) -> None:
    grave = make_case("他说你真笨", severity="S1")
    span = Span(start=0, end=4, slug="superstition_sales", reason="linear").model_dump()
    light = make_case("转运大师来了", severity="S3", spans=[span])
    reviewer = enter(Role.REVIEWER)
    assert reviewer.get(f"/api/v1/cases/{grave.pk}").json()["text"] == "■■■■■"
    assert reviewer.get(f"/api/v1/cases/{light.pk}").json()["text"] == "■■■■来了"
    assert "真笨" not in json.dumps(reviewer.get("/api/v1/cases").json(), ensure_ascii=False)


def test_the_api_hides_what_the_pages_hide(enter: Enter) -> None:
    hidden = [
        make_restricted_case(),
        make_case(severity="S0", category="self_harm"),
        make_case(state=CaseState.OUT_OF_SCOPE),
    ]
    reviewer = enter(Role.REVIEWER)
    assert [reviewer.get(f"/api/v1/cases/{case.pk}").status_code for case in hidden] == [404, 404, 404]
    assert reviewer.get("/api/v1/cases").json()["total"] == 0


@pytest.mark.parametrize(
    "given", [{"sort": "best"}, {"size": 0}, {"size": 101}, {"after": "nonsense"}, {"q": "x" * 201}]
)
def test_a_wrong_question_is_named(given: dict[str, object], enter: Enter) -> None:
    answer = enter(Role.REVIEWER).get("/api/v1/cases", given)
    assert answer.status_code == 422
    assert answer.json()["detail"]


def test_the_state_is_that_of_the_command_line(enter: Enter, at_work: None) -> None:
    make_case()
    answer = enter(Role.LEAD).get("/api/v1/status").json()
    assert answer == json.loads(json.dumps(status.report()))
    assert answer["cases"]["open"] == 1
