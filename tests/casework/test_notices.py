"""Takedown lists: from one person's draft over another's approval to the file."""

import csv
import io
import json
from datetime import datetime
from typing import Any

import openpyxl
import pypdf
import pytest

from casework import canonical, decisions, notice_pdf, notice_rows, notices
from casework.errors import CaseworkError, InvalidInput, NotAllowed, NotFound
from casework.models import AuditEntry, Case, CaseState, Notice, NoticeLine, NoticeState, Role, User
from config.sealing import sealed
from config.settings import get_settings
from tests.casework.factories import SITE, make_case, make_restricted_case, make_user
from tests.casework.threads import at_once

pytestmark = [pytest.mark.django_db, pytest.mark.modes]


def confirmed(text: str = "他说你真笨，大家都别理他", **values: Any) -> Case:
    """A case that a reviewer has confirmed."""
    case = make_case(text, **values)
    decisions.decide(case.pk, make_user(), "confirmed", expected_version=1, category=case.category, grade=case.grade)
    case.refresh_from_db()
    return case


def drafted(*cases: Case, by: User | None = None, instrument: str = "REPORT") -> Notice:
    return notices.draft(SITE, instrument, by or make_user(Role.LIAISON), [case.pk for case in cases or (confirmed(),)])


def approved(*cases: Case, instrument: str = "REPORT") -> Notice:
    notice = drafted(*cases, instrument=instrument)
    notices.submit(notice, notice.prepared_by)
    return notices.approve(notice, make_user(Role.LEAD))


def names(line: NoticeLine) -> list[str]:
    return [one.name for one in notices.allowed_dispositions(line)]


def test_a_list_takes_confirmed_cases_of_one_site_in_order() -> None:
    first, second = confirmed(), confirmed()
    notice = drafted(second, first)
    assert [(line.position, line.case) for line in notice.lines.all()] == [(1, first), (2, second)]
    assert notice.number.startswith("SW-")
    assert notice.number.endswith("-001")
    assert drafted().number.endswith("-002")


def test_what_may_be_listed_is_offered_and_nothing_else() -> None:
    fitting = confirmed()
    make_case()
    make_restricted_case(state=CaseState.CONFIRMED)
    confirmed(site="elsewhere")
    drafted(confirmed())
    liaison = make_user(Role.LIAISON)
    assert list(notices.eligible(SITE, liaison)) == [fitting]
    assert notices.sites_waiting(liaison) == [("elsewhere", 1), (SITE, 1)]
    with pytest.raises(NotAllowed):
        notices.sites_waiting(make_user(Role.REVIEWER))


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"state": CaseState.OPEN}, NotFound),
        ({"site": "elsewhere", "state": CaseState.CONFIRMED}, InvalidInput),
        ({"state": CaseState.DISMISSED}, NotFound),
    ],
)
def test_what_does_not_fit_is_refused_whole(values: dict[str, Any], error: type[CaseworkError]) -> None:
    with pytest.raises(error):
        drafted(confirmed(), make_case(**values))
    assert (Notice.objects.count(), NoticeLine.objects.count()) == (0, 0)


def test_a_case_is_on_one_list_only() -> None:
    case = confirmed()
    notice = drafted(case)
    with pytest.raises(InvalidInput, match="已在清单上"):
        drafted(case)
    notices.remove_line(notice.lines.get().pk, notice.prepared_by)
    assert drafted(case).lines.get().case == case


@pytest.mark.parametrize("role", [Role.LIAISON, Role.LEAD])
def test_what_goes_to_the_police_is_never_listed(role: Role) -> None:
    imminent = [{"start": 0, "end": 1, "slug": "self_harm", "reason": "rule:self_harm.imminent"}]
    self_harm = make_case(category="self_harm", severity="S0", spans=imminent, state=CaseState.CONFIRMED)
    for case in (make_restricted_case(state=CaseState.CONFIRMED), self_harm):
        with pytest.raises(NotAllowed, match="公安"):
            drafted(case, by=make_user(role))


@pytest.mark.parametrize("role", [Role.REVIEWER, Role.VOLUNTEER, Role.DUTY, Role.ADMIN])
def test_others_prepare_no_lists(role: Role) -> None:
    with pytest.raises(NotAllowed):
        drafted(confirmed(), by=make_user(role))


def test_an_unknown_instrument_is_named() -> None:
    with pytest.raises(InvalidInput, match="REPORT"):
        drafted(instrument="LETTER")


