"""`/healthz`: 200 when every part answers, else 503 naming the part."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pydantic import SecretStr

from casework import status
from casework.models import Heartbeat
from casework.search.elasticsearch import ElasticsearchSearch
from config import broker
from config.settings import Settings

pytestmark = pytest.mark.django_db
PARTS = dict.fromkeys(("database", "disk", "broker", "search", "workers", "beat"), "ok")


def test_all_is_well_when_every_part_answers(client: Client, at_work: None) -> None:
    answer = client.get("/healthz")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ok", "parts": PARTS}
    assert "no-store" in answer.headers["Cache-Control"]


@pytest.mark.parametrize(("kind", "part"), [(status.WORK, "workers"), (status.CLOCK, "beat")])
def test_without_a_worker_or_a_clock_that_is_named(kind: str, part: str, client: Client, at_work: None) -> None:
    long_ago = timezone.now() - timedelta(seconds=status.STALE_SECONDS + 1)
    Heartbeat.objects.filter(kind=kind).update(at=long_ago)
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json()["status"] == "failing"
    assert answer.json()["parts"] == PARTS | {part: "failing"}


def test_without_the_broker_that_is_named_and_no_address_is_told(
    client: Client, at_work: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(broker_url=SecretStr("redis://:secret@127.0.0.1:9/0"))
    monkeypatch.setattr(broker, "get_settings", lambda: settings)
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json()["parts"] == PARTS | {"broker": "failing"}
    assert "secret" not in answer.content.decode()


def test_a_full_disk_is_named(client: Client, at_work: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status, "LEAST_ROOM", 2**63)
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json()["parts"] == PARTS | {"disk": "failing"}


def test_without_the_index_that_is_named_and_no_address_is_told(
    client: Client, at_work: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = ElasticsearchSearch("http://elastic:secret@127.0.0.1:9", "cases-nowhere", "auto")
    monkeypatch.setattr("casework.status.get_search", lambda: away)
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json()["parts"]["search"] == "failing"
    assert "secret" not in answer.content.decode()
    assert "127.0.0.1" not in answer.content.decode()
