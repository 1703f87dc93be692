"""What has to go, goes, and a count proves it."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from casework import cases, decisions, evidence, intake, notices, retention
from casework.errors import NothingToUndo
from casework.models import (
    UNDECIDED,
    AuditEntry,
    Batch,
    Case,
    CaseState,
    Decision,
    InboxItem,
    Notice,
    NoticeState,
    Role,
    SeenCapture,
    Signature,
)
from tests.casework.factories import SITE, make_capture, make_case, make_restricted_case, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.modes]
MONTH = timedelta(days=30, seconds=1)


def dismissed(ago: timedelta = timedelta()) -> Case:
    case = make_case()
    decisions.decide(case.pk, make_user(), "dismissed", expected_version=1)
    Decision.objects.filter(case=case).update(decided_at=timezone.now() - ago)
    return case


def test_a_dismissed_case_keeps_its_text_for_thirty_days_then_digest_and_verdict() -> None:
    old, new = dismissed(MONTH), dismissed()
    purge = retention.purge()
    assert (purge.found["dismissed"], purge.purged["dismissed"], purge.left["dismissed"]) == (1, 1, 0)
    old.refresh_from_db()
    new.refresh_from_db()
    assert (old.text, old.folded, old.state, len(old.text_sha256), old.version) == ("", "", "dismissed", 64, 3)
    assert new.text
    with pytest.raises(NothingToUndo):
        decisions.undo(old.pk, Decision.objects.get(case=old).decided_by)


def test_personal_data_in_an_address_goes_with_the_text_unless_a_list_needs_it() -> None:
    harmless, harmful = dismissed(MONTH), make_case()
    decisions.decide(harmful.pk, make_user(), "confirmed", expected_version=1, category="bullying")
    notices.draft(SITE, "REPORT", make_user(Role.LIAISON), [harmful.pk])
    both = Case.objects.filter(pk__in=[harmless.pk, harmful.pk])
    both.update(sealed_url="sealed")
    cases.strip_text(both)
    assert [both.get(pk=one.pk).sealed_url for one in (harmless, harmful)] == ["", "sealed"]


def test_a_dry_run_counts_and_changes_nothing() -> None:
    case = dismissed(MONTH)
    purge = retention.purge(dry_run=True)
    assert (purge.dry_run, purge.found["dismissed"], purge.purged) == (True, 1, {})
    case.refresh_from_db()
    assert case.text
    assert not AuditEntry.objects.filter(action="retention.purge").exists()


def test_a_purge_leaves_its_figures_in_the_audit_log() -> None:
    case = dismissed(MONTH)
    retention.purge()
    entry = AuditEntry.objects.get(action="retention.purge")
    assert (entry.actor, entry.details["purged"]["dismissed"]) == ("system", 1)
    assert AuditEntry.objects.get(action="case.purge").details == {"cases": [case.pk]}
    retention.purge()
    assert AuditEntry.objects.filter(action="retention.purge").count() == 1


def test_what_was_dismissed_again_keeps_its_text_from_then() -> None:
    case = make_case()
    user = make_user()
    decisions.decide(case.pk, user, "dismissed", expected_version=1)
    decisions.undo(case.pk, user)
    Decision.objects.update(decided_at=timezone.now() - MONTH)
    decisions.decide(case.pk, user, "dismissed", expected_version=3)
    assert retention.purge().purged["dismissed"] == 0


def test_the_sealed_text_of_a_case_that_was_dismissed_after_all_goes_too() -> None:
    case, user = make_case(), make_user(Role.LEAD)
    decisions.decide(case.pk, user, "confirmed", expected_version=1, category="bullying")
    decisions.undo(case.pk, user)
    decisions.decide(case.pk, user, "dismissed", expected_version=3)
    Decision.objects.update(decided_at=timezone.now() - MONTH)
    retention.purge()
    assert evidence.latest(case) is None
    assert evidence.verify_all() == []


def test_captures_that_wait_for_more_than_a_day_are_reported_and_not_dropped() -> None:
    intake.receive([make_capture(), make_capture()])
    assert retention.overdue()["inbox"] == 0
    Batch.objects.update(created_at=timezone.now() - timedelta(hours=25))
    purge = retention.purge()
    assert (purge.found["inbox"], purge.left["inbox"], InboxItem.objects.count()) == (2, 2, 2)


def test_out_of_scope_cases_are_purged_with_the_rest() -> None:
    case = make_case()
    decisions.decide(case.pk, make_user(), "out_of_scope", expected_version=1)
    purge = retention.purge(now=timezone.now() + timedelta(seconds=61))
    assert (purge.purged["out_of_scope"], purge.left["out_of_scope"]) == (1, 0)


def test_the_sealed_text_of_a_case_that_was_out_of_scope_after_all_goes_too() -> None:
    case, user = make_case(), make_user()
    decisions.decide(case.pk, user, "confirmed", expected_version=1, category="bullying")
    decisions.undo(case.pk, user)
    decisions.decide(case.pk, user, "out_of_scope", expected_version=3)
    assert cases.purge_due(timezone.now() + timedelta(seconds=61)) == 1
    assert evidence.latest(case) is None


def test_a_file_that_no_row_knows_goes_after_a_day(files_folder: Path) -> None:
    known = evidence.seal(make_case(), make_user())
    lost = files_folder / "evidence" / "ab" / "lost.json"
    lost.parent.mkdir(parents=True)
    lost.write_text("{}")
    assert retention.purge().purged["orphaned_files"] == 0
    assert retention.purge(now=timezone.now() + timedelta(days=1, minutes=1)).purged["orphaned_files"] == 1
    assert not lost.exists()
    assert (files_folder / known.path).exists()


def test_what_was_seen_once_stays_seen() -> None:
    intake.receive([make_capture()])
    retention.purge(now=timezone.now() + timedelta(days=4000))
    assert SeenCapture.objects.count() == 1


def test_a_confirmed_case_keeps_its_text_until_half_a_year_after_its_list_was_approved() -> None:
    approved, drafted, liaison, other = make_case(), make_case(), make_user(Role.LIAISON), make_user(Role.LEAD)
    for case in (approved, drafted):
        decisions.decide(case.pk, make_user(), "confirmed", expected_version=1, category="bullying")
    notices.draft(SITE, "REPORT", liaison, [drafted.pk])
    listed = notices.draft(SITE, "REPORT", liaison, [approved.pk])
    Notice.objects.filter(pk=listed.pk).update(
        state=NoticeState.APPROVED, approved_by=other, approved_at=timezone.now() - timedelta(days=180, seconds=1)
    )
    purge = retention.purge()
    assert (purge.purged["handled"], purge.left["handled"]) == (1, 0)
    approved.refresh_from_db()
    drafted.refresh_from_db()
    assert (approved.text, approved.state, len(approved.text_sha256)) == ("", "confirmed", 64)
    assert evidence.latest(approved) is None
    assert drafted.text
    assert evidence.verify_all() == []


HALF_A_YEAR = timedelta(days=180, seconds=1)


def confirmed(ago: timedelta = timedelta()) -> Case:
    case = make_case()
    decisions.decide(case.pk, make_user(), "confirmed", expected_version=1, category="bullying")
    Decision.objects.filter(case=case).update(decided_at=timezone.now() - ago)
    return case


def police(case: Case, ago: timedelta = timedelta()) -> Case:
    decisions.decide(case.pk, make_user(Role.DUTY), "police", expected_version=case.version, reason="已移交")
    Decision.objects.filter(case=case).update(decided_at=timezone.now() - ago)
    return case


def text_of(case: Case) -> str:
    return Case.objects.get(pk=case.pk).text


def test_a_confirmed_case_that_is_on_no_list_keeps_its_text_for_half_a_year() -> None:
    old, new = confirmed(HALF_A_YEAR), confirmed()
    Case.objects.filter(pk=old.pk).update(sealed_url="sealed")
    dry = retention.purge(dry_run=True)
    assert (dry.found["unlisted"], bool(text_of(old))) == (1, True)
    purge = retention.purge()
    assert (purge.purged["unlisted"], purge.left["unlisted"]) == (1, 0)
    old.refresh_from_db()
    assert (old.text, old.sealed_url, old.state, len(old.text_sha256)) == ("", "", "confirmed", 64)
    assert evidence.latest(old) is None
    assert text_of(new)
    assert AuditEntry.objects.get(action="case.purge", subject="rule:unlisted").details == {"cases": [old.pk]}


def test_a_case_on_a_list_that_nobody_approved_is_reported_and_keeps_its_text() -> None:
    case = confirmed(HALF_A_YEAR)
    notices.draft(SITE, "REPORT", make_user(Role.LIAISON), [case.pk])
    purge = retention.purge()
    assert (purge.found["unlisted"], purge.found["unfinished_lists"], purge.left["unfinished_lists"]) == (0, 1, 1)
    assert text_of(case)


def test_what_was_confirmed_again_keeps_its_text_from_then() -> None:
    case = confirmed(HALF_A_YEAR)
    lead = make_user(Role.LEAD)
    decisions.decide(case.pk, lead, "reopened", expected_version=2, reason="复议")
    decisions.decide(case.pk, lead, "confirmed", expected_version=3, category="bullying")
    assert retention.purge().purged["unlisted"] == 0
    assert text_of(case)


def test_a_case_that_went_to_the_police_keeps_its_text_for_half_a_year() -> None:
    old, new = police(make_case(), HALF_A_YEAR), police(make_case())
    purge = retention.purge()
    assert (purge.found["police"], purge.purged["police"], purge.left["police"]) == (1, 1, 0)
    old.refresh_from_db()
    assert (old.text, old.folded, old.state, len(old.text_sha256)) == ("", "", "police", 64)
    assert evidence.latest(old) is None
    assert text_of(new)


def test_a_restricted_case_loses_its_address_and_digest_after_three_years() -> None:
    old, new = police(make_restricted_case(), HALF_A_YEAR), police(make_restricted_case(), HALF_A_YEAR)
    Case.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=3 * 366))
    purge = retention.purge()
    assert (purge.purged["police"], purge.purged["restricted"], purge.left["restricted"]) == (0, 1, 0)
    old.refresh_from_db()
    assert (old.url, old.canonical_url, old.unit, old.thread, old.text_sha256) == ("", "", "", None, "")
    assert (old.state, old.category, old.purged_at is None) == ("police", "sexual_exploitation", False)
    assert not Signature.objects.filter(case=old).exists()
    assert Case.objects.get(pk=new.pk).url
    assert retention.purge().purged["restricted"] == 0


def test_a_restricted_case_that_nobody_has_decided_is_reported_and_kept() -> None:
    case = make_restricted_case()
    purge = retention.purge(now=timezone.now() + timedelta(days=3 * 366))
    assert (purge.found["restricted"], purge.left["undecided_restricted"]) == (0, 1)
    assert Case.objects.get(pk=case.pk).url


@pytest.mark.parametrize("state", [one for one in CaseState if one not in UNDECIDED])
def test_whatever_has_been_decided_loses_its_text_in_the_end(state: CaseState) -> None:
    make_case(state=state, purge_after=timezone.now() if state == CaseState.OUT_OF_SCOPE else None)
    retention.purge(now=timezone.now() + timedelta(days=2000))
    assert Case.objects.get().text == ""
