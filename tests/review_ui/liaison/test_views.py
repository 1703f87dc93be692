"""Takedown lists through the pages: drafted by one, approved by another, exported as files."""

from __future__ import annotations

import csv
import io
from typing import Any

import openpyxl
import pytest

from casework import decisions
from casework.models import AuditEntry, Case, Notice, NoticeLine, NoticeState, Role, User
from casework.notice_rows import COLUMNS
from tests.casework.factories import SITE, make_case, make_user
from tests.review_ui.conftest import Enter
from tests.review_ui.pages import messages, read, words

pytestmark = pytest.mark.django_db


def confirmed(text: str = "他说你真笨，大家都别理他", **values: Any) -> Case:
    case = make_case(text, **values)
    decisions.decide(case.pk, make_user(), "confirmed", expected_version=1, category=case.category, grade=case.grade)
    return Case.objects.get(pk=case.pk)


def drafted(enter: Enter, by: User, *cases: Case) -> Notice:
    form = {"instrument": "REPORT", "case": [case.pk for case in cases]}
    enter(by).post(f"/notices/new/{SITE}/", form)
    return Notice.objects.latest("pk")


def test_platforms_with_confirmed_cases_wait_to_be_listed(enter: Enter) -> None:
    liaison = enter(Role.LIAISON)
    assert "审核员确认有害之后" in words(liaison.get("/notices/"), ".empty")
    confirmed()
    confirmed(site="demo", section="kids")
    make_case()
    tiles = read(liaison.get("/notices/")).css(".tiles li")
    assert [(one.css("h3::text").get(), one.css("a::attr(href)").get()) for one in tiles] == [
        ("榆钱坡（演示）", "/notices/new/demo/"),
        ("nowhere", "/notices/new/nowhere/"),
    ]


def test_from_confirmed_cases_to_a_file_that_two_people_stand_behind(enter: Enter) -> None:
    case = confirmed()
    first, second = make_user(Role.LIAISON), make_user(Role.LIAISON)
    page = enter(first).get(f"/notices/new/{SITE}/")
    assert read(page).css("input[name=case]::attr(value)").getall() == [str(case.pk)]
    notice = drafted(enter, first, case)
    draft = enter(first).get(f"/notices/{notice.pk}/")
    assert "停止传输，删除、屏蔽或断开链接，保存有关记录并报告" in words(draft, "select")
    assert "真笨" not in draft.content.decode()

    enter(first).post(f"/notices/{notice.pk}/submit/")
    own = enter(first).get(f"/notices/{notice.pk}/")
    assert "起草人不能核准自己的清单" in words(own)
    assert not read(own).css("form[action$='/approve/']")
    enter(first).post(f"/notices/{notice.pk}/approve/")
    assert Notice.objects.get().state == NoticeState.SUBMITTED

    enter(second).post(f"/notices/{notice.pk}/approve/")
    sealed = enter(second).get(f"/notices/{notice.pk}/")
    assert Notice.objects.get().manifest_sha256 in words(sealed)
    rows = exported_csv(enter(second), notice)
    book = exported_xlsx(enter(second), notice)
    assert rows[0] == book[0] == list(COLUMNS)
    assert len(rows) == len(book) == 2
    assert rows[1] == [str(value or "") for value in book[1]]
    line = dict(zip(rows[0], rows[1], strict=True))
    assert line["信息URL"] == case.url
    assert line["初审"] if "初审" in line else line["初审/复核"]
    assert AuditEntry.objects.filter(action="notice.export").count() == 2


def exported_csv(client: Any, notice: Notice) -> list[list[str]]:
    answer = client.post(f"/notices/{notice.pk}/export/csv/")
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{notice.number}.csv"'
    assert answer.headers["Content-Type"].startswith("text/csv")
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))


def exported_xlsx(client: Any, notice: Notice) -> list[list[Any]]:
    answer = client.post(f"/notices/{notice.pk}/export/xlsx/")
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{notice.number}.xlsx"'
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    return [list(row) for row in book.worksheets[0].iter_rows(values_only=True)]


