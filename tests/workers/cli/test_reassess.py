"""`woodpecker reassess`."""

from __future__ import annotations

from typing import Any

import pytest

from casework import reassessments
from casework.models import Reassessment
from classifiers.linear import newest
from tests.casework.factories import MODEL, make_case, make_restricted_case

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def small_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """The linear model alone, which loads fast."""
    from config.settings import get_settings

    own = get_settings().model_copy(update={"model_dir": newest()})
    monkeypatch.setattr("config.settings.get_settings", lambda: own)


def test_the_command_counts_begins_and_tells_the_progress(woodpecker: Any) -> None:
    make_case()
    make_restricted_case()
    tried = woodpecker("reassess", "--dry-run", "--json")
    assert (tried.code, tried.json["model"]) == (0, newest().name)
    left = {"waiting": 1, "claimed": 0, "judged": 0, "restricted": 1, "failed": 0}
    assert (tried.json["left"], Reassessment.objects.count()) == (left, 0)

    begun = woodpecker("reassess", "--json")
    assert (begun.code, begun.json["done"]["assessed"]) == (0, 0)
    run = reassessments.in_force()
    assert run is not None
    assert (run.model_version, run.started_by) == (newest().name, "command")

    reassessments.set_aside(run, 1)
    again = woodpecker("reassess")
    assert "to assess again" in again.out
    assert Reassessment.objects.get().failed == []
    assert MODEL not in again.out
