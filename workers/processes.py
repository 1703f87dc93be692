"""A process tree that ends as one: children follow their parent, whatever ends it."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import psutil

PR_SET_PDEATHSIG = 1
STOP_SECONDS = 20.0
"""Time that a part has to end by itself before it is killed."""


def die_with_parent(signum: int = signal.SIGTERM) -> None:
    """Ask the kernel for a signal when the parent dies (Linux; elsewhere nothing happens). Source: prctl(2)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signum)


@dataclass
class Part:
    """One child process with a name for people."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it in a session of its own, so that Ctrl-C reaches only the parent, which stops it in order."""
        self.process = subprocess.Popen(
            self.command,
            env={**os.environ, **self.environment},
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=die_with_parent,  # noqa: PLW1509 - one thread here
        )

    def ended(self) -> int | None:
        """Return the exit code, or None while it runs."""
        return self.process.poll() if self.process else None


class Tree:
    """Parts that are started in order, watched, restarted when they die, and stopped in reverse order."""

    def __init__(self, parts: Sequence[Part], notice: Callable[[str], None]) -> None:
        self.parts = list(parts)
        self._notice = notice
        self._stopping = False

    def start(self) -> None:
        """Start every part that does not run."""
        for part in self.parts:
            if part.process is None:
                part.start()

    def ask_to_stop(self, *_: object) -> None:
        """Make `watch` return; usable as a signal handler."""
        self._stopping = True

    @property
    def stopping(self) -> bool:
        """Whether an end was asked for."""
        return self._stopping

    def watch(self, each_second: Callable[[], None] = lambda: None) -> None:
        """Return when asked to stop; a part that ends before is started again after a moment, and that is said."""
        while not self._stopping:
            for part in self.parts:
                code = part.ended()
                if code is not None and not self._stopping:
                    self._notice(f"{part.name} ended with code {code}; starting it again")
                    time.sleep(1)
                    part.start()
            each_second()
            time.sleep(0.2 if self._stopping else 1)

    def stop(self) -> None:
        """End every part, last started first: politely, then by force, its own children too."""
        family = [_family(part) for part in self.parts]
        for part in reversed(self.parts):
            if part.process and part.ended() is None:
                part.process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for part in self.parts:
            if part.process:
                try:
                    part.process.wait(max(0.1, deadline - time.monotonic()))
                except subprocess.TimeoutExpired:
                    self._notice(f"{part.name} did not end in {STOP_SECONDS:.0f} s; killing it")
                    part.process.kill()
                    part.process.wait()
        for process in (member for members in family for member in members):
            if process.is_running():
                process.kill()


def _family(part: Part) -> list[psutil.Process]:
    if part.process is None or part.ended() is not None:
        return []
    try:
        return psutil.Process(part.process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []
