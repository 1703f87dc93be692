"""Effective policies of sites as casework needs them, kept for a few seconds per process.

A policy that is edited takes effect in running workers without a restart; a site whose file has gone is judged by
the general thresholds, so that what was captured under it is still assessed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass

from config.policy import PolicyError, SitePolicy, general_thresholds, list_sites, load_site

KEPT_SECONDS = 5.0
GENERAL_DIGEST = "general"
"""Stands for a policy's digest where the general thresholds were used."""

_lock = threading.Lock()
_kept: dict[str, tuple[float, SitePolicy | None]] = {}


@dataclass(frozen=True)
class Placement:
    """What a policy says of one section."""

    thresholds: Mapping[str, float]
    kid_zone: bool
    prominent: bool
    digest: str


def effective(site: str) -> SitePolicy | None:
    """Return the site's policy, or None when there is none or it is wrong."""
    now = time.monotonic()
    with _lock:
        kept = _kept.get(site)
    if kept and kept[0] > now:
        return kept[1]
    policy = _load(site)
    with _lock:
        _kept[site] = (now + KEPT_SECONDS, policy)
    return policy


def placement(site: str, section: str) -> Placement:
    """Return what holds for a section; the general thresholds where the site or the section is not configured."""
    policy = effective(site)
    known = policy and next((one for one in policy.sections if one.slug == section), None)
    if policy is None or known is None:
        return Placement(general_thresholds(), False, False, policy.digest if policy else GENERAL_DIGEST)
    return Placement(policy.thresholds_for(section), known.kid_zone, known.prominent, policy.digest)


def known_sites() -> str:
    """Return the names of the configured sites for an error message."""
    names = list_sites()
    return ", ".join(names[:20]) + (" …" if len(names) > 20 else "") or "none is configured yet"


def forget() -> None:
    """Read every policy afresh at its next use."""
    with _lock:
        _kept.clear()


def _load(site: str) -> SitePolicy | None:
    # Only names, never paths: a capture's site must not make us read a file of its choice.
    if site not in list_sites():
        return None
    try:
        return load_site(site)
    except PolicyError:
        return None
