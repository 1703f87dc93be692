"""Starting crawls: what is due together in one process, which is not ours: Scrapy's reactor runs once in a process."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from contextlib import suppress
from datetime import datetime

import structlog
from django.utils import timezone

from casework import activations, policies
from casework.models import Heartbeat
from config.policy import PolicyError, SitePolicy, list_sites, load_site, site_file
from crawlers.datetimes import SHANGHAI

log = structlog.get_logger(__name__)


JITTER = 0.1
"""Share of a site's period by which its crawls begin later, each by another, so that they keep no beat."""


def run(*sites: str) -> int:
    """Run `woodpecker crawl --due SITE …` to its end and return its exit code."""
    completed = subprocess.run(
        [sys.executable, "-m", "workers", "crawl", *sites, "--due", "--json"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        check=False,
    )
    log.info("crawl_ended", sites=sites, code=completed.returncode)
    return completed.returncode


def note_in_force(policy: SitePolicy) -> None:
    """Record a policy whose file was edited in place, once, so that it can be told later what held when."""
    with suppress(OSError):
        activations.note(policy, site_file(policy.name).read_text("utf-8"))


def begins_at(policy: SitePolicy, last: datetime) -> datetime:
    """Return when the crawl after the one at `last` is due: after the site's period, and a little later each time."""
    assert policy.schedule is not None
    digest = hashlib.sha256(f"{policy.name} {last.isoformat()}".encode()).digest()
    return last + policy.schedule * (1 + JITTER * int.from_bytes(digest[:4], "big") / 2**32)


def in_hours(policy: SitePolicy, moment: datetime) -> bool:
    """Whether a scheduled crawl of a site may begin at a moment; its hours may pass midnight."""
    if policy.hours is None:
        return True
    first, last = policy.hours
    hour = moment.astimezone(SHANGHAI).hour
    return first <= hour < last if first <= last else hour >= first or hour < last


def due() -> list[str]:
    """Return the enabled sites whose schedule asks for a crawl now, in their hours, and note that it was asked for.

    A site whose policy is wrong is named in the log and passed over; the others go on.
    """
    now = timezone.now()
    ready = []
    policies.work(), policies.general()  # puts on record what holds for all sites
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
            name=f"crawl:{name}", defaults={"kind": "crawl", "at": now - 2 * policy.schedule}
        )
        if begins_at(policy, last.at) <= now and in_hours(policy, now):
            Heartbeat.objects.filter(name=last.name).update(at=now)
            ready.append(name)
    return ready
