"""Status: what waits, what was done, and which parts are alive."""

from __future__ import annotations

import os
import shutil
import socket
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import DatabaseError, connection
from django.db.models import Count, Min
from django.utils import timezone

from casework import counts, lag, policies, reassessments, sites
from casework.models import Batch, Case, CaseState, DeadLetter, Heartbeat, InboxItem
from casework.models.heartbeat import STALE_SECONDS
from casework.search import get_search
from casework.search.port import SearchUnavailable
from casework.skew import ahead
from config import broker
from config.settings import get_settings

WORK = "work"
CLOCK = "beat"
"""The clock that sends what is due; it beats by itself, whether or not anybody does what it sends."""
HELD = "held"
"""A crawl that waits because the inbox is over its limit."""
LEAST_ROOM = 100 * 2**20
"""Bytes below which the disk of the data folder counts as full."""


@dataclass(frozen=True)
class Part:
    """One part of the system, whether it answers, and in a few words how; of the disk also how many bytes are free."""

    name: str
    ok: bool
    detail: str = ""
    free: int | None = None


def beat(kind: str, detail: str = "") -> None:
    """Say that this process is alive; beats of processes long gone are removed."""
    now = timezone.now()
    Heartbeat.objects.update_or_create(name=_own_name(kind), defaults={"kind": kind, "at": now, "detail": detail[:120]})
    Heartbeat.objects.filter(kind=kind, at__lt=now - timedelta(days=1)).delete()


def rest(kind: str) -> None:
    """Say that this process has ended in order, so that nobody takes it for alive."""
    Heartbeat.objects.filter(name=_own_name(kind)).delete()


def alive(kind: str) -> int:
    """Return how many processes of this kind have been alive a moment ago; a beat in the future was a wrong clock's."""
    now = timezone.now()
    return Heartbeat.objects.filter(kind=kind, at__range=(now - timedelta(seconds=STALE_SECONDS), ahead(now))).count()


def snapshot() -> dict[str, Any]:
    """Return the state in the shape that `woodpecker status --json` promises.

    Raises:
        django.db.DatabaseError: the database does not answer.
    """
    totals = counts.totals()
    by_state = dict(Case.objects.filter(copy_of=None).values_list("state").annotate(Count("pk")).order_by())
    waiting = InboxItem.objects.filter(batch__failed_at__isnull=True).count()
    failed = {
        "dead_letters": DeadLetter.objects.count(),
        "given_up": InboxItem.objects.filter(batch__failed_at__isnull=False).count(),
    }
    return {
        "mode": get_settings().mode,
        "inbox": waiting,
        "backpressure": {"limit": get_settings().inbox_limit, "crawls_held": alive(HELD)},
        "oldest_inbox_seconds": _oldest_inbox_seconds(),
        "captures": {name: totals[name] for name in ("accepted", "duplicate", "rejected")},
        "assessed": totals["assessed"],
        "visible_seconds": _visible_seconds(),
        "cases": {
            "total": sum(by_state.values()),
            "open": by_state.get(CaseState.OPEN, 0),
            "by_state": {state: by_state.get(state, 0) for state in CaseState.values},
            "copies": Case.objects.exclude(copy_of=None).count(),
        },
        "search": _search(),
        "failed": sum(failed.values()),
        "failures": failed,
        "workers": alive(WORK),
        "sites": {"amber": sites.amber()},
        "wrong_policies": {name: list(problems) for name, problems in policies.wrong().items()},
        "model": _model(),
        "reassessment": reassessments.progress(),
    }


def report() -> dict[str, Any]:
    """Return the snapshot and, of each part, `ok` or what is wrong with it.

    Raises:
        django.db.DatabaseError: the database does not answer.
    """
    return snapshot() | {"parts": {part.name: "ok" if part.ok else part.detail for part in parts()}}


def parts() -> list[Part]:
    """Ask each part whether it is there; a part that is not says why, and none raises."""
    apart = [_database_part(), _disk_part(), _broker_part()]
    if not apart[0].ok:
        return apart
    return [*apart, _search_part(), _alive_part("workers", WORK), _alive_part("beat", CLOCK)]


def room() -> int:
    """Return how many bytes are free on the disk of the data folder."""
    return shutil.disk_usage(get_settings().path("files").parent).free


def _own_name(kind: str) -> str:
    return f"{kind}@{socket.gethostname()}:{os.getpid()}"[:120]


def _oldest_inbox_seconds() -> float:
    oldest = Batch.objects.filter(failed_at__isnull=True).aggregate(at=Min("created_at"))["at"]
    return max(0.0, round((timezone.now() - oldest).total_seconds(), 1)) if oldest else 0.0


def _visible_seconds() -> dict[str, float]:
    lags = lag.measure().to_visible
    return {f"p{share * 100:.0f}": round(lag.quantile(lags, share), 1) for share in lag.QUANTILES if lags}


def _search() -> dict[str, Any]:
    search = get_search()
    try:
        behind = search.behind()  # before the count: where nothing was behind, every document is among the counted
        return {"backend": search.backend, "documents": search.count(), "behind": behind}
    except SearchUnavailable as error:
        return {"backend": search.backend, "documents": None, "behind": None, "error": str(error)}


def _model() -> str:
    beating = Heartbeat.objects.filter(kind=WORK).exclude(detail="").order_by("-at").first()
    if beating is not None:
        return beating.detail
    newest = Case.objects.order_by("-id").values_list("model_version", flat=True).first()
    return newest or ""


def _database_part() -> Part:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        return Part("database", False, type(error).__name__)
    return Part("database", True, connection.vendor)


def _disk_part() -> Part:
    try:
        free = room()
    except OSError as error:  # a network's disk that has gone, say
        return Part("disk", False, f"{get_settings().data_dir}: {error.strerror or type(error).__name__}")
    return Part("disk", free >= LEAST_ROOM, f"{free // 2**20} MB left below {get_settings().data_dir}", free)


def _search_part() -> Part:
    search = get_search()
    try:
        search.count()
    except SearchUnavailable as error:
        return Part("search", False, str(error))
    return Part("search", True, search.backend)


def _broker_part() -> Part:
    found = broker.ask()
    return Part("broker", not found.fault, f"{found.kind}: {found.fault}" if found.fault else found.kind)


def _alive_part(name: str, kind: str) -> Part:
    beating = alive(kind)
    return Part(name, beating > 0, f"{beating} alive within {STALE_SECONDS} s")