@pytest.mark.parametrize(
    ("values", "flags", "asked"),
    [
        ({"category": "bullying", "grade": "illegal"}, {}, ["停止传输"]),
        ({"category": "bullying", "grade": "illegal", "kid_zone": True}, {}, ["停止传输"]),
        ({"category": "sexual_suggestion", "grade": "bad", "kid_zone": True}, {}, ["移出专门面向未成年人"]),
        ({"category": "sexual_suggestion", "grade": "may_affect", "kid_zone": True}, {}, ["移出专门面向未成年人"]),
        ({"category": "sexual_suggestion", "grade": "bad", "prominent": True}, {}, ["醒目位置"]),
        ({"category": "dangerous_acts", "grade": "may_affect", "prominent": True}, {}, ["醒目位置"]),
        ({"category": "dangerous_acts", "grade": "may_affect"}, {"unlabelled": True}, ["显著提示"]),
        ({"category": "dangerous_acts", "grade": "may_affect"}, {}, []),
        ({"category": "sexual_suggestion", "grade": "bad"}, {}, []),
        ({"category": "minor_privacy", "grade": "illegal"}, {}, ["不建议处罚账号"]),
        ({"category": "bullying", "grade": "illegal"}, {"minor_author": True}, ["不建议处罚账号"]),
    ],
)
def test_each_line_asks_for_what_the_table_allows(
    values: dict[str, Any], flags: dict[str, bool], asked: list[str]
) -> None:
    notice = drafted(confirmed(**values))
    line = notices.set_flags(
        notice.lines.get().pk, notice.prepared_by, **({"unlabelled": False, "minor_author": False} | flags)
    )
    allowed = names(line)
    assert bool(allowed) == bool(asked)
    for words in asked:
        assert any(words in name for name in allowed)
    assert bool(notices.problems(line)) == (not asked)
    assert (line.disposition == "") == (not asked)


def test_a_remedy_that_the_table_does_not_allow_is_refused() -> None:
    notice = drafted()
    line = notice.lines.get()
    with pytest.raises(InvalidInput) as caught:
        notices.set_disposition(line.pk, "close_account", notice.prepared_by)
    assert line.disposition in caught.value.allowed
    NoticeLine.objects.update(disposition="close_account")
    line.refresh_from_db()
    assert "不在对照表" in notices.problems(line)[0]


def test_a_line_that_fails_stops_the_list_and_says_why() -> None:
    good, bad = confirmed(), confirmed(category="dangerous_acts", grade="may_affect", severity="S2")
    notice = drafted(good, bad)
    with pytest.raises(InvalidInput) as caught:
        notices.submit(notice, notice.prepared_by)
    assert "第2行" in str(caught.value.found)
    assert bad.number in str(caught.value.found)
    assert "第1行" not in str(caught.value.found)
    notices.remove_line(notice.lines.get(case=bad).pk, notice.prepared_by)
    assert notices.submit(notice, notice.prepared_by).state == NoticeState.SUBMITTED


def test_an_empty_list_is_not_submitted() -> None:
    notice = drafted()
    notices.remove_line(notice.lines.get().pk, notice.prepared_by)
    with pytest.raises(InvalidInput, match="至少一行"):
        notices.submit(notice, notice.prepared_by)


def test_whoever_prepares_a_list_cannot_approve_it() -> None:
    lead = make_user(Role.LEAD)
    notice = drafted(by=lead)
    notices.submit(notice, lead)
    with pytest.raises(NotAllowed, match="另一人"):
        notices.approve(notice, lead)
    with pytest.raises(NotAllowed, match="另一人"):
        notices.send_back(notice, lead, "再看")
    assert notices.approve(notice, make_user(Role.LIAISON)).state == NoticeState.APPROVED


def test_only_the_preparer_changes_a_draft() -> None:
    notice, other = drafted(), make_user(Role.LEAD)
    line = notice.lines.get()
    for act in (
        lambda: notices.set_disposition(line.pk, line.disposition, other),
        lambda: notices.set_flags(line.pk, other, unlabelled=True, minor_author=False),
        lambda: notices.remove_line(line.pk, other),
        lambda: notices.add_cases(notice, other, [confirmed().pk]),
        lambda: notices.submit(notice, other),
        lambda: notices.discard(notice, other),
    ):
        with pytest.raises(NotAllowed, match=notice.prepared_by.staff_no):
            act()


