"""Backpressure: a crawl goes slower while the inbox holds more than workers get through."""

from __future__ import annotations

import time

from casework import intake, status
from casework.status import HELD
from config.settings import get_settings

PATIENCE_SECONDS = 30.0
"""Longest wait for one page: a crawl is slowed down, never stopped, so that none hangs where no worker runs."""
LOOK_SECONDS = 2.0


class Brake:
    """Asks how full the inbox is, every few seconds at most, and waits while it is over its limit."""

    def __init__(self, patience: float = PATIENCE_SECONDS, look: float = LOOK_SECONDS) -> None:
        self._patience, self._look = patience, look
        self._free_until = 0.0

    def wait(self) -> float:
        """Return once there is room again or patience is over; gives the seconds that were waited."""
        began = time.monotonic()
        if began < self._free_until:
            return 0.0
        held = False
        while intake.waiting() > get_settings().inbox_limit and time.monotonic() - began < self._patience:
            status.beat(HELD)
            held = True
            time.sleep(self._look)
        if held:
            status.rest(HELD)
        self._free_until = time.monotonic() + self._look
        return time.monotonic() - began if held else 0.0
