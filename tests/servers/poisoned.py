"""What `celery --app tests.servers.poisoned` loads: the real worker with a model that two texts upset."""

from __future__ import annotations

import os
import signal
from collections.abc import Collection, Sequence

from classifiers.assessment import Assessment, Assessor, Span
from workers import entry, tasks

RAISES, KILLS = "这一句让模型出错", "这一句让进程消失"

app = entry.app
_load = tasks.assessor


class Poisoned:
    """The shipped model, which fails on one text and takes its process with it on another."""

    def __init__(self, real: Assessor) -> None:
        self._real, self.version = real, real.version

    def assess(self, texts: Sequence[str]) -> list[Assessment]:
        for text in texts:
            if text == KILLS:
                os.kill(os.getpid(), signal.SIGKILL)
            if text == RAISES:
                raise ValueError(f"cannot read {text}")
        return self._real.assess(texts)

    def point(self, texts: Sequence[str], categories: Sequence[Collection[str]]) -> list[tuple[Span, ...]]:
        return self._real.point(texts, categories)


tasks.assessor = lambda: Poisoned(_load())  # type: ignore[assignment]