def test_a_list_that_was_sent_back_is_changed_and_submitted_again() -> None:
    notice, lead = drafted(), make_user(Role.LEAD)
    notices.submit(notice, notice.prepared_by)
    with pytest.raises(NotAllowed):
        notices.remove_line(notice.lines.get().pk, notice.prepared_by)
    with pytest.raises(InvalidInput):
        notices.send_back(notice, lead, " ")
    assert notices.send_back(notice, lead, "第1行请核对").sent_back_reason == "第1行请核对"
    notices.add_cases(notice, notice.prepared_by, [confirmed().pk])
    notices.submit(notice, notice.prepared_by)
    assert notices.approve(notice, lead).sent_back_reason == ""
    assert notice.lines.count() == 2


def test_a_discarded_draft_frees_its_cases_but_not_its_number() -> None:
    case = confirmed()
    notice = drafted(case)
    notices.discard(notice, notice.prepared_by)
    assert drafted(case).number.endswith("-002")


def test_an_approved_list_is_sealed() -> None:
    notice = approved()
    assert notice.sealed is not None
    assert notice.manifest_sha256 == canonical.sha256(canonical.dumps(notice.sealed))
    assert notice.sealed["approved_by"] != notice.sealed["prepared_by"]
    for act in (notices.submit, notices.discard):
        with pytest.raises(NotAllowed):
            act(notice, notice.prepared_by)


def test_a_list_is_exported_only_when_approved_and_whole() -> None:
    lead, draft = make_user(Role.LEAD), drafted()
    with pytest.raises(NotAllowed, match="尚未核准"):
        notices.export(draft, "csv", lead)
    notice = approved()
    with pytest.raises(InvalidInput, match="csv"):
        notices.export(notice, "docx", lead)
    with pytest.raises(NotAllowed):
        notices.export(notice, "csv", make_user(Role.REVIEWER))
    assert notice.sealed is not None
    notice.sealed["rows"][0]["信息URL"] = "https://forum.example/other"
    notice.save()
    with pytest.raises(NotAllowed, match="摘要不符"):
        notices.export(notice, "csv", lead)


def test_each_export_names_its_exporter() -> None:
    notice, lead = approved(), make_user(Role.LEAD)
    content = notices.export(notice, "json", lead)
    entry = AuditEntry.objects.get(action="notice.export")
    assert (entry.actor, entry.subject) == (lead.staff_no, f"notice:{notice.pk}")
    assert entry.details == {"number": notice.number, "format": "json", "sha256": canonical.sha256(content)}


def test_a_row_says_what_the_list_must_say() -> None:
    case = confirmed(
        "他说你真笨 \n" + "一" * 200,
        kid_zone=True,
        position=3,
        undone=[{"start": 0, "end": 1, "seen": "x", "read_as": "y", "kind": "k"}],
        published_at=datetime.fromisoformat("2026-11-19T23:00:00+00:00"),
    )
    notice = approved(case, instrument="AUTHORITY_NOTICE_ATTACHMENT")
    assert notice.sealed is not None
    (row,) = notice.sealed["rows"]
    assert list(row) == list(notice_rows.COLUMNS)
    assert len(notice_rows.COLUMNS) == 30
    assert (row["清单编号"], row["文书性质"], row["账号"]) == (notice.number, "行政通知附件", "")
    assert (row["信息URL"], row["平台内容ID"]) == (case.url, case.unit)
    assert (row["kid_zone"], row["prominent"], row["内容形态"]) == ("是", "否", "评论")
    assert row["发布时间"] == "2026-11-20T07:00:00+08:00"
    assert row["采集时间"] == "2026-11-20T16:30:00+08:00"
    assert len(row["脱敏摘要"]) == 120
    assert "\n" not in row["脱敏摘要"]
    assert row["类别码/名称"].startswith("M07 ")
    assert (row["定性"], row["严重等级"]) == ("疑似违法", "S1")
    assert "未成年人保护法》第77条" in row["法律依据"]
    assert "变体规避" in row["情形标记"]
    assert row["建议处置"].startswith("要求依法处置：")
    assert "+08:00 前（建议）" in row["建议时限"]
    assert row["证据包号"].startswith("EV-")
    assert (len(row["SHA-256"]), len(row["SM3"])) == (64, 64)
    assert row["初审/复核"].endswith(f"/{notice.approved_by.staff_no}")  # type: ignore[union-attr]


