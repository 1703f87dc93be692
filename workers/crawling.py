"""Starting crawls: each in a process of its own, since Scrapy's reactor runs once in a process."""

from __future__ import annotations

import subprocess
import sys

import structlog
from django.utils import timezone

from casework.models import Heartbeat
from config.policy import PolicyError, list_sites, load_site

log = structlog.get_logger(__name__)


def run(site: str) -> int:
    """Run `woodpecker crawl SITE` to its end and return its exit code."""
    completed = subprocess.run(
        [sys.executable, "-m", "workers", "crawl", site, "--json"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        check=False,
    )
    log.info("crawl_ended", site=site, code=completed.returncode)
    return completed.returncode


def due() -> list[str]:
    """Return the enabled sites whose schedule asks for a crawl now, and note that it was asked for.

    A site whose policy is wrong is named in the log and passed over; the others go on.
    """
    now = timezone.now()
    ready = []
    for name in list_sites():
        try:
            policy = load_site(name)
        except PolicyError as error:
            log.error("policy_wrong", site=name, problems=[str(problem) for problem in error.problems])
            continue
        if policy.schedule is None or not policy.enabled or policy.crawl is None:
            continue
        last, _ = Heartbeat.objects.get_or_create(
            name=f"crawl:{name}", defaults={"kind": "crawl", "at": now - policy.schedule}
        )
        if last.at + policy.schedule <= now:
            Heartbeat.objects.filter(name=last.name).update(at=now)
            ready.append(name)
    return ready
