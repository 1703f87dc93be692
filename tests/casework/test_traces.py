"""What later crawls find of a case's text is noted on the case, once, and in its history."""

from __future__ import annotations

import threading
import time

import pytest
from django.db import transaction
from django.utils import timezone

from casework import audit, cases, decisions, intake, traces
from casework.models import Case
from tests.casework.factories import make_assessment, make_capture, make_case, make_user
from tests.casework.threads import at_once

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.modes]

HIT = make_assessment({"bullying": 0.9})
TEXT = "他说你真笨，全班都不跟你玩了，你走吧"


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


def test_a_batch_with_an_edit_and_a_late_copy_never_waits_in_a_ring_with_whoever_holds_the_edited_case() -> None:
    first = make_capture("他说你真笨")
    decided = make_capture(TEXT)
    (batch_id,) = intake.receive([first, decided]).batch_ids
    intake.complete(batch_id, [(first, HIT), (decided, HIT)])
    case, copied = (Case.objects.get(capture_id=one.id) for one in (first, decided))
    decisions.decide(copied.pk, make_user(), "dismissed", expected_version=1)
    edited = make_capture("他说你真笨，改过", url=first.url, unit=first.unit, replaces=first.id, flags=("edited",))
    late = make_capture(TEXT)
    (batch_id,) = intake.receive([edited, late]).batch_ids
    held = threading.Event()

    def act(number: int) -> None:
        if number == 0:  # as every act on a case: first its row, then the audit log
            with transaction.atomic():
                Case.objects.select_for_update().get(pk=case.pk)
                held.set()
                time.sleep(0.5)
                audit.record("case.reveal", audit.SYSTEM, case)
        else:
            held.wait(10)
            intake.complete(batch_id, [(edited, HIT), (late, HIT)])

    at_once(2, act)
    case.refresh_from_db()
    assert case.edited_at == edited.captured_at
    assert Case.objects.get(capture_id=late.id).copy_of == copied
