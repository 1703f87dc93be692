"""What `celery --app tests.servers.poisoned` loads: the real worker with a model that three texts upset."""

from __future__ import annotations

import os
import signal
from collections.abc import Collection, Sequence

from classifiers.assessment import Assessment, Assessor, Span
from workers import entry, tasks

RAISES, KILLS, GROWS = "这一句让模型出错", "这一句让进程消失", "这一句让内存变大"
TOO_MUCH = 4 * 2**30
"""Bytes that it takes in the end where nothing stops it: enough to see that nothing did, not enough to do harm."""

app = entry.app
_load = tasks.assessor


class Poisoned:
    """The shipped model, which fails on one text, takes its process with it on another, and grows on the third."""

    def __init__(self, real: Assessor) -> None:
        self._real, self.version = real, real.version

    def assess(self, texts: Sequence[str]) -> list[Assessment]:
        for text in texts:
            if text == KILLS:
                os.kill(os.getpid(), signal.SIGKILL)
            if text == RAISES:
                raise ValueError(f"cannot read {text}")
            if text == GROWS:
                _grow()
        return self._real.assess(texts)

    def point(self, texts: Sequence[str], categories: Sequence[Collection[str]]) -> list[tuple[Span, ...]]:
        return self._real.point(texts, categories)


def _grow() -> None:
    taken: list[bytes] = []
    while len(taken) * 2**25 < TOO_MUCH:
        taken.append(bytes(2**25))


tasks.assessor = lambda: Poisoned(_load())  # type: ignore[assignment]
