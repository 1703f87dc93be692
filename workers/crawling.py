"""Starting crawls: each in a process of its own, since Scrapy's reactor runs once in a process."""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress

import structlog
from django.utils import timezone

from casework import activations
from casework.models import Heartbeat
from config.policy import PolicyError, SitePolicy, list_sites, load_site, site_file

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


def note_in_force(policy: SitePolicy) -> None:
    """Record a policy whose file was edited in place, once, so that it can be told later what held when."""
    with suppress(OSError):
        activations.note(policy, site_file(policy.name).read_text("utf-8"))


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
        note_in_force(policy)
        if policy.schedule is None or not policy.enabled or policy.crawl is None:
            continue
        last, _ = Heartbeat.objects.get_or_create(
            name=f"crawl:{name}", defaults={"kind": "crawl", "at": now - policy.schedule}
        )
        if last.at + policy.schedule <= now:
            Heartbeat.objects.filter(name=last.name).update(at=now)
            ready.append(name)
    return ready
