"""The state of every part, in the shape that is promised."""

import errno
from collections.abc import Sequence
from datetime import timedelta

import pytest
from django.utils import timezone

from casework import decisions, intake, status
from casework.models import Batch, CaseState, Heartbeat
from casework.search.database import DatabaseSearch
from casework.search.port import SearchUnavailable
from config.broker import Answer
from config.settings import get_settings
from tests.casework.factories import make_assessment, make_capture, make_case, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.modes]


class Away:
    """A search that does not answer."""

    backend = "elasticsearch"

    def count(self) -> int:
        raise SearchUnavailable("127.0.0.1:9200 does not answer")

    behind = count


@pytest.fixture(autouse=True)
def search_in_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status, "get_search", DatabaseSearch)


def named(parts: Sequence[status.Part]) -> dict[str, bool]:
    return {part.name: part.ok for part in parts}


def test_an_empty_installation_is_at_rest() -> None:
    found = status.snapshot()
    assert found.pop("mode") in {"embedded", "services"}
    assert found == {
        "sites": {"amber": []},
        "wrong_policies": {},
        "inbox": 0,
        "backpressure": {"limit": 200_000, "crawls_held": 0},
        "oldest_inbox_seconds": 0.0,
        "captures": {"accepted": 0, "duplicate": 0, "rejected": 0},
        "assessed": 0,
        "cases": {
            "total": 0,
            "open": 0,
            "by_state": dict.fromkeys(CaseState.values, 0),
            "copies": 0,
        },
        "search": {"backend": "database", "documents": 0, "behind": 0},
        "failed": 0,
        "visible_seconds": {},
        "failures": {"dead_letters": 0, "given_up": 0},
        "workers": 0,
        "model": "",
        "reassessment": None,
    }


def test_what_waits_was_done_and_was_given_up_is_counted() -> None:
    captures = [make_capture() for _ in range(3)]
    done = intake.receive([*captures[:2], captures[0]]).batch_ids[0]
    intake.complete(done, [(captures[0], make_assessment({"bullying": 0.9})), (captures[1], make_assessment())])
    waiting = intake.receive([make_capture(), make_capture()]).batch_ids[0]
    Batch.objects.filter(pk=waiting).update(created_at=timezone.now() - timedelta(seconds=70))
    intake.fail(intake.receive([make_capture()]).batch_ids[0], "ValueError")
    intake.reject(4)
    decisions.decide(make_case().pk, make_user(), "dismissed", expected_version=1)
    found = status.snapshot()
    assert (found["inbox"], found["failed"], found["assessed"]) == (2, 1, 2)
    assert 69 < found["oldest_inbox_seconds"] < 100
    assert found["captures"] == {"accepted": 5, "duplicate": 1, "rejected": 4}
    assert (found["cases"]["total"], found["cases"]["open"], found["cases"]["by_state"]["dismissed"]) == (2, 1, 1)
    assert found["search"]["documents"] == found["cases"]["total"]
    assert found["model"] == "stand-in-1"


def test_a_worker_counts_while_its_heart_beats() -> None:
    status.beat("work", "linear-7")
    status.beat("work", "linear-7")
    status.beat("beat")
    found = status.snapshot()
    assert (found["workers"], found["model"]) == (1, "linear-7")
    Heartbeat.objects.update(at=timezone.now() - timedelta(seconds=status.STALE_SECONDS + 1))
    assert status.snapshot()["workers"] == 0


def test_a_beat_in_the_future_was_a_wrong_clocks_and_does_not_keep_its_worker_alive() -> None:
    status.beat("work")
    Heartbeat.objects.update(at=timezone.now() + timedelta(seconds=30))  # clocks may be apart by so much
    assert status.alive("work") == 1
    Heartbeat.objects.update(at=timezone.now() + timedelta(hours=1))
    assert status.alive("work") == 0


def test_a_worker_that_has_ended_in_order_no_longer_counts() -> None:
    status.beat("work")
    status.rest("work")
    assert status.alive("work") == 0


def test_heartbeats_of_processes_long_gone_are_removed() -> None:
    Heartbeat.objects.create(name="work@elsewhere:1", kind="work", at=timezone.now() - timedelta(days=2))
    Heartbeat.objects.create(name="crawl:site", kind="crawl", at=timezone.now() - timedelta(days=2))
    status.beat("work")
    assert set(Heartbeat.objects.values_list("kind", flat=True)) == {"work", "crawl"}
    assert Heartbeat.objects.filter(kind="work").count() == 1


def test_each_part_says_whether_it_answers() -> None:
    there = {"database": True, "disk": True, "broker": True, "search": True}
    assert named(status.parts()) == there | {"workers": False, "beat": False}
    assert status.report()["parts"]["beat"] == f"0 alive within {status.STALE_SECONDS} s"
    status.beat("work")
    status.beat("beat")
    assert all(named(status.parts()).values())
    assert set(status.report()["parts"].values()) == {"ok"}


def test_a_broker_that_is_away_is_named_with_what_it_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status.broker, "ask", lambda: Answer("redis", "ConnectionRefusedError"))
    assert status.report()["parts"]["broker"] == "redis: ConnectionRefusedError"


def test_a_full_disk_is_named_with_the_room_that_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status, "room", lambda: status.LEAST_ROOM - 1)
    part = next(part for part in status.parts() if part.name == "disk")
    assert (part.ok, part.detail) == (False, f"99 MB left below {get_settings().data_dir}")


def test_a_disk_that_cannot_be_asked_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone() -> int:
        raise OSError(errno.ESTALE, "Stale file handle")

    monkeypatch.setattr(status, "room", gone)
    part = next(part for part in status.parts() if part.name == "disk")
    assert (part.ok, part.detail) == (False, f"{get_settings().data_dir}: Stale file handle")


def test_a_search_that_is_away_is_named_and_the_rest_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status, "get_search", Away)
    part = next(part for part in status.parts() if part.name == "search")
    assert (part.ok, "9200" in part.detail) == (False, True)
    search = status.snapshot()["search"]
    assert (search["backend"], search["documents"], search["behind"]) == ("elasticsearch", None, None)
    assert "9200" in search["error"]
