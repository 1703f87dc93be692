"""Kept searches, trends, exports and similar cases, as a person meets them."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from casework.models import CaseState, Role
from tests.casework.factories import make_case
from tests.review_ui.conftest import Enter
from tests.review_ui.pages import messages, read, words

pytestmark = pytest.mark.django_db


def test_a_search_is_kept_asked_again_removed_and_brought_back(enter: Enter) -> None:
    make_case(category="gambling", severity="S2")
    make_case()
    reviewer = enter(Role.REVIEWER)
    page = reviewer.post("/queue/searches/", {"asked": "category=gambling", "name": "涉赌"}, follow=True)
    assert messages(page) == ["已保存搜索“涉赌”"]
    link = read(page).css(".saved a")
    assert (link.css("::text").get(), link.attrib["href"]) == ("涉赌", "/queue/?category=gambling")
    assert link.attrib["aria-current"] == "true"
    assert len(read(reviewer.get(link.attrib["href"])).css(".row")) == 1
    assert not read(enter(Role.REVIEWER).get("/queue/")).css(".saved")
    removed = reviewer.post(read(page).css(".saved form::attr(action)").get(""), follow=True)
    assert messages(removed) == ["已删除搜索“涉赌”"]
    assert not read(removed).css(".saved")
    undo = read(removed).css("#messages form::attr(action)").get("")
    assert "涉赌" in words(reviewer.post(undo, follow=True), ".saved")


def test_nothing_asked_is_nothing_to_keep(enter: Enter) -> None:
    reviewer = enter(Role.REVIEWER)
    assert "先搜索或筛选" in words(reviewer.get("/queue/"), ".searches")
    page = reviewer.post("/queue/searches/", {"asked": "", "name": "空", "back": "/queue/"}, follow=True)
    assert "先搜索或筛选" in messages(page)[0]


def test_the_trend_shows_the_days_of_what_was_asked_for(enter: Enter) -> None:
    for _ in range(3):
        make_case(category="gambling", severity="S2")
    make_case()
    page = enter(Role.REVIEWER).get("/queue/trend/?category=gambling")
    assert "3 件 · 近 30 天" in words(page, "h2")
    assert read(page).css("tbody tr:first-child td:last-child::text").get() == "3"
    assert read(page).css("[data-key=q]::attr(href)").get() == "/queue/?category=gambling"


def test_a_result_goes_out_as_a_file_to_those_who_may(enter: Enter) -> None:
    case = make_case("秘密的一句话", state=CaseState.CONFIRMED)
    liaison, reviewer = enter(Role.LIAISON), enter(Role.REVIEWER)
    assert "导出 CSV" in words(liaison.get("/queue/"))
    answer = liaison.post("/queue/export/", {"asked": ""})
    assert answer.headers["Content-Disposition"].endswith('.csv"')
    assert case.number in answer.content.decode()
    assert "秘密" not in answer.content.decode()
    assert "导出 CSV" not in words(reviewer.get("/queue/"))
    assert reviewer.post("/queue/export/", {"asked": ""}).status_code == 403


def test_similar_cases_are_shown_under_their_masks_and_only_those_one_may_meet(enter: Enter) -> None:
    case = make_case("你真是个大笨蛋，大家都别理他")
    near = make_case("你真是个大笨蛋，谁都别理他")
    make_case("你真是个大笨蛋，谁都别理他", severity="S0")
    make_case("下雨天记得带伞")
    reviewer = enter(Role.REVIEWER)
    address = read(reviewer.get(f"/cases/{case.pk}/")).css("[hx-get*=similar]::attr(hx-get)").get("")
    page = reviewer.get(address)
    assert read(page).css("a::attr(href)").getall() == [f"/cases/{near.pk}/"]
    assert "大笨蛋" not in words(page)
    assert "没有文字相近" in words(reviewer.get(f"/cases/{make_case('独一无二').pk}/similar/"))


def test_a_page_of_another_person_cannot_be_reached_by_its_number(enter: Enter) -> None:
    grave = make_case(severity="S0")
    assert enter(Role.REVIEWER).get(f"/cases/{grave.pk}/similar/").status_code == 404
    page = enter(Role.REVIEWER).get("/queue/?q=" + quote("放风筝"))
    assert page.status_code == 200
