"""Backtest of queues: through which each hit would have come, before and after, and what reviewers' time each takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from casework import hits
from config.work import Queue, Work

if TYPE_CHECKING:
    from workers.backtest import Item

NONE = ""
"""Stands for no queue: the case is found in the list of all cases alone."""
MOST_MOVES = 30


def place(items: Sequence[Item], before: Work, after: Work) -> None:
    """Note on each item in which queues it would stand when it is new, and whether its confirmation asks for two."""
    for one in items:
        was, would_be = _as_new(one, one.was, one.before), _as_new(one, one.would_be, one.after)
        one.stood, one.would_stand = _queues(before, was), _queues(after, would_be)
        one.asked_second = was is not None and before.asks_second(was)
        one.would_ask_second = would_be is not None and after.asks_second(would_be)


def report(
    items: Sequence[Item], before: Work, after: Work, *, minutes: float, days: int
) -> dict[str, dict[str, Any] | list[dict[str, Any]]]:
    """Return the figures of each queue, those of second confirmations, and who moved from where to where.

    Args:
        items: what is replayed, placed.
        before, after: how work is and would be divided.
        minutes: a reviewer's time for a case.
        days: over so many days.
    """
    weekly = minutes / 60 * 7 / days
    known = {queue.name: queue for work in (before, after) for queue in work.queues if "open" in queue.state}
    queues = {name: _figures(items, name, weekly) | _title(known.get(name)) for name in (*known, NONE)}
    moves: Counter[tuple[tuple[str, ...], tuple[str, ...]]] = Counter()
    for one in items:
        if one.moved:
            moves[one.stood, one.would_stand] += one.weight  # type: ignore[assignment]
    confirmed = [one for one in items if one.verdict == "confirmed"]
    second = [
        sum(one.weight for one in confirmed if one.asked_second),
        sum(one.weight for one in confirmed if one.would_ask_second),
    ]
    return {
        "queues": queues,
        "second_confirmation": _change(second[0], second[1], weekly),
        "moves": [
            {"from": list(left), "to": list(entered), "n": round(float(n), 1)}
            for (left, entered), n in moves.most_common(MOST_MOVES)
        ],
    }


def _as_new(one: Item, flagged: Sequence[str], scores: Mapping[str, float]) -> dict[str, Any] | None:
    """Return the fields that a queue asks for, as the case would come in; None when it would not."""
    if not flagged:
        return None
    case = one.case
    severity, _, slug = min((hits.severity_of(slug, case), -scores[slug], slug) for slug in flagged)
    place_ = {name: getattr(case, name) for name in ("platform_class", "site", "kid_zone")}
    return {"categories": list(flagged), "severity": severity, "score": scores[slug], **place_}


def _queues(work: Work, item: Mapping[str, Any] | None) -> tuple[str, ...]:
    if item is None:
        return ()
    found = tuple(queue.name for queue in work.queues if "open" in queue.state and queue.fits(item))
    return found or (NONE,)


def _figures(items: Sequence[Item], name: str, weekly: float) -> dict[str, Any]:
    sums: Counter[str] = Counter()
    for one in items:
        was, would_be = name in one.stood, name in one.would_stand
        for figure, holds in (("before", was), ("after", would_be), ("in", would_be > was), ("out", was > would_be)):
            sums[figure] += one.weight * holds  # type: ignore[assignment]
    change = _change(sums["before"], sums["after"], weekly)
    return change | {"in": round(float(sums["in"]), 1), "out": round(float(sums["out"]), 1)}


def _change(before: float, after: float, weekly: float) -> dict[str, Any]:
    return {
        "before": round(float(before), 1),
        "after": round(float(after), 1),
        "hours_per_week": {"before": round(before * weekly, 1), "after": round(after * weekly, 1)},
    }


def _title(queue: Queue | None) -> dict[str, str]:
    return {"title": queue.title if queue else ""}
