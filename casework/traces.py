"""Traces: what became of a text on its platform after it was captured, as later crawls find it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Literal

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from casework import audit, signals
from casework.models import Case

CHUNK = 500
"""Captures asked for in one statement."""


def note_gone(capture_ids: Collection[str]) -> int:
    """Note on their cases that these captures are no longer where they were; returns on how many that is new.

    A crawl finds that; whether the platform or its author took a text away it cannot know.
    """
    now = timezone.now()
    return _note("gone_at", "case.gone", dict.fromkeys(capture_ids, now))


def note_edited(moments: Mapping[str, datetime]) -> int:
    """Note on their cases that another text stands where these captures did, first seen at the moment given."""
    return _note("edited_at", "case.edited", moments)


def _note(field: Literal["gone_at", "edited_at"], action: str, moments: Mapping[str, datetime]) -> int:
    ids = sorted(moments)
    return sum(_note_some(field, action, ids[start : start + CHUNK], moments) for start in range(0, len(ids), CHUNK))


@transaction.atomic
def _note_some(field: str, action: str, capture_ids: list[str], moments: Mapping[str, datetime]) -> int:
    found = Q(**{"capture_id__in": capture_ids, f"{field}__isnull": True})
    cases = list(Case.objects.select_for_update().filter(found).order_by("id").values_list("pk", "capture_id"))
    for pk, capture_id in cases:
        changes = {field: moments[capture_id], "version": F("version") + 1, "updated_at": timezone.now()}
        Case.objects.filter(pk=pk).update(**changes)
        audit.record(action, audit.SYSTEM, f"case:{pk}")
    if cases:
        signals.announce_cases([pk for pk, _ in cases])
    return len(cases)
