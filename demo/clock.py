"""`Clock`: the platform's own time. It stands still while the platform does not run, and goes on after a restart."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

LOCAL = timezone(timedelta(hours=8), "CST")
"""Where the platform pretends to be."""
KEEP_EVERY = 5.0
"""Seconds between two writes of the clock."""


class OtherSeed(Exception):
    """The data folder holds a platform that grew from another seed."""


class Clock:
    """Seconds that the platform has run, kept in `clock.json` of its data folder.

    The kept file lists each start as (seconds run before it, wall clock at it), so that a post keeps its date for ever.
    """

    def __init__(self, folder: Path, seed: int | None, now: Callable[[], float] = time.time) -> None:
        self._path = folder / "clock.json"
        self._now = now
        kept = json.loads(self._path.read_text("utf-8")) if self._path.exists() else {}
        self.seed: int = kept.get("seed", 7 if seed is None else seed)
        if seed is not None and seed != self.seed:
            raise OtherSeed(
                f"{self._path}: the platform there grew from seed {self.seed}, asked for was {seed}; "
                "allowed: the same seed, or another data folder"
            )
        self._starts: list[tuple[float, float]] = [(ran, wall) for ran, wall in kept.get("starts", ())]
        self._starts.append((kept.get("ran", 0.0), now()))
        self._write(self._starts[-1][0])

    def ran(self) -> float:
        """Return the seconds run in all, and keep them now and then."""
        ran = self._read()
        if ran - self._kept_at >= KEEP_EVERY:
            self._write(ran)
        return ran

    def moment(self, at: float) -> datetime:
        """Return the wall clock at `at` seconds run; before the first start `at` is negative."""
        before, wall = next((start for start in reversed(self._starts) if start[0] <= at), self._starts[0])
        return datetime.fromtimestamp(wall + at - before, LOCAL).replace(microsecond=0)

    def keep(self) -> None:
        """Keep the seconds run until now; to be called when the platform stops."""
        self._write(self._read())

    def _read(self) -> float:
        before, wall = self._starts[-1]
        return before + max(0.0, self._now() - wall)

    def _write(self, ran: float) -> None:
        fresh = self._path.with_suffix(".new")
        fresh.write_text(json.dumps({"seed": self.seed, "ran": ran, "starts": self._starts}), "utf-8")
        fresh.replace(self._path)
        self._kept_at = ran