def test_a_list_is_not_exported_before_it_is_approved(enter: Enter) -> None:
    liaison = make_user(Role.LIAISON)
    notice = drafted(enter, liaison, confirmed())
    answer = enter(liaison).post(f"/notices/{notice.pk}/export/xlsx/", {"back": f"/notices/{notice.pk}/"}, follow=True)
    assert "尚未核准" in messages(answer)[0]
    assert not AuditEntry.objects.filter(action="notice.export").exists()


def test_a_line_that_may_not_be_listed_says_so_and_what_to_do(enter: Enter) -> None:
    liaison = make_user(Role.LIAISON)
    case = confirmed(category="dangerous_acts", severity="S2", grade="may_affect")
    notice = drafted(enter, liaison, case)
    page = enter(liaison).get(f"/notices/{notice.pk}/")
    assert "按处置对照表，此类情形不得列入清单" in words(page, ".lines")
    assert "请勾选“未显著提示”" in words(page, ".lines")
    enter(liaison).post(f"/notices/{notice.pk}/submit/")
    assert Notice.objects.get().state == NoticeState.DRAFT

    line = NoticeLine.objects.get()
    back = f"/notices/{notice.pk}/"
    saved = enter(liaison).post(f"/notices/lines/{line.pk}/", {"unlabelled": "on", "back": back})
    assert saved.headers["Location"] == f"{back}#line-{line.pk}"
    assert "作出显著提示" in words(enter(liaison).get(back), "select")
    enter(liaison).post(f"/notices/{notice.pk}/submit/")
    assert Notice.objects.get().state == NoticeState.SUBMITTED


def test_a_line_is_taken_off_and_its_case_waits_again(enter: Enter) -> None:
    liaison = make_user(Role.LIAISON)
    notice = drafted(enter, liaison, confirmed(), confirmed())
    line = NoticeLine.objects.latest("pk")
    back = f"/notices/{notice.pk}/"
    enter(liaison).post(f"/notices/lines/{line.pk}/", {"act": "remove", "back": back})
    assert NoticeLine.objects.count() == 1
    assert "1 件已确认" in words(enter(liaison).get("/notices/"), ".tiles")


def test_nobody_changes_the_draft_of_another(enter: Enter) -> None:
    notice = drafted(enter, make_user(Role.LIAISON), confirmed())
    other = enter(Role.LIAISON)
    assert not read(other.get(f"/notices/{notice.pk}/")).css("form[action*='/notices/']")
    line = NoticeLine.objects.get()
    other.post(f"/notices/lines/{line.pk}/", {"act": "remove"})
    other.post(f"/notices/{notice.pk}/discard/")
    assert NoticeLine.objects.filter(pk=line.pk).exists()


def test_a_list_goes_back_with_a_reason_that_its_preparer_reads(enter: Enter) -> None:
    liaison = make_user(Role.LIAISON)
    notice = drafted(enter, liaison, confirmed())
    enter(liaison).post(f"/notices/{notice.pk}/submit/")
    enter(Role.LEAD).post(f"/notices/{notice.pk}/send-back/", {"reason": "第一行的板块不对"})
    assert "第一行的板块不对" in messages(enter(liaison).get(f"/notices/{notice.pk}/"))[0]


def test_a_draft_is_discarded_and_its_cases_wait_again(enter: Enter) -> None:
    liaison = make_user(Role.LIAISON)
    notice = drafted(enter, liaison, confirmed())
    page = enter(liaison).post(f"/notices/{notice.pk}/discard/", follow=True)
    assert messages(page) == ["草稿已作废，案件退回待列"]
    assert read(page).css(".tiles li")


def test_there_is_help_where_no_list_is(enter: Enter) -> None:
    liaison = enter(Role.LIAISON)
    assert liaison.get("/notices/999/").status_code == 404
    assert "没有等待列入清单的案件" in words(liaison.get(f"/notices/new/{SITE}/"))
