"""Effective policies of sites as casework needs them, kept for a few seconds per process; and those of all sites.

A policy that is edited takes effect in running workers without a restart; a site whose file has gone is judged by
the general thresholds, so that what was captured under it is still assessed. A file that has become wrong changes
nothing: the policy that held before goes on holding, across restarts too, and log, status and the lead's page say so.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

import structlog
from django.db import DatabaseError
from django.utils import timezone

from casework import activations
from casework.models import Heartbeat
from casework.models.heartbeat import STALE_SECONDS
from casework.standing import Kept
from config.policy import (
    GENERAL,
    GeneralPolicy,
    PolicyError,
    SitePolicy,
    list_sites,
    load_class,
    load_general,
    load_site,
)
from config.standing import file_of, is_site, load_standing
from config.taxonomy import Severity
from config.work import FILE as WORK
from config.work import Condition, Work, load_work

log = structlog.get_logger(__name__)

RULES = "rules/"
"""This installation's own word rules: subject of their activations, and kind of the heartbeat of a worker that finds
them wrong."""
KEPT_SECONDS = 5.0
GENERAL_DIGEST = "general"
"""Stands for a policy's digest where the general thresholds were used."""


@dataclass(frozen=True)
class Placement:
    """What a policy says of one section."""

    thresholds: Mapping[str, float]
    kid_zone: bool
    prominent: bool
    digest: str


@dataclass(frozen=True)
class _Kept:
    until: float
    policy: SitePolicy | None
    digest: str
    problems: tuple[str, ...] = ()


_lock = threading.Lock()
_kept: dict[str, _Kept] = {}


def _careful_work() -> Work:
    """How work is divided where nobody can tell what the lead asked for: what is grave needs two."""
    asked = (Condition(severity=(Severity.S0, Severity.S1)),)
    return load_work(shipped=True).model_copy(update={"second_confirmation": asked})


_work = Kept(WORK, Work, load_work, _careful_work)
_general = Kept(GENERAL, GeneralPolicy, load_general, lambda: load_general(shipped=True))


def effective(site: str) -> SitePolicy | None:
    """Return the site's policy: the one that held before while its file is wrong, None when there is none."""
    return _keep(site).policy


def wrong() -> dict[str, tuple[str, ...]]:
    """Return the sites, and the files that hold for all of them, whose file is wrong, each with what is wrong."""
    found = {site: problems for site in list_sites() if (problems := _keep(site).problems)}
    found |= {kept.subject: problems for kept in (_general, _work) if (problems := kept.problems())}
    return found | ({RULES: rules} if (rules := _wrong_rules()) else {})


def _wrong_rules() -> tuple[str, ...]:
    """What the workers, which alone read word rules, say is wrong with them."""
    since = timezone.now() - timedelta(seconds=STALE_SECONDS)
    told = Heartbeat.objects.filter(kind=RULES, at__gte=since).order_by("detail")
    return tuple(told.values_list("detail", flat=True).distinct())


def placement(site: str, section: str) -> Placement:
    """Return what holds for a section; the general thresholds where the site or the section is not configured."""
    kept = _keep(site)
    if kept.policy is None:
        return Placement(_general_thresholds(), False, False, kept.digest)
    try:
        known = kept.policy.section(section)
    except KeyError:
        return Placement(_general_thresholds(), False, False, kept.digest)
    return Placement(kept.policy.thresholds_for(section), known.kid_zone, known.prominent, kept.digest)


def _general_thresholds() -> Mapping[str, float]:
    return general().zone_thresholds("general")


def general() -> GeneralPolicy:
    """Return what holds where no site is configured; a file that has become wrong changes nothing."""
    return _general.holds()


def work() -> Work:
    """Return how work is divided; a file that has become wrong changes nothing.

    Where it is wrong and nothing is on record that held before, what is grave needs a second person.
    """
    return _work.holds()


def record_present(subject: str) -> None:
    """Put on record what a file that holds for many sites says now, where it is right and nothing is on record yet."""
    if is_site(subject) or activations.last(subject) or not (file := file_of(subject)).is_file():
        return
    with suppress(PolicyError):
        if (present := load_standing(file)) is not None:
            activations.note(present, file.read_text("utf-8"))


def site_title(site: str) -> str:
    """Return the site's title, or its name where it is no longer configured."""
    policy = effective(site)
    return policy.title if policy else site


def section_title(site: str, section: str) -> str:
    """Return the section's title, or its name where it is no longer configured."""
    policy = effective(site)
    return next((one.title for one in policy.sections if one.slug == section), section) if policy else section


def class_title(platform_class: str) -> str:
    """Return the title of a platform class, or its name where there is none of it."""
    try:
        return load_class(platform_class).title
    except PolicyError:
        return platform_class


def allowed_sites(site: str) -> str:
    """Say in an error message which sites are allowed, given one that has no usable policy."""
    names = list_sites()
    if site in names:
        return f"a site whose policy is right; see `woodpecker config check {site}`"
    return ", ".join(names[:20]) + (" …" if len(names) > 20 else "") or "none is configured yet"


def forget() -> None:
    """Read every policy afresh at its next use."""
    with _lock:
        _kept.clear()
    _work.forget()
    _general.forget()


def _keep(site: str) -> _Kept:
    now = time.monotonic()
    with _lock:
        before = _kept.get(site)
    if before is not None and before.until > now:
        return before
    policy, problems = _load(site, before.policy if before else None)
    if problems and (before is None or before.problems != problems):
        log.error("policy_wrong", site=site, problems=problems, holds=policy.digest if policy else GENERAL_DIGEST)
    kept = _Kept(now + KEPT_SECONDS, policy, policy.digest if policy else GENERAL_DIGEST, problems)
    with _lock:
        _kept[site] = kept
    return kept


def _load(site: str, before: SitePolicy | None) -> tuple[SitePolicy | None, tuple[str, ...]]:
    """Return the policy that holds, and what is wrong with its file."""
    # Only names, never paths: a capture's site must not make us read a file of its choice.
    if site not in list_sites():
        return None, ()
    try:
        return load_site(site), ()
    except PolicyError as error:
        return before or _last_activated(site), tuple(str(problem) for problem in error.problems)


def _last_activated(site: str) -> SitePolicy | None:
    try:
        found = activations.last(site)
    except DatabaseError:
        return None
    return activations.policy_of(found) if found else None
