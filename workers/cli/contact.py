"""The contact address without which no site outside our own network is asked for anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workers.cli.output import Exit, leave

if TYPE_CHECKING:
    from config.policy import SitePolicy


def contact_for(policy: SitePolicy, *, as_json: bool) -> str:
    """Return the contact address in our user agent; leave with a clear error where one is needed and missing."""
    from config.settings import get_settings

    contact = get_settings().crawler_contact
    if not contact and not policy.private_hosts_allowed:
        message = "WOODPECKER_CRAWLER_CONTACT: found nothing; allowed: a page or mail address for the sites' operators"
        leave(Exit.WRONG_INPUT, message, as_json=as_json)
    return contact
