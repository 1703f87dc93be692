"""Do the spans name what drove the score? Delete them and see (comprehensiveness, DeYoung et al. 2020, ERASER)."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

import numpy as np

from classifiers.assessment import Span
from classifiers.cascade import Cascade
from config.taxonomy import SLUGS


def deletion(cascade: Cascade, texts: Sequence[str], thresholds: dict[str, float], *, seed: int = 1) -> dict[str, Any]:
    """Mean fall of a flagged category's score when its spans are deleted, and when as much is deleted at random.

    A text whose spans cover all of it is left out: nothing else could be deleted.
    """
    random = Random(seed)  # noqa: S311 - repeatable, not secret
    wanted: list[tuple[str, float, str, str]] = []
    for text, assessment in zip(texts, cascade.assess(texts), strict=True):
        for slug in assessment.flagged(thresholds):
            mine = [span for span in assessment.spans if span.slug == slug]
            without, removed = _without(text, mine)
            if mine and removed < len(text):
                wanted.append((slug, assessment.scores[slug], without, _shorter(text, mine, random)))
    if not wanted:
        return {"texts": 0}
    columns = [SLUGS.index(slug) for slug, *_ in wanted]
    rows = np.arange(len(wanted))
    before = np.array([score for _, score, *_ in wanted])
    spans = before - cascade.scores([text for *_, text, _ in wanted])[rows, columns]
    chance = before - cascade.scores([text for *_, text in wanted])[rows, columns]
    return {
        "texts": len(wanted),
        "fall_without_spans": round(float(spans.mean()), 4),
        "fall_at_random": round(float(chance.mean()), 4),
        "ratio": round(float(spans.mean() / max(chance.mean(), 1e-9)), 2),
    }


def _without(text: str, spans: Sequence[Span]) -> tuple[str, int]:
    gone = {place for span in spans for place in range(span.start, span.end)}
    return "".join(char for place, char in enumerate(text) if place not in gone), len(gone)


def _shorter(text: str, spans: Sequence[Span], random: Random) -> str:
    """The text without stretches as long as the spans, at places drawn at random."""
    gone: set[int] = set()
    for span in spans:
        length = span.end - span.start
        start = random.randint(0, max(0, len(text) - length))
        gone |= set(range(start, start + length))
    return "".join(char for place, char in enumerate(text) if place not in gone)
