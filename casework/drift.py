"""Drift: whether the scores that a model gives are still distributed as when it began to work here.

Counted are scores in bands, per category and day; no text and no single score is kept. The measure is the population
stability index, Σ (p − q) · ln(p / q) over the bands (Siddiqi 2006, Credit Risk Scorecards): below 0.1 nothing has
changed, from 0.25 on somebody should look, since texts, evasions or sites have changed and thresholds may not fit.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.db import connection
from django.db.models import Max, Sum
from django.utils import timezone

from casework import bulk
from casework.models import ScoreCount
from classifiers.assessment import Assessment

EDGES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9)
"""Scores at which a band begins; the first band begins at 0."""
BANDS = len(EDGES) + 1
REFERENCE_TEXTS = 10_000
"""Texts that a model's reference holds: its first whole days here until there are so many."""
LEAST_TEXTS = 500
"""Fewer texts say nothing."""


@dataclass(frozen=True)
class Drift:
    """What was found: the model, how many texts stand on each side, and the index of each category."""

    model: str
    reference_texts: int
    texts: int
    psi: Mapping[str, float]


def add(assessments: Iterable[Assessment]) -> None:
    """Count the scores of assessed texts, in the running transaction: one statement, rows in ascending order."""
    tally: Counter[tuple[str, str, int]] = Counter()
    for one in assessments:
        tally.update((one.model, slug, bisect_right(EDGES, score)) for slug, score in one.scores.items())
    if not tally:
        return
    day = connection.ops.adapt_datefield_value(timezone.localdate())
    bulk.insert(
        ScoreCount,
        ("day", "model_version", "category", "band", "n"),
        [(day, *key, n) for key, n in sorted(tally.items())],
        on_conflict="(day, model_version, category, band) DO UPDATE SET n = {table}.n + excluded.n",
    )


def measure(day: date | None = None) -> Drift | None:
    """Compare the last day's scores of the model in use with its reference; None while either has too few texts."""
    today = day or timezone.localdate()
    last = ScoreCount.objects.aggregate(day=Max("day"))["day"]
    newest = ScoreCount.objects.filter(day=last).order_by("-id").first()
    if newest is None:
        return None
    model = newest.model_version
    reference = _sum(model, _reference_days(model, today))
    current = _sum(model, [today - timedelta(days=1), today])
    texts, reference_texts = _texts(current), _texts(reference)
    if min(texts, reference_texts) < LEAST_TEXTS:
        return None
    psi = {slug: index(reference[slug], bands) for slug, bands in sorted(current.items()) if slug in reference}
    return Drift(model, reference_texts, texts, psi)


def index(reference: Sequence[int], current: Sequence[int]) -> float:
    """Return the population stability index of two counts; half a text in each band keeps empty ones finite."""
    return round(sum((q - p) * math.log(q / p) for p, q in zip(_shares(reference), _shares(current), strict=True)), 4)


def forget(before: date) -> int:
    """Remove the counts of days that no comparison needs any more; a model's reference stays. Returns the rows."""
    removed = 0
    for model in ScoreCount.objects.order_by().values_list("model_version", flat=True).distinct():
        old = ScoreCount.objects.filter(model_version=model, day__lt=before)
        removed += old.exclude(day__in=_reference_days(model, timezone.localdate())).delete()[0]
    return removed


def _texts(bands: Mapping[str, Sequence[int]]) -> int:
    """Every text has a score in every category."""
    return max((sum(one) for one in bands.values()), default=0)


def _shares(counts: Sequence[int]) -> list[float]:
    whole = sum(counts) + 0.5 * len(counts)
    return [(one + 0.5) / whole for one in counts]


def _reference_days(model: str, today: date) -> list[date]:
    """Return the first days of a model here until they hold enough texts; today is not over yet and never counts."""
    per_day: dict[date, dict[str, int]] = {}
    rows = ScoreCount.objects.filter(model_version=model, day__lt=today).order_by("day")
    for one, category, n in rows.values_list("day", "category").annotate(texts=Sum("n")):
        per_day.setdefault(one, {})[category] = n
    days: list[date] = []
    texts = 0
    for one, categories in sorted(per_day.items()):
        if texts >= REFERENCE_TEXTS:
            break
        days.append(one)
        texts += max(categories.values())
    return days


def _sum(model: str, days: Sequence[date]) -> dict[str, list[int]]:
    bands: dict[str, list[int]] = {}
    rows = ScoreCount.objects.filter(model_version=model, day__in=days).order_by()
    for category, band, n in rows.values_list("category", "band").annotate(texts=Sum("n")):
        bands.setdefault(category, [0] * BANDS)[band] = n
    return bands
