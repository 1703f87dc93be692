"""Stored responses go with the cases that name them; one that is named by a restricted case goes at once."""

from __future__ import annotations

import hashlib
import json
import os
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.utils import timezone

from casework import decisions, evidence, intake, responses, retention
from casework.models import Case, Decision, Role
from tests.casework.factories import make_assessment, make_capture, make_case, make_user

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.modes]
MONTH = timedelta(days=30, seconds=1)


def stored(name: str, *, days_ago: float = 2) -> str:
    """Put a stored response there, as a crawl leaves it, and return its reference."""
    digest = hashlib.sha256(name.encode()).hexdigest()
    folder = Path(default_storage.path(responses.FOLDER)) / digest[:2]
    folder.mkdir(parents=True, exist_ok=True)
    for suffix, content in ((".json", json.dumps({"status": 200, "robots": "allowed"})), (".warc.gz.sealed", name)):
        path = folder / f"{digest}{suffix}"
        path.write_text(content)
        os.utime(path, (time.time() - days_ago * 86_400,) * 2)
    return f"sha256:{digest}"


def there(reference: str) -> bool:
    return responses.metadata(reference) is not None


def test_what_no_case_names_goes_after_a_day_and_what_one_names_stays() -> None:
    named, unneeded, young = stored("named"), stored("unneeded"), stored("young", days_ago=0.5)
    make_case(evidence=named)
    purge = retention.purge()

    assert (purge.found["stored_responses"], purge.purged["stored_responses"], purge.left["stored_responses"]) == (
        2,
        2,
        0,
    )
    assert (there(named), there(unneeded), there(young)) == (True, False, True)
    assert not list(Path(default_storage.path(responses.FOLDER)).rglob(f"{unneeded.removeprefix('sha256:')}*"))


def test_nothing_goes_while_older_captures_wait() -> None:
    reference = stored("waiting")
    intake.receive([make_capture(evidence=reference)])
    from casework.models import Batch

    Batch.objects.update(created_at=timezone.now() - timedelta(days=3))
    retention.purge()
    assert there(reference)


def test_a_response_goes_with_the_text_of_its_case() -> None:
    reference = stored("dismissed")
    case = make_case(evidence=reference)
    decisions.decide(case.pk, make_user(), "dismissed", expected_version=1)
    retention.purge()
    assert there(reference)

    Decision.objects.filter(case=case).update(decided_at=timezone.now() - MONTH)
    retention.purge()
    assert not there(reference)


def test_the_response_of_a_restricted_hit_is_destroyed_when_it_is_assessed() -> None:
    restricted, other = stored("restricted", days_ago=0), stored("other", days_ago=0)
    captures = [make_capture("甲", evidence=restricted), make_capture("乙", evidence=other)]
    (batch,) = intake.receive(captures).batch_ids
    loaded = {one.evidence: one for one in intake.load_batch(batch)}
    scores = {restricted: {"sexual_exploitation": 0.9}, other: {"bullying": 0.9}}
    intake.complete(batch, [(loaded[one], make_assessment(scores[one])) for one in (restricted, other)])

    assert (there(restricted), there(other)) == (False, True)


def test_the_response_of_a_case_that_turns_out_restricted_is_destroyed() -> None:
    reference = stored("turned", days_ago=0)
    case = make_case(evidence=reference)
    decisions.decide(case.pk, make_user(Role.DUTY), "escalated", category="sexual_exploitation", expected_version=1)

    case.refresh_from_db()
    assert case.restricted
    assert not there(reference)


def test_the_response_of_a_copy_of_a_restricted_case_is_destroyed_whatever_its_own_assessment_says() -> None:
    text = "同一段文字，先后两次采集到"
    first = make_capture(text)
    (batch,) = intake.receive([first]).batch_ids
    intake.complete(batch, [(first, make_assessment({"sexual_exploitation": 0.9}))])
    reference = stored("copy", days_ago=0)
    again = make_capture(text, evidence=reference)
    (batch,) = intake.receive([again]).batch_ids
    intake.complete(batch, [(again, make_assessment({"bullying": 0.9}))])

    assert Case.objects.get(capture_id=again.id).restricted
    assert not there(reference)


def test_a_package_tells_what_is_known_of_the_response() -> None:
    reference = stored("sealed", days_ago=0)
    record = evidence.seal(make_case(evidence=reference), make_user(Role.LEAD))
    with default_storage.open(record.path, "rb") as file:
        meta = json.loads(file.read())["meta"]

    assert meta["stored_response"] == reference
    assert meta["response"] == {"status": 200, "robots": "allowed"}
