"""How often Python looks for garbage, in processes that assess texts batch after batch."""

from __future__ import annotations

import gc

YOUNG = 50_000
"""Containers made since the last look after which Python looks again; a batch of a thousand hits makes 300,000."""


def look_seldom() -> None:
    """Keep what is loaded by now out of every later look for cycles, and look less often at what is new.

    Model, rules and modules stay for as long as the process; the answers of a batch go with it, and hold no cycles. At
    Python's own pace (every 700 containers) a seventh of what a hit costs beside the encoder went into looking at them.
    Called before a process forks, it also spares the children from copying the pages that a look would write to.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, 10, 10)
