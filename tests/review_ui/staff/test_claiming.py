"""Claims on the pages: shown to others, renewed by the open page, and nothing lost by whoever comes second."""

from __future__ import annotations

import pytest

from casework import claims, decisions
from casework.models import Case, Claim, Role
from tests.casework.factories import make_case, make_user
from tests.review_ui.conftest import Enter
from tests.review_ui.pages import messages, read, words

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


def test_an_open_page_claims_its_case_and_asks_again(enter: Enter) -> None:
    case, user = make_case(), make_user()
    client = enter(user)
    asks = read(client.get(f"/cases/{case.pk}/")).css("#claim")
    assert asks.attrib["hx-trigger"] == "load"
    fragment = client.post(asks.attrib["hx-post"], headers=HTMX)
    assert Claim.objects.get().holder == user
    assert "由您处理中" in words(fragment)
    assert read(fragment).css("#claim").attrib["hx-trigger"] == "every 30s"


def test_others_see_who_holds_it_in_the_queue_and_on_the_page(enter: Enter) -> None:
    case, holder = make_case(), make_user()
    claims.take(case.pk, holder)
    other = enter(Role.REVIEWER)
    assert f"{holder.staff_no} 处理中" in words(other.get("/queue/"), ".row")
    assert f"{holder.staff_no} 正在处理" in words(other.get(f"/cases/{case.pk}/"), "#claim")
    fragment = other.post(f"/cases/{case.pk}/claim/", headers=HTMX)
    assert f"{holder.staff_no} 正在处理" in words(fragment)
    assert not read(fragment).css('form[action$="take-over/"]')


def test_a_page_whose_case_was_purged_is_told_so_and_asks_no_more(enter: Enter) -> None:
    case, user = make_case(), make_user()
    client = enter(user)
    decisions.decide(case.pk, user, "out_of_scope", expected_version=1)
    fragment = client.post(f"/cases/{case.pk}/claim/", headers=HTMX)
    assert "无权查看" in words(fragment)
    assert "hx-trigger" not in read(fragment).css("#claim").attrib
    assert read(fragment).css("#claim a::attr(href)").getall() == ["/queue/"]


def test_the_lead_takes_over_on_the_page(enter: Enter) -> None:
    case, lead = make_case(), make_user(Role.LEAD)
    claims.take(case.pk, make_user())
    client = enter(lead)
    act = (
        read(client.post(f"/cases/{case.pk}/claim/", headers=HTMX))
        .css('form[action$="take-over/"]::attr(action)')
        .get("")
    )
    assert messages(client.post(act, follow=True)) == ["案件已由您接手"]
    assert Claim.objects.get().holder == lead


def test_two_who_take_the_next_get_two_cases(enter: Enter) -> None:
    first, second = make_case(score=0.9), make_case(score=0.8)
    one, other = enter(Role.REVIEWER), enter(Role.REVIEWER)
    assert one.get("/queue/next/").headers["Location"] == f"/cases/{first.pk}/"
    assert other.get("/queue/next/").headers["Location"] == f"/cases/{second.pk}/"
    assert messages(enter(Role.REVIEWER).get("/queue/next/", follow=True)) == ["没有别的案件了"]


def test_skipping_gives_the_case_back(enter: Enter) -> None:
    first, second = make_case(score=0.9), make_case(score=0.8)
    one = enter(Role.REVIEWER)
    one.get("/queue/next/")
    assert one.get(f"/queue/next/?behind={first.pk}").headers["Location"] == f"/cases/{second.pk}/"
    assert list(Claim.objects.values_list("case_id", flat=True)) == [second.pk]


def test_deciding_claims_the_next(enter: Enter) -> None:
    first, second = make_case(score=0.9), make_case(score=0.8)
    user = make_user()
    enter(user).post(f"/cases/{first.pk}/decide/", {"finding": "dismissed", "version": 1})
    assert [one.case for one in claims.held_by(user)] == [second]


def test_handing_over_with_a_note_puts_the_case_on_the_colleagues_queue(enter: Enter) -> None:
    case, giver, taker = make_case(), make_user(), make_user()
    client = enter(giver)
    page = read(client.get(f"/cases/{case.pk}/"))
    assert taker.staff_no in page.css("select[name=to] option::attr(value)").getall()
    done = client.post(f"/cases/{case.pk}/hand-over/", {"to": taker.staff_no, "note": "请看第二段"}, follow=True)
    assert messages(done) == [f"{case.number} 已移交 {taker.staff_no}"]
    queue = words(enter(taker).get("/queue/"))
    assert f"{giver.staff_no} 移交给您 ：请看第二段" in queue


def test_giving_back_says_so(enter: Enter) -> None:
    case, user = make_case(), make_user()
    claims.take(case.pk, user)
    page = enter(user).post(f"/cases/{case.pk}/give-back/", follow=True)
    assert messages(page) == [f"{case.number} 已归还队列"]
    assert not Claim.objects.exists()


def test_whoever_comes_second_is_told_who_and_what_and_loses_nothing_they_wrote(enter: Enter) -> None:
    case, first = make_case(), make_user()
    decisions.decide(case.pk, first, "dismissed", expected_version=1)
    form = {"finding": "confirmed", "version": 1, "category": "gambling", "reason": "第二句是诱导下注"}
    page = enter(Role.REVIEWER).post(f"/cases/{case.pk}/decide/", form)
    assert page.status_code == 409
    assert f"{first.staff_no} 刚刚已作出决定：排除" in messages(page)[0]
    assert "确认 · 赌博与涉赌引流：第二句是诱导下注" in words(page, ".wrong")
    assert Case.objects.get(pk=case.pk).state == "dismissed"


def test_what_another_holds_is_not_decided_and_the_form_keeps_what_was_written(enter: Enter) -> None:
    case, holder = make_case(), make_user()
    claims.take(case.pk, holder)
    form = {"finding": "confirmed", "version": 1, "category": "gambling", "reason": "第二句是诱导下注"}
    page = enter(Role.REVIEWER).post(f"/cases/{case.pk}/decide/", form)
    assert page.status_code == 409
    assert f"{holder.staff_no} 正在处理" in messages(page)[0]
    shown = read(page)
    assert shown.css("#decide input[name=reason]::attr(value)").get() == "第二句是诱导下注"
    assert shown.css("#decide option[selected]::attr(value)").get() == "gambling"
