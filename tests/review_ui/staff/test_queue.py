"""The queue: what waits, found, narrowed, ordered, paged; and work that stays inside what was asked for."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest
from django.core.cache import cache

from casework.models import CaseState, Role
from casework.search import counting
from casework.search.database import DatabaseSearch
from casework.search.elasticsearch import ElasticsearchSearch
from casework.search.fallback import WithFallback
from classifiers.assessment import Span
from tests.casework.factories import make_case
from tests.review_ui.conftest import Enter
from tests.review_ui.pages import messages, read, words

pytestmark = pytest.mark.django_db


def numbers(response: object) -> list[str]:
    return [one.strip() for one in read(response).css(".row .number::text").getall()]


def facet(response: object, title: str) -> dict[str, tuple[str, str]]:
    """Return the values of a facet: label → (count, address)."""
    group = next(one for one in read(response).css(".facets section") if one.css("h2::text").get() == title)
    return {
        one.css("span::text").get("").strip()[2:]: (one.css(".n::text").get(""), one.attrib["href"])
        for one in group.css("a")
    }


def test_the_most_urgent_open_case_comes_first(enter: Enter) -> None:
    light, grave = make_case(severity="S3", score=0.9), make_case(severity="S1", score=0.6)
    surer = make_case(severity="S1", score=0.9)
    make_case(state=CaseState.CONFIRMED)
    assert numbers(enter(Role.REVIEWER).get("/queue/")) == [one.number for one in (surer, grave, light)]


def test_words_are_found_and_shown_where_they_stand(enter: Enter) -> None:
    case = make_case("明天一起去公园放风筝", severity="S3")
    make_case("图书馆几点关门", severity="S3")
    page = enter(Role.REVIEWER).get("/queue/?q=" + quote("放风筝"))
    assert numbers(page) == [case.number]
    assert read(page).css("mark.hit::text").get() == "放风筝"
    assert read(page).css("input[name=q]::attr(value)").get() == "放风筝"


def test_a_grave_text_is_covered_even_where_a_word_of_it_was_found(enter: Enter) -> None:
    make_case("你真是个大笨蛋", severity="S1")
    page = enter(Role.REVIEWER).get("/queue/?q=" + quote("大笨蛋"))
    assert len(numbers(page)) == 1
    assert "大笨蛋" not in words(page, ".row")
    assert read(page).css(".row .masked")


def test_of_a_lighter_text_only_what_was_flagged_is_covered(enter: Enter) -> None:
    span = Span(start=2, end=6, slug="superstition_sales", reason="linear").model_dump()
    make_case("大师改名转运包你考上", severity="S3", category="superstition_sales", spans=[span])
    shown = words(enter(Role.REVIEWER).get("/queue/"), ".row .excerpt")
    assert "大师" in shown
    assert "改名转运" not in shown


def test_a_facet_counts_narrows_and_lets_go(enter: Enter) -> None:
    bullying, gambling = make_case(), make_case(category="gambling", severity="S2", score=0.7)
    reviewer = enter(Role.REVIEWER)
    count, address = facet(reviewer.get("/queue/"), "类别")["赌博与涉赌引流"]
    assert count == "1"
    narrowed = reviewer.get("/queue/" + address)
    assert numbers(narrowed) == [gambling.number]
    _count, back = facet(narrowed, "类别")["赌博与涉赌引流"]
    assert numbers(reviewer.get("/queue/" + back)) == [bullying.number, gambling.number]
    both = reviewer.get("/queue/?severity=S1&severity=S2")
    assert len(numbers(both)) == 2


def test_facets_speak_the_words_of_the_policy(enter: Enter) -> None:
    make_case(site="demo", section="kids", kid_zone=True)
    page = enter(Role.REVIEWER).get("/queue/")
    assert [read(page).css(".facets section h2::text").getall()] == [
        ["状态", "等级", "类别", "平台类别", "平台", "板块"]
    ]
    assert list(facet(page, "板块")) == ["儿童乐园"]
    assert list(facet(page, "平台")) == ["榆钱坡（演示）"]
    assert list(facet(page, "等级")) == ["S1 严重"]
    assert "未成年人专区" in words(page, ".row")


def test_every_state_is_reached_and_the_open_ones_are_where_one_begins(enter: Enter) -> None:
    waiting, decided = make_case(), make_case(state=CaseState.DISMISSED)
    reviewer = enter(Role.REVIEWER)
    assert set(facet(reviewer.get("/queue/"), "状态")) == {"待审核", "已排除"}
    assert numbers(reviewer.get("/queue/?state=dismissed")) == [decided.number]
    assert set(numbers(reviewer.get("/queue/?state=all"))) == {waiting.number, decided.number}


def test_the_childrens_section_alone_is_one_press_away(enter: Enter) -> None:
    make_case()
    case = make_case(kid_zone=True)
    reviewer = enter(Role.REVIEWER)
    address = read(reviewer.get("/queue/")).css(".toggle::attr(href)").get("")
    narrowed = reviewer.get("/queue/" + address)
    assert numbers(narrowed) == [case.number]
    assert len(numbers(reviewer.get("/queue/" + read(narrowed).css(".toggle::attr(href)").get("")))) == 2


def test_orders_are_kept(enter: Enter) -> None:
    first, second = make_case(severity="S3", score=0.5), make_case(severity="S1", score=0.4)
    reviewer = enter(Role.REVIEWER)
    expected = {
        "urgency": [second, first],
        "newest": [second, first],
        "oldest": [first, second],
        "score": [first, second],
    }
    for sort, cases in expected.items():
        page = reviewer.get(f"/queue/?sort={sort}")
        assert numbers(page) == [one.number for one in cases]
        assert read(page).css("select[name=sort] option[selected]::attr(value)").get() == sort


def test_pages_follow_each_other_without_a_gap_and_keep_the_question(enter: Enter) -> None:
    cases = [make_case(severity="S2", category="gambling") for _ in range(45)]
    make_case()
    reviewer, seen, address = enter(Role.REVIEWER), [], "?category=gambling"
    for expected in (20, 20, 5):
        page = reviewer.get("/queue/" + address)
        assert len(numbers(page)) == expected
        seen += numbers(page)
        address = read(page).css("a[rel=next]::attr(href)").get("")
    assert seen == [one.number for one in cases]
    assert not address
    assert len(numbers(reviewer.get("/queue/" + read(page).css("a[rel=prev]::attr(href)").get("")))) == 20


def test_the_next_case_is_the_next_of_what_was_asked_for(enter: Enter) -> None:
    make_case(severity="S1")
    first, second, third = (make_case(severity="S2", category="gambling", score=score) for score in (0.9, 0.8, 0.7))
    reviewer = enter(Role.REVIEWER)
    row = read(reviewer.get("/queue/?category=gambling")).css("a.row::attr(href)").get("")
    assert row == f"/cases/{first.pk}/?category=gambling"
    skipping = read(reviewer.get(row)).css("[data-key=n]::attr(href)").get("")
    assert reviewer.get(skipping).headers["Location"] == f"/cases/{second.pk}/?category=gambling"
    decided = reviewer.post(
        f"/cases/{second.pk}/decide/", {"finding": "dismissed", "version": 1, "asked": "category=gambling"}
    )
    assert decided.headers["Location"] == f"/cases/{third.pk}/?category=gambling"
    last = reviewer.post(
        f"/cases/{third.pk}/decide/", {"finding": "dismissed", "version": 1, "asked": "category=gambling"}
    )
    assert last.headers["Location"] == f"/cases/{first.pk}/?category=gambling"
    done = reviewer.post(
        f"/cases/{first.pk}/decide/", {"finding": "dismissed", "version": 1, "asked": "category=gambling"}
    )
    assert done.headers["Location"] == "/queue/?category=gambling"


def test_the_way_back_leads_to_the_list_that_was_asked_for(enter: Enter) -> None:
    case = make_case("放风筝")
    page = enter(Role.REVIEWER).get(f"/cases/{case.pk}/?q={quote('放风筝')}&sort=newest&page=2")
    assert read(page).css("[data-key=q]::attr(href)").get() == f"/queue/?q={quote('放风筝')}&sort=newest"


def test_with_nothing_left_the_queue_says_what_to_do(enter: Enter) -> None:
    reviewer = enter(Role.REVIEWER)
    assert "自动排进来" in words(reviewer.get("/queue/"), ".empty")
    nothing = reviewer.get("/queue/?category=gambling")
    assert "减少一个条件" in words(nothing, ".empty")
    assert read(nothing).css(".empty a::attr(href)").get() == "/queue/"
    assert messages(reviewer.get("/queue/next/", follow=True)) == ["没有别的案件了"]
    assert "审核员确认有害之后" in words(enter(Role.LIAISON).get("/queue/"), ".empty")


def test_without_the_index_the_queue_goes_on_and_says_so(enter: Enter, monkeypatch: pytest.MonkeyPatch) -> None:
    case = make_case()
    away = WithFallback(ElasticsearchSearch("http://127.0.0.1:9", "cases-nowhere", "auto"), DatabaseSearch())
    monkeypatch.setattr("review_ui.staff.views.get_search", lambda: away)
    page = enter(Role.REVIEWER).get("/queue/")
    assert numbers(page) == [case.number]
    assert "搜索引擎暂不可用" in messages(page)[0]


@pytest.mark.parametrize(
    ("language", "words_"), [("zh-hans", r"3 件 · [0-9:]{8} 统计"), ("en", r"3 cases · counted at [0-9:]{8}")]
)
def test_of_a_large_queue_it_is_said_when_it_was_counted(
    language: str, words_: str, enter: Enter, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.clear()
    monkeypatch.setattr(counting, "MANY", 2)
    _cases, reviewer = [make_case() for _ in range(3)], enter(Role.REVIEWER)
    reviewer.cookies["django_language"] = language
    now, again = (words(reviewer.get("/queue/"), "h1.total") for _ in range(2))
    assert re.fullmatch(r"3 (件|cases)", now)
    assert re.fullmatch(words_, again)
    cache.clear()


def test_a_sample_is_marked_only_once_somebody_has_decided(enter: Enter) -> None:
    sample = make_case(audit_sample=True)
    reviewer = enter(Role.REVIEWER)
    assert "抽查" not in words(reviewer.get("/queue/"), ".cases")
    assert not read(reviewer.get("/queue/")).css(".score")
    assert "抽查" not in words(reviewer.get(f"/cases/{sample.pk}/"), ".case-head")
    reviewer.post(f"/cases/{sample.pk}/decide/", {"finding": "dismissed", "version": 1})
    assert "抽查" in words(reviewer.get("/queue/?state=dismissed"), ".cases")
    assert "抽查" in words(reviewer.get(f"/cases/{sample.pk}/"), ".case-head")


def test_the_queues_of_the_policy_stand_above_the_list(enter: Enter) -> None:
    make_case(severity="S2"), make_case(severity="S1", kid_zone=True)
    reviewer = enter(Role.REVIEWER)
    tabs = read(reviewer.get("/queue/")).css(".tabs a")
    assert [one.css("::text").get() for one in tabs][:3] == ["全部待审核", "立即处理", "未成年人专区"]
    kids = next(one.attrib["href"] for one in tabs if one.css("::text").get() == "未成年人专区")
    page = reviewer.get(f"/queue/{kids}")
    assert len(numbers(page)) == 1
    assert read(page).css(".tabs [aria-current]::text").get() == "未成年人专区"


def test_a_band_of_scores_that_is_none_is_refused(enter: Enter) -> None:
    assert enter(Role.REVIEWER).get("/queue/?score=high").status_code == 422


def test_whoever_decides_nothing_is_shown_no_queue_of_undecided_cases(enter: Enter) -> None:
    make_case(state=CaseState.CONFIRMED)
    page = enter(Role.LIAISON).get("/queue/")
    assert len(numbers(page)) == 1
    assert not read(page).css(".tabs")
    assert "处理下一件" not in words(page)
