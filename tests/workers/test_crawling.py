"""A site is crawled when its schedule says so, and a site whose policy is wrong holds up no other."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from casework.models import Heartbeat
from config.settings import get_settings
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
    Heartbeat.objects.filter(name="crawl:east").update(at=timezone.now() - timedelta(minutes=10))
    assert "east" in crawling.due()


def test_a_site_that_is_switched_off_or_wrong_is_passed_over_and_the_others_go_on(sites: Path) -> None:
    (sites / "off.yaml").write_text(SITE.format(title="停用", enabled="false"), "utf-8")
    (sites / "wrong.yaml").write_text("title: [", "utf-8")
    due = crawling.due()
    assert "east" in due
    assert not {"off", "wrong"} & set(due)


def test_a_crawl_runs_in_a_process_of_its_own_and_gives_its_exit_code() -> None:
    assert crawling.run("no-such-site") == 2
