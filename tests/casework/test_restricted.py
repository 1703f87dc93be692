"""sexual_exploitation: whatever happens to such a case, its text is in no table and in no file.

The text is a neutral marker; a stand-in for the classifier's answer says that it is restricted.
"""

from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.db.models import Model

from casework import annotations, cases, dead_letters, decisions, evidence, exposure, intake, notices, restricting
from casework.errors import CaseworkError, NotAllowed
from casework.models import Case, Role, Stage
from classifiers.assessment import Span, Undone
from tests.casework.factories import SITE, make_assessment, make_capture, make_case, make_user

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.modes]
MARKER = "独有标记甲乙丙丁戊"


def tables_that_hold(marker: str) -> set[str]:
    """Search every column of every table for the marker, as text and as JSON escapes."""
    escaped = marker.encode("unicode_escape").decode("ascii")
    found = set()
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            content = repr(cursor.fetchall())
            if marker in content or escaped in content or escaped.replace("\\", "\\\\") in content:
                found.add(table)
    return found


def files_that_hold(marker: str, folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*") if path.is_file() and marker.encode() in path.read_bytes()}


def arrive(**values: Any) -> Case:
    capture = make_capture(f"前文{MARKER}后文", thread="t-1", position=2, evidence="responses/1", **values)
    batch_id = intake.receive([capture]).batch_ids[0]
    assessment = make_assessment(
        {"sexual_exploitation": 0.4, "bullying": 0.95, "pornography": 0.9},
        spans=[Span(start=2, end=11, slug="sexual_exploitation", reason="rule:marker")],
        undone=[Undone(start=2, end=11, seen=MARKER, read_as=MARKER, kind="stand-in")],
    )
    (case_id,) = intake.complete(batch_id, [(capture, assessment)])
    return Case.objects.get(pk=case_id)


def test_the_search_finds_what_is_there() -> None:
    make_case(MARKER)
    intake.receive([make_capture(MARKER)])
    assert tables_that_hold(MARKER) == {"casework_case", "casework_inboxitem"}


def test_once_assessed_the_text_is_nowhere(files_folder: Path) -> None:
    case = arrive()
    assert case.restricted
    assert tables_that_hold(MARKER) == set()
    assert files_that_hold(MARKER, files_folder) == set()


def test_through_its_whole_life_the_text_stays_nowhere(files_folder: Path) -> None:
    case, duty = arrive(), make_user(Role.DUTY)
    decisions.decide(case.pk, duty, "escalated", expected_version=1, reason="转公安")
    decisions.decide(case.pk, duty, "confirmed", expected_version=2, category="sexual_exploitation")
    decisions.undo(case.pk, duty)
    decisions.decide(case.pk, duty, "confirmed", expected_version=4, category="sexual_exploitation")
    with pytest.raises(NotAllowed):
        exposure.reveal(Case.objects.get(pk=case.pk), duty)
    with pytest.raises(NotAllowed):
        notices.draft(SITE, "REPORT", make_user(Role.LIAISON), [case.pk])
    assert annotations.next_case(make_user(Role.VOLUNTEER)) is None
    assert evidence.verify_all() == []
    assert tables_that_hold(MARKER) == set()
    assert files_that_hold(MARKER, files_folder) == set()


def test_an_ordinary_case_that_turns_out_to_be_restricted_loses_its_text_and_its_sealed_package(
    files_folder: Path,
) -> None:
    case, reviewer = (
        make_case(MARKER, spans=[{"start": 0, "end": 2, "slug": "bullying", "reason": MARKER}]),
        make_user(),
    )
    decisions.decide(case.pk, reviewer, "confirmed", expected_version=1, category="bullying")
    assert files_that_hold(MARKER, files_folder)
    decisions.undo(case.pk, reviewer)
    decisions.decide(case.pk, reviewer, "escalated", expected_version=3, category="sexual_exploitation")
    assert tables_that_hold(MARKER) == set()
    assert files_that_hold(MARKER, files_folder) == set()
    assert evidence.verify_all() == []


def test_the_index_is_written_over_before_the_answer_and_does_not_wait_for_a_worker(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[tuple[int, int, str]] = []

    class Told:
        def sync(self, case_ids: list[int]) -> None:
            told.extend(Case.objects.filter(pk__in=case_ids).values_list("pk", "version", "folded"))

    monkeypatch.setattr(restricting, "get_search", Told)
    case, other, reviewer = make_case(MARKER), make_case(), make_user()
    decisions.decide(case.pk, reviewer, "escalated", expected_version=1, category="sexual_exploitation")
    decisions.decide(other.pk, reviewer, "dismissed", expected_version=1)
    assert told == [(case.pk, 2, "")]


@pytest.mark.parametrize("role", list(Role))
def test_it_exists_for_duty_staff_alone(role: Role) -> None:
    case, user = arrive(), make_user(role)
    neighbour = make_case(thread="t-1")
    around = cases.context(neighbour, user)
    assert case not in [*around.before, *around.after]
    met = exposure.visible_cases(user).filter(pk=case.pk).exists()
    assert met == (role is Role.DUTY)
    if not met:
        with pytest.raises(CaseworkError):
            decisions.decide(case.pk, user, "dismissed", expected_version=1)


def test_a_batch_that_failed_names_no_text() -> None:
    batch_id = intake.receive([make_capture(MARKER)]).batch_ids[0]
    intake.fail(batch_id, "assessment failed: ValueError")
    assert tables_that_hold(MARKER) == {"casework_inboxitem"}


def test_what_could_not_be_written_holds_no_text_once_it_is_known_to_be_restricted() -> None:
    batch_id = intake.receive([make_capture(MARKER)]).batch_ids[0]
    dead_letters.isolate(batch_id, Stage.WRITE, ValueError(MARKER), restricted=True)
    assert tables_that_hold(MARKER) == set()


def test_every_text_column_of_a_case_is_known_to_the_rule() -> None:
    """A new column that could hold text must be thought of here."""
    model: type[Model] = apps.get_model("casework", "Case")
    wide = {"TextField", "JSONField"}
    found = {field.name for field in model._meta.concrete_fields if field.get_internal_type() in wide}
    emptied = {"text", "folded", "redactions", "spans", "undone", "flags"}
    address = {"sealed_url"}  # stays, as the address itself does: the police are told where, not what
    assert found == emptied | {"categories", "scores"} | address
