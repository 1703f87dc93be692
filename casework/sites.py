"""How the crawls of each site fare: a site whose pages its recipe no longer fits is amber until they are read again."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from casework.models import Heartbeat

AMBER = "amber"


def note_yield(site: str, since: datetime | None, what: str = "") -> None:
    """Note that a site brings far less than usual, or, without `since`, that it does not."""
    name = f"{AMBER}:{site}"[:120]
    if since is None:
        Heartbeat.objects.filter(name=name).delete()
    else:
        Heartbeat.objects.update_or_create(name=name, defaults={"kind": AMBER, "at": since, "detail": what[:120]})


def amber() -> list[dict[str, Any]]:
    """Return the sites that bring far less than usual, with since when and what; the longest first."""
    rows = Heartbeat.objects.filter(kind=AMBER).order_by("at", "name").values_list("name", "at", "detail")
    return [{"site": name.partition(":")[2], "since": at.isoformat(), "what": what} for name, at, what in rows]
