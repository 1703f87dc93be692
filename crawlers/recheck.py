"""When a thread that no list announces is looked at again."""

from __future__ import annotations

from crawlers.state import ThreadState

SHORTEST_RECHECK = 600.0
LONGEST_RECHECK = 7 * 24 * 3600.0


def due(thread: ThreadState, now: float) -> bool:
    """Whether a thread that no list announces is worth another look.

    The longer it has stayed the same, the rarer it is looked at: after half the time since it last changed, at
    least ten minutes, at most a week.
    """
    quiet = (thread.checked_at - thread.changed_at) / 2
    return now - thread.checked_at >= min(max(quiet, SHORTEST_RECHECK), LONGEST_RECHECK)
