"""Lag: how long a hit takes from the inbox to the people, measured on the newest cases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from casework.models import Case
from casework.search import get_search

CASES = 1000
"""Newest cases that are measured."""
WINDOW = timedelta(minutes=15)
QUANTILES = (0.5, 0.95)


@dataclass(frozen=True)
class Lag:
    """Seconds from acceptance into the inbox, each list in ascending order."""

    to_case: Sequence[float]
    to_visible: Sequence[float]


def measure() -> Lag:
    """Return the lags of the cases that were made a moment ago; empty where there are none."""
    newest = Case.objects.filter(created_at__gte=timezone.now() - WINDOW, received_at__isnull=False).order_by("-id")
    shown = "visible__at" if get_search().is_index else "created_at"
    rows = list(newest.values_list("received_at", "created_at", shown)[:CASES])
    return Lag(
        sorted(max(0.0, (made - came).total_seconds()) for came, made, _ in rows if came),
        sorted(max(0.0, (seen - came).total_seconds()) for came, _, seen in rows if came and seen),
    )


def quantile(ascending: Sequence[float], share: float) -> float:
    """Return the value below which this share of them lies."""
    return ascending[min(len(ascending) - 1, int(share * len(ascending)))]
