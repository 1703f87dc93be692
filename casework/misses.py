"""Misses: what the audit sample says of what the thresholds let pass, as an estimate of recall with its interval.

A random share of the captures below their thresholds joins the queues unmarked (`casework.hits`). The share that people
confirm, times all captures below, is how many were missed; with the confirmed share of the hits it gives recall.
Decided cases stand for the undecided ones, which holds as long as nobody picks by what they expect to find.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count

from casework import counts, estimation
from casework.models import Case, CaseState

HARMFUL = (CaseState.CONFIRMED, CaseState.POLICE)
DECIDED = (*HARMFUL, CaseState.DISMISSED, CaseState.OUT_OF_SCOPE)


@dataclass(frozen=True)
class Recall:
    """The estimate: of what harms, the share that the thresholds brought before people, with a 95 % interval.

    `sampled` is the decided part of the audit sample, `harmful` what of it was confirmed or handed to the police,
    `below` all captures that no threshold flagged, `missed` the estimated number of harmful ones among them. `rate` is
    None where nothing was confirmed or nothing of the sample has been decided: then nothing can be said.
    """

    sampled: int
    harmful: int
    waiting: int
    below: int
    missed: float
    rate: float | None = None
    low: float = 0.0
    high: float = 1.0


def recall() -> Recall:
    """Return the estimate over everything that has been assessed so far.

    The interval is that of the misses (Clopper and Pearson); the hits are so many that theirs plays no part.
    """
    rows = Case.objects.order_by().values_list("audit_sample", "state").annotate(n=Count("pk"))
    by = {(sampled, state): n for sampled, state, n in rows}
    sampled = sum(by.get((True, state), 0) for state in DECIDED)
    harmful = sum(by.get((True, state), 0) for state in HARMFUL)
    waiting = sum(n for (is_sample, state), n in by.items() if is_sample and state not in DECIDED)
    totals = counts.totals()
    below = totals["assessed"] - totals["flagged"]
    decided_hits = sum(by.get((False, state), 0) for state in DECIDED)
    confirmed = sum(by.get((False, state), 0) for state in HARMFUL)
    if not (sampled and decided_hits and confirmed):
        return Recall(sampled, harmful, waiting, below, 0.0)
    found = totals["flagged"] * confirmed / decided_hits
    share = harmful / sampled
    low, high = estimation.exact_interval(share, sampled)
    return Recall(
        sampled,
        harmful,
        waiting,
        below,
        below * share,
        rate=found / (found + below * share),
        low=found / (found + below * high),
        high=found / (found + below * low),
    )
