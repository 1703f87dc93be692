"""What later crawls find of a case's text is noted on the case, once, and in its history."""

from __future__ import annotations

import pytest
from django.utils import timezone

from casework import cases, intake, traces
from casework.models import Case
from tests.casework.factories import make_assessment, make_capture, make_case

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.modes]

HIT = make_assessment({"bullying": 0.9})


def acts(case: Case) -> list[str]:
    return [act.action for act in cases.history(case)]


def test_a_text_that_is_gone_is_noted_on_its_case_once() -> None:
    case, other = make_case(), make_case()
    assert traces.note_gone([case.capture_id, "f" * 64]) == 1
    assert traces.note_gone([case.capture_id]) == 0
    case.refresh_from_db()
    other.refresh_from_db()
    assert case.gone_at
    assert case.gone_at <= timezone.now()
    assert (case.version, other.version) == (2, 1)
    assert acts(case) == ["原处已无"]
    assert other.gone_at is None


def test_an_edited_capture_marks_the_case_of_the_text_before_it() -> None:
    first = make_capture("他说你真笨")
    edited = make_capture("他说你真笨，改过", url=first.url, unit=first.unit, replaces=first.id, flags=("edited",))
    for capture in (first, edited):
        (batch_id,) = intake.receive([capture]).batch_ids
        intake.complete(batch_id, [(capture, HIT)])
    before, after = Case.objects.order_by("id")
    assert (before.edited_at, after.edited_at) == (edited.captured_at, None)
    assert acts(before) == ["原文已改"]
    assert after.flags == ["edited"]
