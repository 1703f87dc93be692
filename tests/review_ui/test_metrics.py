"""`/metrics` and `/readyz`: figures for Prometheus, on loopback or by token, and nothing else to anybody else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.db import DatabaseError, connection
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr
from ruamel.yaml import YAML

from casework import intake
from config.settings import get_settings
from review_ui import health
from tests.casework.factories import SITE, make_assessment, make_capture, make_case
from tests.review_ui.conftest import Enter

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[2]
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def samples(client: Client, **headers: str) -> Samples:
    answer = client.get("/metrics", headers=headers)
    assert answer.status_code == 200
    assert "no-store" in answer.headers["Cache-Control"]
    return {
        (one.name, frozenset(one.labels.items())): one.value
        for family in text_string_to_metric_families(answer.content.decode())
        for one in family.samples
    }


def value(found: Samples, name: str, **labels: str) -> float:
    return found[f"woodpecker_{name}", frozenset(labels.items())]


def a_day_of_work() -> None:
    captures = [make_capture(f"下雨天记得带伞{n}") for n in range(3)]
    (batch_id,) = intake.receive(captures).batch_ids
    intake.complete(batch_id, [(one, make_assessment({"bullying": 0.9 * (n == 0)})) for n, one in enumerate(captures)])
    intake.fail(intake.receive([make_capture()]).batch_ids[0], "ValueError")
    intake.receive([make_capture(), make_capture()])


def test_the_figures_tell_what_waits_what_came_and_what_became_of_it(client: Client, at_work: None) -> None:
    a_day_of_work()
    found = samples(client)
    assert value(found, "inbox_captures") == 2
    assert value(found, "failed_captures") == 1
    assert value(found, "workers") == 1
    assert value(found, "up", part="database") == 1
    assert value(found, "cases", state="open", severity="S1") == 1
    assert value(found, "search_behind") == 0
    assert value(found, "captures_total", site=SITE, outcome="accepted") == 6
    assert value(found, "captures_total", site=SITE, outcome="flagged") == 1
    assert 0 <= value(found, "ingest_to_case_seconds", quantile="0.95") < 60
    assert 0 <= value(found, "ingest_to_visible_seconds", quantile="0.95") < 60
    assert 0 <= value(found, "queue_oldest_seconds", severity="S1") < 60


def test_pages_are_timed_by_view_and_no_address_is_kept(client: Client, enter: Enter) -> None:
    case = make_case()
    enter("reviewer").get(f"/cases/{case.pk}/?q=秘密")
    client.get("/no/such/place/")
    found = samples(client)
    assert value(found, "page_seconds_count", view="case", method="GET", status="200") >= 1
    assert value(found, "page_seconds_count", view="none", method="GET", status="404") >= 1
    assert not [key for key in found if "秘密" in str(key) or "/no/such" in str(key)]


def test_others_than_loopback_find_no_such_page(client: Client) -> None:
    assert client.get("/metrics", REMOTE_ADDR="192.0.2.7").status_code == 404
    assert client.get("/metrics", headers={"X-Forwarded-For": "192.0.2.7"}).status_code == 404


def test_a_token_opens_it_to_other_machines_and_closes_it_to_whoever_lacks_it(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = get_settings().model_copy(update={"metrics_token": SecretStr("birds-of-a-feather")})
    monkeypatch.setattr(health, "get_settings", lambda: own)
    assert samples(client, Authorization="Bearer birds-of-a-feather")
    assert client.get("/metrics").status_code == 404
    assert client.get("/metrics", headers={"Authorization": "Bearer something"}).status_code == 404


def test_without_the_database_the_figures_say_so(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone() -> None:
        raise DatabaseError("gone")

    with monkeypatch.context() as patch:
        patch.setattr(connection, "cursor", gone)
        found = samples(client)
        assert client.get("/readyz").json() == {"status": "not ready", "missing": "database"}
    assert value(found, "up", part="database") == 0


def test_ready_is_whoever_can_serve_pages_workers_or_not(client: Client) -> None:
    assert client.get("/healthz").status_code == 503
    assert (client.get("/readyz").status_code, client.get("/readyz").json()) == (200, {"status": "ready"})


def test_a_program_that_is_newer_than_its_database_is_not_ready(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("django.db.migrations.executor.MigrationExecutor.migration_plan", lambda *_: ["0099"])
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["missing"]) == (503, "migrations")


def test_every_alert_and_every_line_of_the_document_speaks_of_a_figure_that_there_is(client: Client) -> None:
    text = (ROOT / "casework" / "metrics.py").read_text("utf-8")
    told = {f"woodpecker_{name}" for name in re.findall(r'_gauge\(\s*"(\w+)"', text)}
    told |= set(re.findall(r'"(woodpecker_\w+)"', text)) | {"woodpecker_captures_total"}
    assert {name.removesuffix("_bucket") for name, _ in samples(client)} & told
    alerts = (ROOT / "deploy" / "prometheus" / "alerts.yaml").read_text("utf-8")
    expressions = [rule["expr"] for group in YAML(typ="safe").load(alerts)["groups"] for rule in group["rules"]]
    used = {
        re.sub(r"_(bucket|count|sum)$", "", name) for one in expressions for name in re.findall(r"woodpecker_\w+", one)
    }
    assert used
    assert used - told == set()
    document = set(re.findall(r"`(woodpecker_\w+)`", (ROOT / "docs" / "operation.md").read_text("utf-8")))
    assert document == told - {"woodpecker_captures"}
