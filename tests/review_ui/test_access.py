"""Each role lands on its own work and sees only what it may."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from django.test import Client
from django.urls import get_resolver, reverse

from casework import accounts, decisions, notices
from casework.models import CaseState, Role
from tests.casework.factories import SITE, make_case, make_restricted_case, make_user
from tests.review_ui.conftest import Enter
from tests.review_ui.pages import messages, read, words

pytestmark = pytest.mark.django_db

STAFF = {Role.REVIEWER, Role.LIAISON, Role.LEAD, Role.DUTY}
DECIDING = {Role.REVIEWER, Role.LEAD, Role.DUTY}
LISTING = {Role.LIAISON, Role.LEAD}
WATCHING = {Role.LEAD, Role.ADMIN}
EVERYBODY = set(Role)


@dataclass(frozen=True)
class Door:
    """One address: how it is opened, with what, and who may."""

    method: str
    roles: set[Role]
    given: dict[str, Any] = field(default_factory=dict)


DOORS: dict[str, Door] = {
    "home": Door("get", EVERYBODY),
    "queue": Door("get", STAFF),
    "due": Door("get", DECIDING),
    "trend": Door("get", STAFF),
    "save-search": Door("post", STAFF),
    "remove-search": Door("post", STAFF, {"search_id": 1}),
    "bring-back-search": Door("post", STAFF, {"search_id": 1}),
    "export-results": Door("post", LISTING),
    "next-case": Door("get", DECIDING),
    "case": Door("get", STAFF, {"case_id": 1}),
    "reveal": Door("post", STAFF, {"case_id": 1}),
    "decide": Door("post", DECIDING, {"case_id": 1}),
    "undo": Door("post", DECIDING, {"case_id": 1}),
    "similar": Door("get", STAFF, {"case_id": 1}),
    "claim": Door("post", DECIDING, {"case_id": 1}),
    "take-over": Door("post", {Role.LEAD, Role.DUTY}, {"case_id": 1}),
    "hand-over": Door("post", DECIDING, {"case_id": 1}),
    "give-back": Door("post", DECIDING, {"case_id": 1}),
    "split": Door("post", DECIDING, {"case_id": 1}),
    "rejoin": Door("post", DECIDING, {"case_id": 1}),
    "volunteer": Door("get", {Role.VOLUNTEER}),
    "volunteer-help": Door("get", {Role.VOLUNTEER}),
    "volunteer-undo": Door("post", {Role.VOLUNTEER}),
    "text-size": Door("post", {Role.VOLUNTEER}),
    "volunteer-show": Door("post", {Role.VOLUNTEER}, {"case_id": 1}),
    "volunteer-answer": Door("post", {Role.VOLUNTEER}, {"case_id": 1}),
    "volunteer-category": Door("post", {Role.VOLUNTEER}, {"case_id": 1}),
    "notices": Door("get", LISTING),
    "notice-new": Door("get", LISTING, {"site": SITE}),
    "notice": Door("get", LISTING, {"notice_id": 1}),
    "notice-submit": Door("post", LISTING, {"notice_id": 1}),
    "notice-approve": Door("post", LISTING, {"notice_id": 1}),
    "notice-send-back": Door("post", LISTING, {"notice_id": 1}),
    "notice-discard": Door("post", LISTING, {"notice_id": 1}),
    "notice-export": Door("post", LISTING, {"notice_id": 1, "format_": "csv"}),
    "notice-line": Door("post", LISTING, {"line_id": 1}),
    "lead": Door("get", WATCHING),
    "verify-audit": Door("post", WATCHING),
    "turn-rule": Door("post", {Role.LEAD}, {"name": "follow"}),
    "prevalence": Door("get", WATCHING),
    "people": Door("get", {Role.ADMIN}),
    "switch-person": Door("post", {Role.ADMIN}, {"user_id": 1}),
    "link-person": Door("post", {Role.ADMIN}, {"user_id": 1}),
}
"""Every address behind the sign-in."""
OPEN = {"sign-in", "sign-out", "sign-in-link", "set-password", "set_language", "healthz", "readyz", "metrics"}
"""Addresses that anybody may open."""


def test_every_address_has_its_door() -> None:
    names = {name for name in get_resolver().reverse_dict if isinstance(name, str)}
    assert names == DOORS.keys() | OPEN


@pytest.mark.parametrize("role", list(Role))
def test_each_role_opens_its_own_doors_and_no_other(role: Role, enter: Enter) -> None:
    client = enter(role)
    for name, door in DOORS.items():
        response = getattr(client, door.method)(reverse(name, kwargs=door.given))
        if role in door.roles:
            assert response.status_code != 403, name
            assert "/sign-in/" not in response.headers.get("Location", ""), name
        else:
            assert response.status_code == 403, name
            assert Role(role).label in words(response), name


@pytest.mark.parametrize("name", DOORS)
def test_a_stranger_is_led_to_the_sign_in_and_back_to_a_page(name: str, client: Client) -> None:
    door = DOORS[name]
    response = getattr(client, door.method)(reverse(name, kwargs=door.given))
    assert response.status_code == 302
    came_from = response.headers["Location"].removeprefix("/sign-in/?next=")
    assert came_from == (reverse(name, kwargs=door.given) if door.method == "get" else "/")


@pytest.mark.parametrize(
    ("role", "home"),
    [
        (Role.REVIEWER, "/queue/"),
        (Role.DUTY, "/queue/"),
        (Role.VOLUNTEER, "/volunteer/"),
        (Role.LIAISON, "/notices/"),
        (Role.LEAD, "/lead/"),
        (Role.ADMIN, "/lead/"),
    ],
)
def test_each_role_lands_on_its_own_work(role: Role, home: str, client: Client) -> None:
    link = accounts.sign_in_link(make_user(role))
    assert client.post(link).headers["Location"] == home
    assert client.get("/").headers["Location"] == home
    assert client.get(home).status_code == 200


@pytest.mark.parametrize("role", list(Role))
def test_the_navigation_leads_only_where_one_may_go(role: Role, enter: Enter) -> None:
    client = enter(role)
    links = read(client.get("/", follow=True)).css("nav[aria-label=主导航] a::attr(href)").getall()
    assert links
    assert all(client.get(link).status_code == 200 for link in links)


@pytest.mark.parametrize("role", [Role.REVIEWER, Role.LIAISON, Role.LEAD])
def test_a_restricted_case_is_found_by_duty_staff_alone(role: Role, enter: Enter) -> None:
    case = make_restricted_case()
    assert enter(role).get(f"/cases/{case.pk}/").status_code == 404
    assert case.number not in words(enter(role).get("/queue/?state=all"))
    seen = enter(Role.DUTY).get(f"/cases/{case.pk}/")
    assert "不留存任何文字" in words(seen)
    assert case.number in words(enter(Role.DUTY).get("/queue/"))


@pytest.mark.parametrize("role", [Role.REVIEWER, Role.LIAISON])
def test_the_gravest_cases_are_kept_from_reviewers_and_liaisons(role: Role, enter: Enter) -> None:
    case = make_case(category="self_harm", severity="S0", state=CaseState.CONFIRMED)
    assert enter(role).get(f"/cases/{case.pk}/").status_code == 404
    assert enter(Role.LEAD).get(f"/cases/{case.pk}/").status_code == 200


def test_a_liaison_meets_confirmed_cases_only(enter: Enter) -> None:
    waiting, confirmed = make_case(), make_case(state=CaseState.CONFIRMED)
    liaison = enter(Role.LIAISON)
    listed = words(liaison.get("/queue/"))
    assert (waiting.number in listed, confirmed.number in listed) == (False, True)
    assert liaison.get(f"/cases/{waiting.pk}/").status_code == 404
    assert liaison.get(f"/cases/{confirmed.pk}/").status_code == 200


def test_an_out_of_scope_case_is_gone_at_once(enter: Enter) -> None:
    case, user = make_case("今天的新闻"), make_user(Role.LEAD)
    decisions.decide(case.pk, user, "out_of_scope", expected_version=1)
    lead = enter(user)
    assert lead.get(f"/cases/{case.pk}/").status_code == 404
    assert case.number not in words(lead.get("/queue/?state=all"))


def test_a_form_from_elsewhere_or_from_long_ago_is_refused_with_advice(enter: Enter) -> None:
    case = make_case()
    client = enter(Role.REVIEWER, enforce_csrf_checks=True)
    response = client.post(f"/cases/{case.pk}/decide/", {"finding": "dismissed", "version": 1})
    assert response.status_code == 403
    assert "回到首页" in words(response)
    case.refresh_from_db()
    assert case.state == CaseState.OPEN


def test_a_page_may_load_nothing_from_elsewhere_and_be_framed_by_nobody(enter: Enter) -> None:
    response = enter(Role.REVIEWER).get("/queue/")
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert response.headers["X-Frame-Options"] == "DENY"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    page = read(response)
    assert not page.css("[style], style, script:not([src]), [onclick]")
    assert all(one.startswith("/static/") for one in page.css("script::attr(src), link::attr(href)").getall())


def test_the_cookies_are_out_of_reach_of_scripts_and_of_other_sites(client: Client) -> None:
    client.post(accounts.sign_in_link(make_user()))
    session = client.cookies["sessionid"]
    assert session["httponly"]
    assert session["samesite"] == "Lax"


def test_an_act_that_is_opened_as_a_page_says_so(enter: Enter) -> None:
    response = enter(Role.REVIEWER).get("/cases/1/decide/")
    assert response.status_code == 405
    assert "回到我的首页" in words(response)


def test_an_unknown_address_leads_home_in_the_size_of_the_person(enter: Enter) -> None:
    response = enter(Role.VOLUNTEER).get("/nowhere/")
    assert response.status_code == 404
    page = read(response)
    assert page.css("main a.button::attr(href)").get() == "/"
    assert page.css("body.elder")


@pytest.mark.parametrize("address", ["/queue/?q=%00", "/queue/?site=a%00b", "/queue/?after=%00"])
def test_a_character_that_no_database_keeps_is_refused(address: str, enter: Enter) -> None:
    assert enter(Role.REVIEWER).get(address).status_code == 400


@pytest.mark.parametrize(
    "address",
    [
        *("/queue/?page=0", "/queue/?page=501", "/queue/?page=x", "/queue/?page=%E4%BA%8C", "/queue/?sort=best"),
        *("/queue/?after=nonsense", "/queue/?kid_zone=maybe", "/queue/next/?behind=99999999999999999999999"),
        *("/cases/99999999999999999999999/", "/cases/1/?sort=best", "/queue/?day=1"),
    ],
)
def test_a_wrong_address_is_answered_and_never_breaks(address: str, enter: Enter) -> None:
    response = enter(Role.REVIEWER).get(address)
    assert response.status_code in {200, 302, 404, 422}
    if response.status_code == 422:
        assert "这一步没有完成" in words(response)


def test_the_part_of_a_page_that_a_stranger_asks_for_becomes_the_sign_in(client: Client) -> None:
    case = make_case()
    response = client.post(
        f"/cases/{case.pk}/reveal/",
        headers={"HX-Request": "true", "HX-Current-URL": f"http://testserver/cases/{case.pk}/?sort=newest"},
    )
    assert response.headers["HX-Redirect"] == f"/sign-in/?next=/cases/{case.pk}/%3Fsort%3Dnewest"


@pytest.mark.parametrize("address", ["https://elsewhere.example/", "//elsewhere.example/", "javascript:alert(1)"])
def test_nobody_is_led_off_the_site(address: str, enter: Enter) -> None:
    reviewer = enter(Role.REVIEWER)
    response = reviewer.post("/cases/1/undo/", {"back": address})
    assert response.headers["Location"] == "/"


def test_an_error_of_a_form_is_said_on_the_page_it_came_from(enter: Enter) -> None:
    liaison = enter(Role.LIAISON)
    response = liaison.post(f"/notices/new/{SITE}/", {"instrument": "REPORT", "back": "/notices/"}, follow=True)
    assert response.redirect_chain == [("/notices/", 302)]
    assert messages(response) == ["案件：至少一个已确认的案件"]
    assert not notices.Notice.objects.exists()
