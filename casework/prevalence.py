"""How common harmful content is on a site, from what was drawn with a known probability; and what the rest covers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TypeVar

from django.db.models import Count, Max, Min, Q, QuerySet, Sum
from django.utils import timezone

from casework import estimation, policies
from casework.estimation import Estimate, ThreadSample
from casework.models import Case, CaseState, DailyCount, SampleCount

REMEMBERED = timedelta(days=90)
"""How far back the past counts for the next draw."""

T = TypeVar("T", SampleCount, DailyCount)
_NONE = (0.0, 0)


@dataclass(frozen=True)
class Coverage:
    """One section: how it is sampled, what was assessed, and how much of that may be generalised.

    `sampled` counts the assessed units that have a known probability, in the same days but by the day of capture.
    """

    section: str
    method: str
    assessed: int
    flagged: int
    sampled: int


@dataclass(frozen=True)
class Prevalence:
    """The estimates of a site: of any category, of each, and of any by section; `since` and `until` are included.

    `overall` is None where nothing was drawn with a known probability.
    """

    site: str
    since: date | None
    until: date | None
    overall: Estimate | None
    categories: Mapping[str, Estimate]
    sections: Mapping[str, Estimate]
    coverage: tuple[Coverage, ...]


def of_site(site: str, since: date | None = None, until: date | None = None) -> Prevalence:
    """Estimate the share of units that reach a threshold, by the days on which they were captured (Asia/Shanghai).

    Args:
        since: first day; None: from the first that there is.
        until: last day; None: to the last that there is.
    """
    rows = _within(SampleCount.objects.filter(site=site), since, until)
    samples = _samples(rows)
    by_section: dict[str, list[ThreadSample]] = defaultdict(list)
    for one in samples[SampleCount.ANY]:
        by_section[one.stratum[0]].append(one)
    found = sorted(samples.keys() - {SampleCount.ANY})
    days = rows.aggregate(first=Min("day"), last=Max("day"))
    return Prevalence(
        site,
        since or days["first"],
        until or days["last"],
        estimation.estimate(samples[SampleCount.ANY]),
        {name: told for name in found if (told := estimation.estimate(samples[name]))},
        {name: told for name, some in sorted(by_section.items()) if (told := estimation.estimate(some))},
        tuple(
            _coverage(site, since, until, {name: sum(one.units for one in some) for name, some in by_section.items()})
        ),
    )


def sites() -> list[str]:
    """Return the sites of which anything was drawn with a known probability."""
    return sorted(SampleCount.objects.values_list("site", flat=True).distinct().order_by())


def past_spreads(site: str) -> dict[tuple[str, str], float]:
    """Return (section, stratum) → what one more thread tells, for the shares of the next draw.

    Stratum "" is the section as a whole.
    """
    since = timezone.localdate() - REMEMBERED
    samples = _samples(_within(SampleCount.objects.filter(site=site), since, None))[SampleCount.ANY]
    whole = [replace(one, stratum=(one.stratum[0], "")) for one in samples]
    told = estimation.spreads(samples) | estimation.spreads(whole)
    return {(name[0], name[1]): value for name, value in told.items()}


def past_finds(site: str) -> dict[str, float]:
    """Return thread → cases found in it, dismissed ones left out, for where an adaptive draw looks more often."""
    since = timezone.now() - REMEMBERED
    cases = Case.objects.filter(site=site, thread__isnull=False, audit_sample=False, captured_at__gte=since)
    kept = cases.exclude(state__in=[CaseState.DISMISSED, CaseState.OUT_OF_SCOPE])
    return {key: float(n) for key, n in kept.order_by().values_list("thread").annotate(n=Count("pk"))}


def _within(rows: QuerySet[T], since: date | None, until: date | None) -> QuerySet[T]:
    bounds = Q()
    if since is not None:
        bounds &= Q(day__gte=since)
    if until is not None:
        bounds &= Q(day__lte=until)
    return rows.filter(bounds)


def _samples(rows: QuerySet[SampleCount]) -> dict[str, list[ThreadSample]]:
    """Return category → every thread that was read, with its hits; a thread counts once, over all its days."""
    key = ("section", "stratum", "thread", "category")
    summed = rows.values_list(*key).annotate(Sum("units"), Sum("weight"), Min("drawn"), Max("frame")).order_by(*key)
    threads: dict[tuple[str, ...], ThreadSample] = {}
    hits: dict[str, dict[tuple[str, ...], tuple[float, int]]] = defaultdict(dict)
    for section, stratum, thread, category, units, weight, drawn, frame in summed:
        where = (section, stratum, thread)
        if category == SampleCount.ALL:
            threads[where] = ThreadSample((section, stratum), frame, drawn, units, weight)
        else:
            hits[category][where] = (weight, units)
    return {
        category: [
            replace(one, hits=hits[category].get(where, _NONE)[0], found=hits[category].get(where, _NONE)[1])
            for where, one in threads.items()
        ]
        for category in {SampleCount.ANY, *hits}
    }


def _coverage(site: str, since: date | None, until: date | None, sampled: Mapping[str, int]) -> list[Coverage]:
    rows = _within(DailyCount.objects.filter(site=site), since, until)
    counts = {
        name: (assessed, flagged)
        for name, assessed, flagged in rows.values_list("section")
        .annotate(Sum("assessed"), Sum("flagged"))
        .order_by("section")
    }
    policy = policies.effective(site)
    methods = {section.slug: section.method for section in policy.sections} if policy else {}
    names = list(dict.fromkeys([*methods, *counts, *sampled]))
    return [
        Coverage(name, methods.get(name, ""), *counts.get(name, (0, 0)), sampled.get(name, 0)) for name in names if name
    ]
