"""One rebuild at a time: two would take each other's index for a leftover."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from casework.models import Heartbeat
from casework.search.port import SearchUnavailable
from casework.skew import ahead

SILENT = timedelta(minutes=2)
"""Time without a sign of life after which a rebuild counts as killed."""


@contextmanager
def alone(name: str) -> Iterator[Callable[[], None]]:
    """Hold `name` while the block runs; gives what says that its holder is still here.

    Raises:
        SearchUnavailable: somebody else holds it.
    """
    with transaction.atomic():
        turn, made = Heartbeat.objects.select_for_update().get_or_create(
            name=name, defaults={"kind": "rebuild", "at": timezone.now()}
        )
        now = timezone.now()
        if not made and turn.at + SILENT > now and turn.at < ahead(now):
            raise SearchUnavailable(
                f"another process rebuilds the index; it was last heard of at {timezone.localtime(turn.at):%H:%M:%S}"
            )
        Heartbeat.objects.filter(name=name).update(at=timezone.now())
    try:
        yield lambda: _say_alive(name)
    finally:
        Heartbeat.objects.filter(name=name).delete()


def _say_alive(name: str) -> None:
    Heartbeat.objects.filter(name=name).update(at=timezone.now())
