"""The pages in English: every word has its English, and nothing Chinese is left but what is Chinese by nature."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from casework import decisions
from casework.models import Case, Role
from config.decision_table import load_decision_table
from config.taxonomy import load_taxonomy
from review_ui import translations, words
from tests.casework.factories import SITE, make_case, make_user
from tests.review_ui.conftest import Enter
from tests.review_ui.pages import messages, read

CHINESE = re.compile(r"[\u3400-\u9fff]")


def test_every_word_has_its_english() -> None:
    assert translations.missing(translations.catalog()) == []


def test_no_english_is_kept_for_words_that_are_gone() -> None:
    assert {message.id for message in translations.catalog() if message.id} == translations.used()


def test_what_is_read_at_run_time_is_what_was_written() -> None:
    assert translations.PO.with_suffix(".mo").read_bytes() == translations.compiled(translations.catalog())


def test_places_to_fill_are_the_same_in_both_languages() -> None:
    for message in translations.catalog():
        ids = message.id if isinstance(message.id, tuple | list) else (message.id,)
        english = message.string if isinstance(message.string, tuple | list) else (message.string,)
        if message.id:
            wanted = set(re.findall(r"%\(\w+\)s", ids[0]))
            assert all(set(re.findall(r"%\(\w+\)s", one)) == wanted for one in english), ids


def test_every_remedy_is_collected_for_translation() -> None:
    assert {one.name for one in load_decision_table().dispositions.values()} == set(words.DISPOSITIONS)


@pytest.mark.django_db
def test_a_person_chooses_the_language_and_it_stays(client: Client) -> None:
    assert read(client.get("/sign-in/")).css("html::attr(lang)").get() == "zh-CN"
    page = client.post("/language/setlang/", {"language": "en", "next": "/sign-in/"}, follow=True)
    assert page.redirect_chain == [("/sign-in/", 302)]
    assert read(page).css("html::attr(lang)").get() == "en"
    assert read(page).css("h1::text").get() == "Sign in"
    assert read(client.get("/sign-in/")).css("html::attr(lang)").get() == "en"


@pytest.mark.django_db
def test_a_browsers_wish_does_not_change_the_language() -> None:
    page = Client(headers={"Accept-Language": "en"}).get("/sign-in/")
    assert read(page).css("html::attr(lang)").get() == "zh-CN"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("role", "addresses"),
    [
        (
            Role.REVIEWER,
            [
                "/queue/",
                "/queue/?category=gambling",
                "/cases/{open}/",
                "/cases/{done}/",
                "/queue/due/",
                "/queue/trend/",
                "/nowhere/",
            ],
        ),
        (Role.VOLUNTEER, ["/volunteer/", "/volunteer/help/", "/queue/"]),
        (Role.LIAISON, ["/notices/", f"/notices/new/{SITE}/", "/notices/{notice}/", "/lead/", "/cases/{done}/"]),
        (Role.LEAD, ["/lead/", "/lead/prevalence/", "/queue/?sort=best", "/cases/999/"]),
        (Role.ADMIN, ["/lead/", "/lead/people/"]),
    ],
)
def test_no_chinese_is_left_on_english_pages(role: Role, addresses: list[str], enter: Enter) -> None:
    places = furnish(enter)
    client = enter(role)
    client.cookies["django_language"] = "en"
    for address in addresses:
        page = read(client.get(address.format(**places)))
        # Laws are cited as they are called, and the switch back speaks Chinese.
        left = page.xpath(
            "//body//text()[not(ancestor::*[@lang='zh-CN' or contains(@class, 'law') or contains(@class, 'cited')])]"
        )
        labels = page.css("[title]::attr(title), [aria-label]::attr(aria-label), [placeholder]::attr(placeholder)")
        found = [one.replace(PLATFORM_CLASS, "").strip() for one in (*left.getall(), *labels.getall())]
        assert [one for one in found if CHINESE.search(one)] == [], address


PLATFORM_CLASS = "论坛问答"
"""Titles that an installation's policies give have one language."""


@pytest.mark.django_db
def test_messages_and_errors_are_english_too(enter: Enter) -> None:
    case, reviewer = make_case("plain words"), enter(Role.REVIEWER)
    reviewer.cookies["django_language"] = "en"
    form = {"finding": "confirmed", "version": 1, "category": "bullying"}
    assert messages(reviewer.post(f"/cases/{case.pk}/decide/", form, follow=True)) == [f"{case.number}: Confirm"]
    again = reviewer.post(f"/cases/{case.pk}/decide/", {**form, "back": "/queue/"}, follow=True)
    assert "has just decided: Confirm" in messages(again)[0]
    wrong = reviewer.post(f"/cases/{case.pk}/decide/", {**form, "version": "x", "back": "/queue/"}, follow=True)
    assert messages(wrong) == ["Version “x” cannot be used. Allowed: the version that the page gave"]


def test_categories_have_english_names_and_definitions() -> None:
    for one in load_taxonomy().categories.values():
        assert not CHINESE.search(one.name_en + one.definition_en)


def furnish(enter: Enter) -> dict[str, int]:
    """Fill the pages with cases and a list whose own texts are not Chinese."""
    waiting = make_case("plain words", severity="S3", category="superstition_sales", grade="may_affect")
    done = [make_case("plain words"), make_case("plain words", category="dangerous_acts", grade="may_affect")]
    for case in done:
        user = make_user()
        decisions.decide(case.pk, user, "confirmed", expected_version=1, category=case.category, grade=case.grade)
    enter(Role.LIAISON).post(f"/notices/new/{SITE}/", {"instrument": "REPORT", "case": [done[0].pk]})
    return {"open": waiting.pk, "done": done[0].pk, "notice": Case.objects.get(pk=done[0].pk).notice_line.notice_id}
