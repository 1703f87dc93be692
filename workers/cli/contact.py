"""The contact address without which no site outside our own network is asked for anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workers.cli.output import Exit, leave

if TYPE_CHECKING:
    from config.policy import SitePolicy


def contact_missing(policy: SitePolicy) -> str | None:
    """Return what to say when a site may not be asked for want of a contact address."""
    from config.settings import get_settings

    if get_settings().crawler_contact or policy.private_hosts_allowed:
        return None
    return "WOODPECKER_CRAWLER_CONTACT: found nothing; allowed: a page or mail address for the sites' operators"


def contact_for(policy: SitePolicy, *, as_json: bool) -> str:
    """Return the contact address in our user agent; leave with a clear error where one is needed and missing."""
    from config.settings import get_settings

    if missing := contact_missing(policy):
        leave(Exit.WRONG_INPUT, missing, as_json=as_json)
    return get_settings().crawler_contact
