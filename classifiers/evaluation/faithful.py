"""Do the spans name what drove the score? Delete them and see (comprehensiveness, DeYoung et al. 2020, ERASER)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from random import Random
from typing import Any

import numpy as np

from classifiers.assessment import Span
from classifiers.cascade import Cascade
from config.taxonomy import SLUGS

DRAWS = 3  # random deletions of each case
RESAMPLED = 500


def deletion(cascade: Cascade, texts: Sequence[str], thresholds: dict[str, float], *, seed: int = 1) -> dict[str, Any]:
    """Mean fall of a flagged category's score when its spans are deleted, and when as much is deleted at random; their
    ratio has a 95 % bootstrap interval over the cases.

    A text whose spans cover all of it is left out: nothing else could be deleted. `without_spans` counts flagged
    categories that nothing explains.
    """
    random = Random(seed)  # noqa: S311 - repeatable, not secret
    wanted: list[tuple[str, float, list[str]]] = []
    unexplained = 0
    for text, assessment in zip(texts, cascade.assess(texts), strict=True):
        for slug in assessment.flagged(thresholds):
            mine = [span for span in assessment.spans if span.slug == slug]
            without, removed = _without(text, mine)
            unexplained += not mine
            if mine and removed < len(text):
                chance = [_shorter(text, mine, random) for _ in range(DRAWS)]
                wanted.append((slug, assessment.scores[slug], [without, *chance]))
    if not wanted:
        return {"texts": 0}
    scores = cascade.scores(list(chain.from_iterable(shorter for *_, shorter in wanted)))
    columns = [SLUGS.index(slug) for slug, *_ in wanted]
    after = scores.reshape(len(wanted), 1 + DRAWS, -1)[np.arange(len(wanted)), :, columns]
    falls = np.array([score for _, score, _ in wanted])[:, None] - after
    spans, chance_falls = falls[:, 0], falls[:, 1:].mean(axis=1)
    draws = np.random.default_rng(seed).integers(0, len(wanted), (RESAMPLED, len(wanted)))
    ratios = spans[draws].mean(axis=1) / np.maximum(chance_falls[draws].mean(axis=1), 1e-9)
    return {
        "texts": len(wanted),
        "without_spans": unexplained,
        "fall_without_spans": round(float(spans.mean()), 4),
        "fall_at_random": round(float(chance_falls.mean()), 4),
        "ratio": round(float(spans.mean() / max(chance_falls.mean(), 1e-9)), 2),
        "ratio_interval": [round(float(value), 2) for value in np.quantile(ratios, [0.025, 0.975])],
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
