"""The lead's start page: counts, the state of every part, what waits, and the audit log."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone

import config.policy
from casework import activations, audit, status
from casework.models import AuditEntry, Batch, Case, CaseState, Heartbeat, Role
from config.settings import get_settings
from review_ui.words import ACTS
from tests.casework.factories import make_case, make_restricted_case, make_user
from tests.review_ui.conftest import Enter
from tests.review_ui.pages import messages, read, words

pytestmark = pytest.mark.django_db


def test_the_figures_say_how_things_stand(enter: Enter, at_work: None) -> None:
    make_case()
    make_case(category="gambling", severity="S2")
    make_case(state=CaseState.ESCALATED)
    page = enter(Role.LEAD).get("/lead/")
    tiles = words(page, ".numbers")
    assert "2 待审核" in tiles
    assert "1 已上报，等待处理" in tiles
    assert "待审核 2 · 已上报 1" in words(page)
    assert "S1 严重 1 · S2 一般 1" in words(page)
    assert "✓ 正常 后台处理 1 个在工作" in words(page, ".parts")
    assert read(page).css(".numbers a::attr(href)").getall() == ["/queue/", "/queue/?state=escalated", "/notices/"]


def test_a_disk_that_is_full_or_gone_is_named_and_the_page_stays(enter: Enter, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone() -> int:
        raise OSError("Stale file handle")

    lead = enter(Role.LEAD)
    monkeypatch.setattr(status, "room", lambda: 12 * 2**20)
    assert "磁盘 剩余 12 MB" in words(lead.get("/lead/"), ".parts")
    monkeypatch.setattr(status, "room", gone)
    page = lead.get("/lead/")
    assert page.status_code == 200
    assert "磁盘" in words(page, ".parts")


def test_what_leads_to_a_list_counts_what_this_person_finds_there(enter: Enter) -> None:
    now = timezone.now()
    make_case(severity="S1", due_at=now)
    make_restricted_case(due_at=now)
    make_restricted_case(state=CaseState.ESCALATED)
    lead = enter(Role.LEAD)
    page = lead.get("/lead/")
    assert "已超时 1 件，即将到时限 0 件" in words(page, ".wrong")
    assert "0 已上报，等待处理" in words(page, ".numbers")
    assert "已超时 1 件，即将到时限 0 件" in words(lead.get("/queue/due/"))


def test_a_part_that_is_away_is_said_in_words(enter: Enter) -> None:
    page = enter(Role.LEAD).get("/lead/")
    assert "✕ 故障 后台处理" in words(page, ".parts")
    assert "✓ 正常 数据库 SQLite" in words(page, ".parts")


def test_the_days_are_drawn_and_can_be_read(enter: Enter) -> None:
    for ago in (0, 0, 3, 20):
        case = make_case()
        Case.objects.filter(pk=case.pk).update(created_at=timezone.now() - timedelta(days=ago))
    page = read(enter(Role.LEAD).get("/lead/"))
    assert [one.get() for one in page.css("table.sr td::text")][-4:] == ["1", "0", "0", "2"]
    heights = page.css(".days rect:not(.ground)::attr(height)").getall()
    assert len(heights) == 14
    assert heights[-1] == "100"
    assert heights[-4] == "50"


def test_what_failed_is_shown_with_what_to_do(enter: Enter) -> None:
    Batch.objects.create(failed_at=timezone.now(), error="ValueError in the model")
    page = enter(Role.ADMIN).get("/lead/")
    assert "ValueError in the model" in words(page, ".wrong")
    assert "woodpecker sweep --failed" in words(page, ".wrong")


def test_crawls_are_named_by_the_site_they_read(enter: Enter) -> None:
    Heartbeat.objects.create(name="crawl:demo", kind="crawl", at=timezone.now())
    assert "榆钱坡（演示） 最近一次" in words(enter(Role.LEAD).get("/lead/"))


def test_the_audit_log_is_told_in_words_and_checked_on_demand(enter: Enter) -> None:
    user, case = make_user(), make_case()
    audit.record("case.reveal", user, case)
    lead = enter(Role.LEAD)
    assert f"{user.staff_no} 查看原文 {case.number}" in words(lead.get("/lead/"), ".history")
    whole = messages(lead.post("/lead/audit/verify/", follow=True))
    assert whole == [f"审计日志完整，共 {AuditEntry.objects.count()} 条"]


def test_a_broken_chain_is_named_where_it_breaks(enter: Enter) -> None:
    for _ in range(3):
        audit.record("case.reveal", make_user(), make_case())
    lead = enter(Role.LEAD)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM casework_auditentry WHERE sequence = 2")
    told = messages(lead.post("/lead/audit/verify/", follow=True))
    assert told == ["审计日志在第 2 条断裂：条目缺失"]


def test_whoever_keeps_the_accounts_sees_figures_and_no_case(enter: Enter) -> None:
    make_case("一句难听的话")
    page = enter(Role.ADMIN).get("/lead/")
    assert not read(page).css("a[href^='/queue/'], a[href^='/cases/']")
    assert "1 待审核" in words(page, ".numbers")


def test_every_act_of_the_audit_log_has_its_words() -> None:
    code = "\n".join(path.read_text("utf-8") for path in Path(audit.__file__).parent.glob("*.py"))
    recorded = set(re.findall(r'audit\.record\(\s*"([a-z_.]+)"', code)) | {"account.open", "account.close"}
    assert recorded <= ACTS.keys()


def test_a_wrong_policy_file_is_named_and_changes_of_policies_are_listed(
    enter: Enter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = get_settings().model_copy(update={"policy_dir": tmp_path})
    monkeypatch.setattr(config.policy, "get_settings", lambda: own)
    (tmp_path / "sites").mkdir()
    (tmp_path / "sites" / "mumian.yaml").write_text("class: [", "utf-8")
    activations.note(config.policy.load_site("demo"), "", make_user(Role.LEAD), reason="试行", backtest={"lost": 1})
    page = words(enter(Role.LEAD).get("/lead/"))
    assert "有错的策略文件" in page
    assert "mumian.yaml" in page
    assert "已回测 试行" in page
