"""The volunteers' pages: one item, three answers, a way out, and nothing that tells an opinion."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from casework import annotations
from casework.models import Annotation, Answer, Assignment, AuditEntry, Case, Role, User
from classifiers.assessment import Span
from config.taxonomy import load_taxonomy
from tests.casework.factories import make_case, make_user
from tests.review_ui.conftest import Enter
from tests.review_ui.pages import messages, read, words

pytestmark = pytest.mark.django_db
LIGHT = {"category": "superstition_sales", "severity": "S3", "grade": "may_affect"}
NEVER = [
    ("sexual_exploitation", "S0"),
    ("pornography", "S1"),
    ("self_harm", "S1"),
    ("violence_gore", "S1"),
]


@pytest.fixture
def person() -> User:
    return make_user(Role.VOLUNTEER)


@pytest.fixture
def client(person: User, enter: Enter) -> Client:
    return enter(person)


def answer(client: Client, case: Case, given: str) -> object:
    return client.post(f"/volunteer/{case.pk}/answer/", {"answer": given}, follow=True)


def test_one_item_is_shown_with_three_answers_and_a_way_out(client: Client) -> None:
    make_case("大师说不转发会倒霉", **LIGHT)
    make_case("另一条", **LIGHT)
    page = client.get("/volunteer/")
    assert words(page, "#said") == "大师说不转发会倒霉"
    assert "另一条" not in words(page)
    assert read(page).css(".answer::attr(value)").getall() == ["harmful", "harmless", "unsure", "skipped"]
    assert words(page, ".answers") == "✕ 有害 ✓ 无害 ？ 说不准 看不下去，换一条"
    assert "长辈版" in words(page, ".brand")


def test_the_same_item_stays_until_it_is_answered(client: Client) -> None:
    first, second = make_case("第一条", **LIGHT), make_case("第二条", **LIGHT)
    assert [words(client.get("/volunteer/"), "#said") for _ in range(2)] == ["第一条", "第一条"]
    answer(client, first, "harmless")
    assert words(client.get("/volunteer/"), "#said") == "第二条"
    assert Annotation.objects.get().case == first
    answer(client, second, "unsure")
    assert "都看完了" in words(client.get("/volunteer/"))


def test_a_volunteer_reads_blind(client: Client) -> None:
    span = Span(start=0, end=2, slug="superstition_sales", reason="linear").model_dump()
    case = make_case("大师改运", score=0.77, spans=[span], **LIGHT)
    other = make_user(Role.VOLUNTEER)
    annotations.next_case(other)
    annotations.answer(case.pk, other, "harmful")
    raw = re.sub(r"[A-Za-z0-9]{64}", "", client.get("/volunteer/").content.decode())  # a form's token may hold "77"
    page = words(client.get("/volunteer/"), "main")
    assert "大师改运" in page
    for telling in ("77", "S3", "迷信", "superstition", "<mark", case.number, case.url, "人看过"):
        assert telling not in raw, telling


def test_a_grave_text_is_covered_until_it_is_asked_for(client: Client, person: User) -> None:
    case = make_case("他说你真笨，大家都别理他", severity="S1")
    covered = client.get("/volunteer/")
    assert "真笨" not in covered.content.decode()
    assert read(covered).css(".answer::attr(value)").getall() == ["skipped"]
    shown = client.post(f"/volunteer/{case.pk}/show/", follow=True)
    assert words(shown, "#said") == "他说你真笨，大家都别理他"
    assert len(read(shown).css(".answer")) == 4
    acts = AuditEntry.objects.filter(subject=f"case:{case.pk}").order_by("sequence").values_list("action", "actor")
    assert list(acts) == [("case.reveal", person.staff_no), ("case.view", person.staff_no)]


def test_only_the_item_before_one_can_be_shown_or_answered(client: Client) -> None:
    make_case("第一条", **LIGHT)
    other = make_case("第二条，很重", severity="S1")
    client.get("/volunteer/")
    shown = client.post(f"/volunteer/{other.pk}/show/", follow=True)
    assert "很重" not in shown.content.decode()
    assert messages(answer(client, other, "harmful")) == [f"案件“{other.pk}”不可用。允许：只能回答眼前的这一条"]
    assert not Annotation.objects.exists()


def test_after_harmful_the_kind_is_asked_with_a_line_about_each(client: Client) -> None:
    case = make_case("大师改运", **LIGHT)
    client.get("/volunteer/")
    page = answer(client, case, "harmful")
    assert words(page, "h1") == "是哪一种有害？"
    shown = read(page).css(".choice::attr(value)").getall()
    assert shown == ["", *(slug for slug, one in load_taxonomy().categories.items() if one.volunteers != "never")]
    assert all(" ".join(one.css("span ::text").getall()).strip() for one in read(page).css(".choice"))
    client.post(f"/volunteer/{case.pk}/category/", {"category": "superstition_sales"})
    kept = Annotation.objects.get()
    assert (kept.answer, kept.category) == (Answer.HARMFUL, "superstition_sales")


def test_not_knowing_the_kind_is_an_answer_too(client: Client) -> None:
    case = make_case("大师改运", **LIGHT)
    client.get("/volunteer/")
    answer(client, case, "harmful")
    page = client.post(f"/volunteer/{case.pk}/category/", {"category": ""}, follow=True)
    assert messages(page) == ["已记下，谢谢您"]
    assert Annotation.objects.get().category == ""


def test_skipping_asks_for_no_reason_and_counts(client: Client, person: User) -> None:
    case = make_case("看着难受的话", severity="S1")
    client.get("/volunteer/")
    page = answer(client, case, "skipped")
    assert Annotation.objects.get().answer == Answer.SKIPPED
    assert "今天您已看了 1 条" in words(page, "footer")


def test_the_last_answer_can_be_changed(client: Client) -> None:
    case = make_case("大师改运", **LIGHT)
    assert not read(client.get("/volunteer/")).css(".back")
    answer(client, case, "harmless")
    page = client.post("/volunteer/undo/", follow=True)
    assert words(page, "#said") == "大师改运"
    assert not Annotation.objects.exists()
    again = client.post("/volunteer/undo/", follow=True)
    assert messages(again) == ["今天还没有可以撤回的回答"]


@pytest.mark.parametrize(("category", "severity"), NEVER)
@pytest.mark.parametrize("primary", [True, False])
def test_what_is_never_sent_is_never_sent(category: str, severity: str, primary: bool, client: Client) -> None:
    if primary:
        make_case("不该送来的话", category=category, severity=severity)
    else:
        make_case("不该送来的话", severity="S1", categories=["bullying", category])
    page = client.get("/volunteer/")
    assert "都看完了" in words(page)
    assert not Assignment.objects.exists()


def test_an_item_that_turns_grave_is_taken_away(client: Client) -> None:
    case = make_case("先前看着不重", **LIGHT)
    assert "先前" in words(client.get("/volunteer/"))
    Case.objects.filter(pk=case.pk).update(category="self_harm", categories=["self_harm"], severity="S1")
    assert "先前" not in words(client.get("/volunteer/"))


def test_a_rest_is_offered_and_nothing_is_locked(client: Client, person: User) -> None:
    case, waiting = make_case("一条", **LIGHT), make_case("下一条", **LIGHT)
    long_ago = timezone.now() - timedelta(minutes=26)
    Annotation.objects.create(case=case, volunteer=person, answer="harmless", shown_at=long_ago)
    page = client.get("/volunteer/")
    # Just after midnight the work of the evening before is no longer of this day.
    if timezone.localtime(long_ago).date() == timezone.localdate():
        assert "歇一歇" in messages(page)[0]
    assert words(page, "#said") == waiting.text


def test_the_size_of_the_letters_is_kept_and_leads_back_to_the_page(client: Client) -> None:
    page = client.post("/volunteer/text-size/", {"size": "largest", "back": "/volunteer/help/"}, follow=True)
    assert page.redirect_chain == [("/volunteer/help/", 302)]
    assert read(page).css("html::attr(class)").get() == "largest"
    assert read(page).css("button[name=size][aria-pressed=true]::attr(value)").get() == "largest"
    wrong = client.post("/volunteer/text-size/", {"size": "tiny"}, follow=True)
    assert "字的大小" in messages(wrong)[0]
    assert read(wrong).css("html::attr(class)").get() == "largest"


def test_help_and_somebody_to_talk_to_are_on_every_page(client: Client, settings: object) -> None:
    case = make_case("大师改运", **LIGHT)
    pages = [client.get("/volunteer/"), client.get("/volunteer/help/"), answer(client, case, "harmful")]
    for page in pages:
        assert read(page).css('nav a[href="/volunteer/help/"]')
        assert "找我们： 您的组长" in words(page, "footer")


def test_no_page_of_a_volunteer_changes_by_itself(client: Client) -> None:
    make_case("大师改运", **LIGHT)
    for address in ("/volunteer/", "/volunteer/help/"):
        raw = client.get(address).content.decode()
        for moving in ("http-equiv", "hx-trigger", "setTimeout", "setInterval", "autoplay", "<marquee"):
            assert moving not in raw