def test_a_list_says_the_address_as_it_is_where_pages_show_it_masked() -> None:
    url, key = "https://forum.example/t/call-13800001234/55", get_settings().effective_redaction_key()
    case = confirmed(url="https://forum.example/t/call-~phone-abcdefghij/55", sealed_url=sealed(url, key))
    notice = approved(case)
    assert notice.sealed is not None
    assert notice.sealed["rows"][0]["信息URL"] == url


def test_an_address_that_was_sealed_with_another_key_stops_the_list_and_says_so() -> None:
    case = confirmed(sealed_url=sealed("https://forum.example/t/call-13800001234/55", b"another"))
    notice = drafted(case)
    assert notices.problems(notice.lines.get()) == ["信息URL以另一密钥封存，无法还原"]
    with pytest.raises(InvalidInput):
        notices.submit(notice, notice.prepared_by)


def test_csv_is_read_back_as_it_was_sealed() -> None:
    notice = approved(confirmed('引号"逗号,换行\n完'), confirmed())
    content = notices.export(notice, "csv", make_user(Role.LIAISON))
    assert content.startswith(b"\xef\xbb\xbf")
    assert content.count(b"\r\n") == 3
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    assert notice.sealed is not None
    assert rows == notice.sealed["rows"]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "＝"])
def test_a_cell_that_looks_like_a_formula_is_disarmed(start: str) -> None:
    notice = approved(confirmed(f"{start}HYPERLINK(1)"))
    text = notices.export(notice, "csv", make_user(Role.LIAISON)).decode("utf-8-sig")
    (row,) = csv.DictReader(io.StringIO(text, newline=""))
    assert row["脱敏摘要"] == f"'{start}HYPERLINK(1)"
    sheet = openpyxl.load_workbook(io.BytesIO(notices.export(notice, "xlsx", make_user(Role.LIAISON)))).active
    assert sheet is not None
    cell = sheet.cell(2, notice_rows.COLUMNS.index("脱敏摘要") + 1)
    assert (cell.value, cell.data_type) == (f"{start}HYPERLINK(1)", "s")


def test_xlsx_is_read_back_as_it_was_sealed() -> None:
    notice = approved(confirmed(), confirmed())
    content = notices.export(notice, "xlsx", make_user(Role.LIAISON))
    sheet = openpyxl.load_workbook(io.BytesIO(content)).active
    assert sheet is not None
    assert sheet.freeze_panes == "A2"
    header, *rows = ([cell or "" for cell in row] for row in sheet.iter_rows(values_only=True))
    assert header == list(notice_rows.COLUMNS)
    assert notice.sealed is not None
    assert rows == [list(row.values()) for row in notice.sealed["rows"]]
    assert all(cell.data_type in ("s", "n") and not isinstance(cell.value, int) for row in sheet for cell in row)


def test_json_carries_the_digest_of_the_seal() -> None:
    notice = approved()
    exported = json.loads(notices.export(notice, "json", make_user(Role.LIAISON)))
    assert exported.pop("manifest_sha256") == canonical.sha256(canonical.dumps(exported))


@pytest.mark.django_db(transaction=True)
def test_of_two_lists_that_want_the_same_case_at_the_same_instant_one_gets_it() -> None:
    case, people = confirmed(), [make_user(Role.LIAISON) for _ in range(3)]

    def act(number: int) -> bool:
        try:
            notices.draft(SITE, "REPORT", people[number], [case.pk])
        except InvalidInput:
            return False
        return True

    assert sorted(at_once(3, act)) == [False, False, True]


def test_a_pdf_says_in_chinese_what_was_sealed_and_bears_its_digest() -> None:
    notice = approved(confirmed("他说你真笨，<b>大家</b>都别理他"), confirmed())
    content = notices.export(notice, "pdf", make_user(Role.LIAISON))
    pages = [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(content)).pages]
    whole = "".join("".join(pages).split())

    assert notice.sealed is not None
    assert notice.number in whole
    assert all(notice.manifest_sha256 in "".join(page.split()) for page in pages)
    for row in notice.sealed["rows"]:
        assert "".join(row["信息URL"].split()) in whole
        assert "".join(row["法律依据"].split()) in whole
    assert "他说你真笨，<b>大家</b>都别理他" in whole


def test_nothing_is_fetched_for_a_pdf() -> None:
    with pytest.raises(ValueError, match="nothing is fetched"):
        notice_pdf._nothing("https://forum.example/a.png")
