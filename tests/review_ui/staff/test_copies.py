"""Copies on the pages: shown with their case, split off, put back; and the rule that a lead turns off."""

from __future__ import annotations

import pytest

from casework.models import AuditEntry, Case, CaseState, Role
from tests.casework.factories import make_case
from tests.review_ui.conftest import Enter
from tests.review_ui.pages import messages, read, words

pytestmark = pytest.mark.django_db

TEXT = "加微信领游戏点券，先到先得，每天只有十个名额"


@pytest.fixture
def pair() -> tuple[Case, Case]:
    case = make_case(TEXT, category="illicit_ads", severity="S2")
    return case, make_case(TEXT + "！", category="illicit_ads", severity="S2", copy_of=case, likeness=1.0)


def test_the_queue_shows_the_case_once_and_says_in_how_many_more_places_it_stands(
    enter: Enter, pair: tuple[Case, Case]
) -> None:
    page = enter(Role.REVIEWER).get("/queue/")
    assert read(page).css(".number::text").getall() == [pair[0].number]
    assert "另 1 处" in words(page, ".row")


def test_a_case_lists_the_places_of_its_copies(enter: Enter, pair: tuple[Case, Case]) -> None:
    page = enter(Role.REVIEWER).get(f"/cases/{pair[0].pk}/")
    assert "另有 1 处相同或相近的内容" in words(page)
    assert pair[1].url in read(page).css(".context a::attr(href)").getall()


def test_a_copy_names_its_case_and_offers_no_decision(enter: Enter, pair: tuple[Case, Case]) -> None:
    page = enter(Role.REVIEWER).get(f"/cases/{pair[1].pk}/")
    assert f"这是 {pair[0].number} 的副本（相似度 100%）" in words(page)
    assert not read(page).css('form#decide, form[action$="hand-over/"]')
    assert "建议首看" not in words(page, "aside")


def test_a_copy_is_split_off_and_put_back(enter: Enter, pair: tuple[Case, Case]) -> None:
    client, copy = enter(Role.REVIEWER), pair[1]
    page = client.post(f"/cases/{copy.pk}/split/", follow=True)
    assert messages(page) == [f"{copy.number} 已拆出，单独审核"]
    assert read(page).css("form#decide")
    assert f"从 {pair[0].number} 拆出" in words(page)
    page = client.post(f"/cases/{copy.pk}/rejoin/", follow=True)
    assert messages(page) == [f"{copy.number} 已归回原案件"]
    copy.refresh_from_db()
    assert copy.copy_of == pair[0]


def test_one_decision_on_the_page_serves_the_copy(enter: Enter, pair: tuple[Case, Case]) -> None:
    client = enter(Role.REVIEWER)
    client.post(f"/cases/{pair[0].pk}/decide/", {"version": 1, "finding": "dismissed"})
    assert Case.objects.get(pk=pair[1].pk).state == CaseState.DISMISSED


def test_whoever_does_not_decide_splits_nothing(enter: Enter, pair: tuple[Case, Case]) -> None:
    assert enter(Role.LIAISON).post(f"/cases/{pair[1].pk}/split/").status_code == 403


def test_the_lead_turns_the_rule_off_and_on_and_others_only_see_it(enter: Enter) -> None:
    lead = enter(Role.LEAD)
    assert "已开启 新出现的副本自动归入已决定的案件" in words(lead.get("/lead/"))
    page = lead.post("/lead/rules/copies_follow_decisions/", {"on": "false"}, follow=True)
    assert messages(page) == ["规则已关闭"]
    assert "已关闭 新出现的副本自动归入已决定的案件" in words(page)
    assert AuditEntry.objects.get(action="rule.turn").details == {"on": False}
    admin = enter(Role.ADMIN)
    assert not read(admin.get("/lead/")).css('form[action^="/lead/rules/"]')
    assert admin.post("/lead/rules/copies_follow_decisions/", {"on": "true"}).status_code == 403
