"""The case page: the text behind its mask, what was seen in it, and the finding."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from casework import annotations, cases, decisions, reassessments
from casework.models import AuditEntry, Case, CaseState, Role
from classifiers.assessment import Span, Undone
from config.policy import load_site
from tests.casework.factories import make_assessment, make_case, make_user
from tests.review_ui.conftest import Enter
from tests.review_ui.pages import messages, read, words

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


def reveals(case: Case) -> int:
    return AuditEntry.objects.filter(action="case.reveal", subject=f"case:{case.pk}").count()


def test_the_text_is_shown_by_one_act_that_is_recorded_once(enter: Enter) -> None:
    case, user = make_case("他说你真笨"), make_user()
    reviewer = enter(user)
    page = reviewer.get(f"/cases/{case.pk}/")
    assert "他说你真笨" not in page.content.decode()
    assert reveals(case) == 0
    shown = reviewer.post(f"/cases/{case.pk}/reveal/", headers=HTMX)
    assert words(shown, ".body") == "他说你真笨"
    assert reveals(case) == 1
    assert "查看原文" in words(reviewer.get(f"/cases/{case.pk}/"), ".history")
    assert user.staff_no in words(reviewer.get(f"/cases/{case.pk}/"), ".history")


def test_what_touches_a_minor_is_shown_for_a_reason_only(enter: Enter) -> None:
    case = make_case(category="minor_privacy", severity="S2", spans=[span(0, 2, "minor_privacy")])
    reviewer = enter(Role.REVIEWER)
    assert read(reviewer.get(f"/cases/{case.pk}/")).css("#reveal-reason[required]")
    refused = reviewer.post(f"/cases/{case.pk}/reveal/", {"reason": "  "}, headers=HTMX)
    assert refused.status_code == 422
    assert words(refused) == "✕ 理由：查看涉及未成年人个人信息的内容须填写理由"
    assert reveals(case) == 0
    assert reviewer.post(f"/cases/{case.pk}/reveal/", {"reason": "核对学校"}, headers=HTMX).status_code == 200
    assert "核对学校" in words(reviewer.get(f"/cases/{case.pk}/"), ".history")


def test_spans_and_undone_evasions_are_shown_with_the_text(enter: Enter) -> None:
    case = make_case(
        "加薇信领皮肤",
        category="fraud_spending",
        severity="S2",
        spans=[span(0, 3, "fraud_spending", "rule:fraud_spending.contact")],
        undone=[Undone(start=1, end=3, seen="薇信", read_as="微信", kind="sound").model_dump()],
    )
    reviewer = enter(Role.REVIEWER)
    covered = words(reviewer.get(f"/cases/{case.pk}/"), "#text")
    assert "薇信" not in covered
    assert "微信" not in covered
    shown = read(reviewer.post(f"/cases/{case.pk}/reveal/", headers=HTMX))
    assert "".join(shown.css("mark.flag::text").getall()) == "加薇信"
    assert shown.css("mark.flag::attr(title)").get() == "诈骗与诱导消费"
    assert shown.css("mark.evasion::text").get() == "薇信"
    assert [one.strip() for one in shown.css(".undone li ::text").getall() if one.strip()] == [
        "薇信",
        "→",
        "微信",
        "谐音",
    ]


def test_beside_the_text_stand_definition_and_law_and_once_decided_the_scores(enter: Enter) -> None:
    case = make_case(scores={"bullying": 0.8, "gambling": 0.05, "pornography": 0.01}, site="demo", section="kids")
    reviewer = enter(Role.REVIEWER)
    assert not read(reviewer.get(f"/cases/{case.pk}/")).css(".scores")
    Case.objects.filter(pk=case.pk).update(state=CaseState.CONFIRMED)
    page = reviewer.get(f"/cases/{case.pk}/")
    limits = load_site("demo").thresholds_for("kids")
    assert words(page, ".scores tbody") == (
        f"网络欺凌与开盒 80% 80% ≥ {limits['bullying']:.0%} ▲ 赌博与涉赌引流 5% 5% ≥ {limits['gambling']:.0%}"
    )
    assert "第77条" in words(page, ".law")
    assert "人肉开盒" in words(page, "aside")
    assert "疑似违法" in words(page, "aside")
    assert "榆钱坡（演示）" in words(page, "aside")


def test_moments_are_written_as_they_are_read(enter: Enter) -> None:
    case = make_case(published_at=datetime(2025, 1, 2, 3, 4, tzinfo=UTC))
    page = words(enter(Role.REVIEWER).get(f"/cases/{case.pk}/"), "aside")
    assert "2025年1月2日 11:04" in page
    assert "2026年11月20日 16:30" in page


def test_a_first_look_that_is_late_is_said_so(enter: Enter) -> None:
    case = make_case(severity="S1")
    reviewer = enter(Role.REVIEWER)
    assert "已过" not in words(reviewer.get(f"/cases/{case.pk}/"), "dl")
    Case.objects.filter(pk=case.pk).update(created_at=timezone.now() - timedelta(hours=5))
    assert "▲ 已过" in words(reviewer.get(f"/cases/{case.pk}/"), "dl")


def test_the_thread_around_a_case_is_shown_under_its_masks(enter: Enter) -> None:
    earlier = make_case("上一句很难听", thread="t", position=1)
    case = make_case("这一句", thread="t", position=2)
    later = make_case("下一句还算好", severity="S3", thread="t", position=3)
    page = enter(Role.REVIEWER).get(f"/cases/{case.pk}/")
    before, after = read(page).css(".context")
    assert earlier.number in before.get()
    assert "难听" not in before.get()
    assert later.number in after.get()
    assert "下一句还算好" in after.get()


@pytest.mark.parametrize(
    ("finding", "state"),
    [
        ("confirmed", CaseState.CONFIRMED),
        ("dismissed", CaseState.DISMISSED),
        ("escalated", CaseState.ESCALATED),
        ("out_of_scope", CaseState.OUT_OF_SCOPE),
    ],
)
def test_a_finding_is_recorded_and_offers_its_undoing(finding: str, state: str, enter: Enter) -> None:
    case = make_case()
    reviewer = enter(Role.REVIEWER)
    form = {"finding": finding, "version": 1, "category": "bullying", "reason": "看过全文"}
    page = reviewer.post(f"/cases/{case.pk}/decide/", form, follow=True)
    case.refresh_from_db()
    assert (case.state, case.version) == (state, 2)
    assert messages(page)[0].startswith(f"{case.number}：")
    undo = read(page).css(".message form::attr(action)").get("")
    reviewer.post(undo)
    case.refresh_from_db()
    assert case.state == CaseState.OPEN


def test_one_decides_on_what_one_saw(enter: Enter) -> None:
    case, first = make_case(), make_user()
    decisions.decide(case.pk, first, "escalated", expected_version=1)
    lead = enter(Role.LEAD)
    form = {"finding": "dismissed", "version": 1, "back": f"/cases/{case.pk}/"}
    page = lead.post(f"/cases/{case.pk}/decide/", form, follow=True)
    assert page.status_code == 409
    assert messages(page) == [f"{first.staff_no} 刚刚已作出决定：上报。请看最新状态后再决定。"]
    case.refresh_from_db()
    assert case.state == CaseState.ESCALATED


def test_an_escalated_case_offers_findings_to_those_who_may_decide_it(enter: Enter) -> None:
    case = make_case(state=CaseState.ESCALATED)
    assert not read(enter(Role.REVIEWER).get(f"/cases/{case.pk}/")).css("#decide")
    assert read(enter(Role.LEAD).get(f"/cases/{case.pk}/")).css("#decide button::attr(value)").getall() == [
        "confirmed",
        "dismissed",
        "police",
        "out_of_scope",
    ]


def test_ones_own_finding_can_be_taken_back_from_the_case_too(enter: Enter) -> None:
    case, user = make_case(), make_user()
    decisions.decide(case.pk, user, "dismissed", expected_version=1, reason="玩笑话")
    own = read(enter(user).get(f"/cases/{case.pk}/"))
    assert "玩笑话" in own.css(".undo").get("")
    assert not read(enter(Role.REVIEWER).get(f"/cases/{case.pk}/")).css(".undo")


def test_each_act_shows_its_key(enter: Enter) -> None:
    case = make_case()
    page = read(enter(Role.REVIEWER).get(f"/cases/{case.pk}/"))
    keyed = page.css("[data-key]")
    assert {one.attrib["data-key"] for one in keyed} == {"q", "n", "v", "1", "2", "3", "4"}
    assert all(one.css("kbd::text").get("").lower() == one.attrib["data-key"] for one in keyed)


def test_what_volunteers_said_is_shown_to_those_who_decide(enter: Enter) -> None:
    case = make_case(severity="S3", category="superstition_sales")
    for _ in range(2):
        volunteer = make_user(Role.VOLUNTEER)
        annotations.next_case(volunteer)
        annotations.answer(case.pk, volunteer, "harmful")
    page = words(enter(Role.REVIEWER).get(f"/cases/{case.pk}/"), "aside")
    assert "2 人看过，多数认为 有害" in page


def test_a_purged_case_says_that_its_text_has_gone(enter: Enter) -> None:
    case = make_case(state=CaseState.DISMISSED)
    cases.strip_text(Case.objects.filter(pk=case.pk))
    reviewer = enter(Role.REVIEWER)
    assert "文字已按期清除" in words(reviewer.get(f"/cases/{case.pk}/"), "#text")
    assert reviewer.post(f"/cases/{case.pk}/reveal/", headers=HTMX).status_code == 403


def span(start: int, end: int, slug: str, reason: str = "linear") -> dict[str, object]:
    return Span(start=start, end=end, slug=slug, reason=reason).model_dump()


def test_a_decided_case_is_sent_back_with_a_reason_and_the_first_does_not_decide_it_again(enter: Enter) -> None:
    case, first = make_case(), make_user()
    decisions.decide(case.pk, first, "dismissed", expected_version=1)
    client = enter(first)
    form = read(client.get(f"/cases/{case.pk}/")).css('button[value="reopened"]').xpath("ancestor::form")
    values = {"finding": "reopened", "version": form.css("[name=version]").attrib["value"], "reason": "第二句要再看"}
    client.post(form.attrib["action"], values)
    case.refresh_from_db()
    assert case.state == CaseState.OPEN
    again = {"finding": "confirmed", "version": case.version, "category": "bullying"}
    assert "须由另一人决定" in messages(client.post(f"/cases/{case.pk}/decide/", again, follow=True))[-1]


def test_an_escalation_names_to_whom(enter: Enter) -> None:
    case = make_case()
    form = {"finding": "escalated", "version": 1, "to": "duty", "reason": "拿不准"}
    enter(Role.REVIEWER).post(f"/cases/{case.pk}/decide/", form)
    assert "已上报 → 专班值守" in words(enter(Role.LEAD).get(f"/cases/{case.pk}/"), ".case-head")


def test_a_case_tells_by_which_model_it_was_assessed_again_and_what_was_said_before(enter: Enter) -> None:
    case = make_case()
    run = reassessments.begin("stand-in-2", "command")
    says = make_assessment({"bullying": 0.02}).model_copy(update={"model": "stand-in-2"})
    reassessments.write(run, [(case, says)])
    reviewer = enter(Role.REVIEWER)
    history = words(reviewer.get(f"/cases/{case.pk}/"), ".history")
    assert "重新评估：stand-in-2 之前：网络欺凌与开盒 · S1 严重（stand-in-1）" in history
    assert "复评低于阈值" in words(reviewer.get(f"/cases/{case.pk}/"), ".case-head")
    assert "复评低于阈值" in words(reviewer.get("/queue/"), ".what")
