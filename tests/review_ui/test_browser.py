"""The pages in a real browser: sizes, contrast, keys, widths, and nothing asked of the outside."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings as django_settings
from playwright.sync_api import Page, expect

from casework import decisions
from casework.models import Annotation, AuditEntry, Case, CaseState, Notice, Role, User
from classifiers.assessment import Span, Undone
from tests.casework.factories import SITE, make_case, make_user
from tests.review_ui import measures
from tests.review_ui.conftest import Enter

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Browse = Callable[..., Page]
PHONE, DESK, ZOOMED = 360, 1440, 640
"""Widths: a phone, a desk, and a laptop of 1280 pixels zoomed to 200 %."""
LONG = "大师说了，谁要是不把这段话转给十个人，三天之内家里就会出事，快去加他的微信请他化解。" * 3
LIGHT = {"category": "superstition_sales", "severity": "S3", "grade": "may_affect"}


@pytest.fixture
def browse(live_server: Any, open_page: Callable[..., Page], enter: Enter) -> Browse:
    """Open a page of the installation as a person or as somebody of a role."""

    def browse_(who: User | Role | None, path: str, width: int = DESK, language: str = "zh-hans") -> Page:
        page = open_page(width=width)
        cookies = {django_settings.LANGUAGE_COOKIE_NAME: language}
        if who is not None:
            cookies["sessionid"] = enter(who).cookies["sessionid"].value
        page.context.add_cookies([{"name": one, "value": cookies[one], "url": live_server.url} for one in cookies])
        page.goto(live_server.url + path)
        return page

    return browse_


@pytest.fixture
def furnished(enter: Enter) -> dict[str, int]:
    """Cases in every state of work and a list, so that every page has something to show."""
    spans = [Span(start=0, end=6, slug="superstition_sales", reason="linear").model_dump()]
    undone = [Undone(start=2, end=4, seen="说了", read_as="收了", kind="sound").model_dump()]
    waiting = make_case(LONG, site="demo", section="kids", kid_zone=True, spans=spans, undone=undone, **LIGHT)
    make_case("他说你真笨", prominent=True, thread="t", position=1)
    make_case("大家都别理他", audit_sample=True, thread="t", position=2, category="fraud_spending")
    confirmed = [make_case(), make_case(category="dangerous_acts", severity="S2", grade="may_affect"), make_case()]
    for case in confirmed:
        decisions.decide(
            case.pk, make_user(), "confirmed", expected_version=1, category=case.category, grade=case.grade
        )
    enter(Role.LEAD).post(f"/notices/new/{SITE}/", {"instrument": "REPORT", "case": [one.pk for one in confirmed[:2]]})
    return {"case": waiting.pk, "notice": Notice.objects.get().pk}


STAFF_PAGES = [
    (Role.REVIEWER, "/queue/"),
    (Role.REVIEWER, "/queue/?q=大师&severity=S3&kid_zone=true"),
    (Role.REVIEWER, "/queue/?category=gambling"),
    (Role.REVIEWER, "/cases/{case}/"),
    (Role.REVIEWER, "/queue/due/"),
    (Role.REVIEWER, "/queue/trend/"),
    (Role.LIAISON, "/notices/"),
    (Role.LIAISON, f"/notices/new/{SITE}/"),
    (Role.LEAD, "/lead/"),
    (Role.LEAD, f"/lead/prevalence/?site={SITE}"),
    (Role.ADMIN, "/lead/people/"),
    (Role.LIAISON, "/lead/"),
    (Role.LIAISON, "/nowhere/"),
    (None, "/sign-in/"),
]


@pytest.mark.parametrize(("width", "language"), [(PHONE, "zh-hans"), (DESK, "zh-hans"), (PHONE, "en")])
def test_every_staff_page_fits_is_reached_by_a_finger_and_passes_axe(
    width: int, language: str, browse: Browse, furnished: dict[str, int], live_server: Any
) -> None:
    lead = Notice.objects.get().prepared_by
    pages = [*STAFF_PAGES, (lead, "/notices/{notice}/")]
    wrong = {}
    opened: dict[object, Page] = {}
    for who, pattern in pages:
        path = pattern.format(**furnished)
        page = opened.get(who) or opened.setdefault(who, browse(who, path, width, language))
        page.goto(live_server.url + path)
        found = {
            "wider": measures.overflow(page) or None,
            "small": measures.small_targets(page, 44),
            # What axe looks for lies in the markup, which is the same in both languages.
            "axe": measures.violations(page) if language == "zh-hans" else [],
            "tiny": [one for one in measures.letters(page) if one.size < 12],
        }
        wrong |= {(path, name): value for name, value in found.items() if value}
    assert wrong == {}


VOLUNTEER_STEPS = ["covered", "shown", "kind", "help", "done"]


@pytest.mark.parametrize(
    ("size", "width"), [("large", PHONE), ("largest", PHONE), ("large", ZOOMED), ("largest", DESK)]
)
def test_every_volunteer_page_meets_the_figures_of_the_elder_edition(size: str, width: int, browse: Browse) -> None:
    make_case(LONG, severity="S1")
    page = browse(Role.VOLUNTEER, "/volunteer/", width)
    if size != "large":
        page.get_by_role("button", name="最大").click()
    wrong = {}
    for step in VOLUNTEER_STEPS:
        _walk(page, step)
        page.wait_for_load_state()
        texts = measures.letters(page)
        found = {
            "wider": measures.overflow(page) or None,
            "small": measures.small_targets(page, 60),
            "letters": [one for one in texts if one.size < (18 if size == "large" else 30)],
            "lines": [one for one in texts if one.line < 1.3 - 0.001],
            "axe": measures.violations(page) if (size, width) in {("large", PHONE), ("largest", DESK)} else [],
        }
        wrong |= {(step, name): value for name, value in found.items() if value}
        expect(page.locator("header")).to_contain_text("长辈版")
    assert wrong == {}


def _walk(page: Page, step: str) -> None:
    """Go on to the next of the steps that a volunteer passes."""
    match step:
        case "shown":
            page.get_by_role("button", name="点这里，看这段话").click()
            expect(page.locator("#said")).to_have_text(LONG)
        case "kind":
            page.get_by_role("button", name="有害").click()
            expect(page.locator("h1")).to_have_text("是哪一种有害？")
        case "help":
            page.get_by_role("link", name="帮助").click()
            expect(page.locator("h1")).to_have_text("怎么看，怎么答")
        case "done":
            page.get_by_role("link", name="明白了，开始看").click()
            expect(page.locator("h1")).to_have_text("都看完了，谢谢您！")


def test_answers_stand_out_from_their_ground_and_carry_a_sign_and_a_word(browse: Browse) -> None:
    make_case("大师改运", **LIGHT)
    page = browse(Role.VOLUNTEER, "/volunteer/")
    for name in ("harmful", "harmless", "unsure", "enough"):
        assert measures.contrast(page, f".answer.{name}") >= 7, name
        page.locator(f".answer.{name}").hover()
        page.wait_for_function("css => document.querySelector(css).getAnimations().length === 0", arg=f".answer.{name}")
        assert measures.contrast(page, f".answer.{name}") >= 7, name
    assert [text.split() for text in page.locator(".answer").all_inner_texts()][:3] == [
        ["✕", "有害"],
        ["✓", "无害"],
        ["？", "说不准"],
    ]


def test_a_volunteer_works_by_keyboard_alone(browse: Browse) -> None:
    case, waiting = make_case("大师改运", **LIGHT), make_case("转发保平安", **LIGHT)
    page = browse(Role.VOLUNTEER, "/volunteer/")
    _tab_to(page, "有害")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("是哪一种有害？")
    _tab_to(page, "迷信牟利与恐吓性伪科学")
    page.keyboard.press("Enter")
    expect(page.locator("#said")).to_have_text(waiting.text)
    kept = Annotation.objects.get(case=case)
    assert (kept.answer, kept.category) == ("harmful", "superstition_sales")
    _tab_to(page, "上一条答错了")
    page.keyboard.press("Space")
    expect(page.locator("#said")).to_have_text(case.text)


def _tab_to(page: Page, words: str) -> None:
    """Press Tab until what is focused says these words; where one is must be seen on the way."""
    for _press in range(40):
        page.keyboard.press("Tab")
        here, outline = page.evaluate(
            "() => [document.activeElement.innerText || '', getComputedStyle(document.activeElement).outlineWidth]"
        )
        assert float(outline.removesuffix("px")) >= 2, here
        if words in here:
            return
    raise AssertionError(f"Tab never reached {words}")


def test_nothing_on_a_volunteers_page_moves_by_itself(browse: Browse) -> None:
    make_case("大师改运", **LIGHT)
    page = browse(Role.VOLUNTEER, "/volunteer/")
    page.clock.install()
    page.reload()
    before, address = page.content(), page.url
    page.clock.run_for("01:00:00")
    assert (page.content(), page.url) == (before, address)


def test_a_reviewer_works_by_keys(browse: Browse, live_server: Any) -> None:
    first, second = make_case("他说你真笨", score=0.9), make_case("大家都别理他", score=0.8)
    third = make_case("他真讨厌", score=0.7)
    page = browse(Role.REVIEWER, "/queue/?category=bullying")
    for key in ("j", "j", "k"):
        page.keyboard.press(key)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/cases/{first.pk}/?category=bullying")
    page.keyboard.press("v")
    expect(page.locator("#text .body")).to_have_text("他说你真笨")
    assert AuditEntry.objects.filter(action="case.reveal").count() == 1
    page.keyboard.press("1")
    page.wait_for_url(f"**/cases/{second.pk}/?category=bullying")
    assert Case.objects.get(pk=first.pk).state == CaseState.CONFIRMED
    page.keyboard.press("z")
    page.wait_for_url(f"**/cases/{first.pk}/?category=bullying")
    assert Case.objects.get(pk=first.pk).state == CaseState.OPEN
    page.keyboard.press("n")
    page.wait_for_url(f"**/cases/{second.pk}/?category=bullying")
    page.keyboard.press("2")
    page.wait_for_url(f"**/cases/{third.pk}/?category=bullying")
    page.keyboard.press("3")
    page.wait_for_url(f"**/cases/{first.pk}/?category=bullying")
    page.keyboard.press("4")
    page.wait_for_url("**/queue/?category=bullying")
    states = [Case.objects.get(pk=one.pk).state for one in (first, second, third)]
    assert states == [CaseState.OUT_OF_SCOPE, CaseState.DISMISSED, CaseState.ESCALATED]


def test_keys_are_letters_again_while_one_types(browse: Browse) -> None:
    case = make_case("他说你真笨")
    page = browse(Role.REVIEWER, f"/cases/{case.pk}/")
    page.locator("input[name=reason]").type("1 z v 2")
    assert page.locator("input[name=reason]").input_value() == "1 z v 2"
    page.keyboard.press("Escape")
    page.keyboard.press("q")
    page.wait_for_url("**/queue/")
    page.keyboard.press("/")
    page.keyboard.type("真笨")
    page.keyboard.press("Enter")
    page.wait_for_url("**/queue/?q=*")
    expect(page.locator(".row")).to_have_count(1)
    assert Case.objects.get(pk=case.pk).state == CaseState.OPEN


def test_a_finding_by_button_carries_category_and_reason(browse: Browse) -> None:
    case = make_case("他说你真笨")
    page = browse(Role.REVIEWER, f"/cases/{case.pk}/", PHONE)
    page.select_option("select[name=category]", "minor_privacy")
    page.fill("input[name=reason]", "写出了班级")
    page.get_by_role("button", name="确认有害").click()
    expect(page.locator(".message")).to_contain_text(f"{case.number}：确认")
    decision = Case.objects.get(pk=case.pk).decisions.get()
    assert (decision.category, decision.reason) == ("minor_privacy", "写出了班级")


def test_what_concerns_a_minor_is_not_shown_before_a_reason_is_typed(browse: Browse) -> None:
    case = make_case("三班的小明住在河边", category="minor_privacy", severity="S1")
    page = browse(Role.REVIEWER, f"/cases/{case.pk}/")
    page.keyboard.press("v")
    expect(page.locator("#reveal-reason")).to_be_focused()
    assert not AuditEntry.objects.filter(action="case.reveal").exists()
    page.keyboard.type("核对是否写出住址")
    page.keyboard.press("Enter")
    expect(page.locator("#text .body")).to_have_text(case.text)
    assert AuditEntry.objects.get(action="case.reveal").details["reason"] == "核对是否写出住址"


def test_a_session_that_has_ended_leads_back_to_the_same_case(browse: Browse) -> None:
    case = make_case("他说你真笨")
    page = browse(Role.REVIEWER, f"/cases/{case.pk}/?sort=newest")
    page.context.clear_cookies(name="sessionid")
    page.keyboard.press("v")
    page.wait_for_url(re.compile("/sign-in/"))
    assert page.locator("main input[name=next]").input_value() == f"/cases/{case.pk}/?sort=newest"


def test_filters_wait_behind_their_title_on_a_phone_and_lie_open_at_a_desk(browse: Browse) -> None:
    make_case()
    reviewer = make_user()
    phone = browse(reviewer, "/queue/", PHONE)
    expect(phone.locator(".facets section").first).to_be_hidden()
    phone.locator(".facets summary").click()
    phone.get_by_role("link", name="☐ S1 严重").click()
    expect(phone.locator(".facets summary")).to_contain_text("1")
    desk = browse(reviewer, "/queue/", DESK)
    expect(desk.locator(".facets section").first).to_be_visible()
    desk.fill("input[name=q]", "没有这样的话")
    desk.keyboard.press("Enter")
    expect(desk.locator(".empty")).to_be_visible()
    desk.go_back()
    expect(desk.locator(".row")).to_have_count(1)
    expect(desk.locator(".facets section").first).to_be_visible()


def test_one_box_ticks_them_all(browse: Browse, furnished: dict[str, int]) -> None:
    page = browse(Role.LIAISON, f"/notices/new/{SITE}/")
    box = page.locator("input[name=case]")
    expect(box).to_be_checked()
    page.get_by_label("全选").uncheck()
    expect(box).not_to_be_checked()


def test_the_language_is_changed_and_the_page_stays(browse: Browse) -> None:
    case = make_case("他说你真笨")
    page = browse(Role.REVIEWER, f"/cases/{case.pk}/?sort=newest")
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("button", name="Confirm harmful")).to_be_visible()
    assert page.url.endswith(f"/cases/{case.pk}/?sort=newest")
    page.get_by_role("button", name="中文").click()
    expect(page.get_by_role("button", name="确认有害")).to_be_visible()
