"""`woodpecker retention`."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from casework import decisions, intake
from casework.models import Batch, Case, Decision
from tests.casework.factories import make_capture, make_case, make_user

pytestmark = pytest.mark.django_db


def test_a_dry_run_counts_and_the_run_takes_away_and_counts_again(woodpecker: Any) -> None:
    case = make_case()
    decisions.decide(case.pk, make_user(), "dismissed", expected_version=1)
    Decision.objects.update(decided_at=timezone.now() - timedelta(days=31))
    dry = woodpecker("retention", "--dry-run", "--json")
    assert (dry.code, dry.json["found"]["dismissed"], dry.json["purged"]) == (0, 1, {})
    assert Case.objects.get().text
    assert "dismissed" in woodpecker("retention", "--dry-run").out
    done = woodpecker("retention", "--json")
    assert (done.code, done.json["purged"]["dismissed"], done.json["left"]["dismissed"]) == (0, 1, 0)
    assert not Case.objects.get().text


def test_what_is_left_is_said_and_ends_with_3(woodpecker: Any) -> None:
    intake.receive([make_capture()])
    Batch.objects.update(created_at=timezone.now() - timedelta(hours=25))
    done = woodpecker("retention", "--json")
    assert (done.code, done.json["left"]["inbox"]) == (3, 1)
    assert "wants a worker" in done.err
