"""A site is crawled when its schedule says so, and a site whose policy is wrong holds up no other."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from casework.models import Heartbeat
from config.policy import load_site
from config.settings import get_settings
from crawlers.datetimes import SHANGHAI
from workers import crawling

pytestmark = [pytest.mark.django_db, pytest.mark.modes]
SITE = """\
title: {title}
class: forum_qa
basis: {{kind: owner, document: 校方同意}}
base_url: http://127.0.0.1:1/
private_hosts_allowed: true
enabled: {enabled}
every: 10m
sections: [{{slug: talk, title: 闲谈, start: [/]}}]
extends: isso
"""


@pytest.fixture
def sites(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of site files that this installation reads."""
    folder = tmp_path / "sites"
    folder.mkdir()
    monkeypatch.setattr(
        "config.policy.get_settings", lambda: get_settings().model_copy(update={"policy_dir": tmp_path})
    )
    (folder / "east.yaml").write_text(SITE.format(title="东校论坛", enabled="true"), "utf-8")
    return folder


def test_a_site_is_due_at_once_and_then_after_its_period(sites: Path) -> None:
    assert "east" in crawling.due()
    assert "east" not in crawling.due()
    Heartbeat.objects.filter(name="crawl:east").update(at=timezone.now() - timedelta(minutes=11))
    assert "east" in crawling.due()


def test_crawls_keep_no_beat_but_come_within_a_tenth_of_their_period(sites: Path) -> None:
    policy, start = load_site("east"), timezone.now()
    late = [crawling.begins_at(policy, start + timedelta(seconds=n)) - start for n in range(50)]
    spread = [one.total_seconds() - 600 - n for n, one in enumerate(late)]

    assert crawling.begins_at(policy, start) == crawling.begins_at(policy, start)
    assert 0 <= min(spread) < 15
    assert 45 < max(spread) <= 60


@pytest.mark.parametrize(
    ("hours", "hour", "begins"),
    [
        (None, 12, True), ([1, 6], 1, True), ([1, 6], 5, True), ([1, 6], 6, False), ([1, 6], 0, False),
        ([23, 5], 23, True), ([23, 5], 4, True), ([23, 5], 5, False), ([0, 24], 23, True),
    ],
)  # fmt: skip
def test_scheduled_crawls_begin_in_the_quiet_hours(
    sites: Path, hours: list[int] | None, hour: int, begins: bool
) -> None:
    policy = load_site("east").model_copy(update={"hours": hours and tuple(hours)})

    assert crawling.in_hours(policy, datetime(2026, 11, 24, hour, 30, tzinfo=SHANGHAI)) is begins


def test_a_site_outside_its_hours_waits(sites: Path) -> None:
    hour = timezone.now().astimezone(SHANGHAI).hour
    later = f"hours: [{(hour + 2) % 24}, {(hour + 3) % 24}]\n"
    (sites / "east.yaml").write_text(SITE.format(title="东校论坛", enabled="true") + later, "utf-8")

    assert "east" not in crawling.due()


def test_a_site_that_is_switched_off_or_wrong_is_passed_over_and_the_others_go_on(sites: Path) -> None:
    (sites / "off.yaml").write_text(SITE.format(title="停用", enabled="false"), "utf-8")
    (sites / "wrong.yaml").write_text("title: [", "utf-8")
    due = crawling.due()
    assert "east" in due
    assert not {"off", "wrong"} & set(due)


def test_a_crawl_runs_in_a_process_of_its_own_and_gives_its_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WOODPECKER_DATABASE_URL", raising=False)  # the test database is not known to another process
    assert crawling.run("no-such-site") == 2
