"""Figures for Prometheus: how long pages and tasks take, and the state of the installation at the moment of asking.

Timings are kept by each process in a file of its own (prometheus-client's multiprocess mode) below `metrics/` in the
data folder, one folder per part; everything else is read from the database when somebody asks. Labels name views,
tasks, sites and categories: never a person, never a text.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime

from django.db import DatabaseError
from django.db.models import Count, Min, Sum
from django.utils import timezone
from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from casework import audit, counts, drift, lag, policies, status
from casework.models import Case, DailyCount, Heartbeat
from config.settings import get_settings

PAGES = Histogram(
    "woodpecker_page_seconds",
    "Time that the server took for a page or an answer of the API.",
    ["view", "method", "status"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.15, 0.3, 0.6, 1.0, 2.5, 5.0, 10.0),
)
TASKS = Histogram(
    "woodpecker_task_seconds",
    "Time that a worker took for a task.",
    ["task", "outcome"],
    buckets=(0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 240.0),
)

Families = Iterator[Metric]


def exposition() -> bytes:
    """Return everything in Prometheus' text format."""
    registry = CollectorRegistry()
    registry.register(_Read(_state))
    registry.register(timings())
    return generate_latest(registry)


def timings() -> Collector:
    """Return the collector of what the processes of this machine have measured."""
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        return _Read(_kept)
    return _Read(lambda: (family for one in (PAGES, TASKS) for family in one.collect()))


class _Read(Collector):
    """A collector that reads when it is asked."""

    def __init__(self, read: Callable[[], Iterable[Metric]]) -> None:
        self._read = read

    def collect(self) -> Iterable[Metric]:
        return self._read()


def _kept() -> Iterable[Metric]:
    files = sorted(str(path) for path in get_settings().path("metrics", "x").parent.glob("*/*.db"))
    merged: Iterable[Metric] = MultiProcessCollector.merge(files, accumulate=True)  # type: ignore[no-untyped-call]
    return merged


def _state() -> Families:
    parts = status.parts()
    yield _gauge("up", "Whether a part answers.", ["part"], [([one.name], float(one.ok)) for one in parts])
    if not parts[0].ok:  # without the database there is nothing more to tell
        return
    try:
        for read in (_waiting, _cases, _lag, _captures, _crawls, _drift):
            yield from read()
    except DatabaseError:
        return


def _waiting() -> Families:
    found, last = status.snapshot(), audit.head()
    search = found["search"]
    yield _gauge("inbox_captures", "Captures that wait for their assessment.", [], [([], found["inbox"])])
    yield _gauge("inbox_oldest_seconds", "Age of the oldest of them.", [], [([], found["oldest_inbox_seconds"])])
    yield _gauge("failed_captures", "Captures that were given up; a person must look.", [], [([], found["failed"])])
    yield _gauge("workers", "Processes of `woodpecker work` alive a moment ago.", [], [([], found["workers"])])
    yield _gauge("audit_entries", "Entries of the audit log.", [], [([], last.sequence if last else 0)])
    if search["documents"] is not None:
        yield _gauge("search_documents", "Cases that the search holds.", [], [([], search["documents"])])
    yield _gauge("search_behind", "Cases that the search does not hold as they are.", [], [([], search["behind"] or 0)])


def _cases() -> Families:
    rows = list(
        Case.objects.filter(copy_of=None)
        .order_by()
        .values_list("state", "severity")
        .annotate(n=Count("pk"), oldest=Min("created_at"))
    )
    yield _gauge("cases", "Cases by state and severity.", ["state", "severity"], [([s, v], n) for s, v, n, _ in rows])
    yield _gauge(
        "queue_oldest_seconds",
        "Age of the oldest open case.",
        ["severity"],
        [([severity], _age(oldest)) for state, severity, _, oldest in rows if state == "open"],
    )


def _lag() -> Families:
    """From acceptance into the inbox to a case, and on to where reviewers find it, for the newest cases."""
    found = lag.measure()
    if found.to_case:
        at = _quantiles(found.to_case)
        yield _gauge("ingest_to_case_seconds", "Time from ingest to a case, newest cases.", ["quantile"], at)
    if found.to_visible:
        at = _quantiles(found.to_visible)
        yield _gauge("ingest_to_visible_seconds", "Time from ingest to where reviewers find it.", ["quantile"], at)


def _quantiles(ascending: Sequence[float]) -> list[tuple[list[str], float]]:
    return [([str(share)], lag.quantile(ascending, share)) for share in lag.QUANTILES]


def _captures() -> Families:
    """Yield of each site: what came, what was new, what humans have to look at."""
    sums = {field: Sum(field) for field in counts.FIELDS}
    family = CounterMetricFamily("woodpecker_captures", "Captures by site.", labels=["site", "outcome"])
    for site, *figures in DailyCount.objects.order_by().values_list("site").annotate(**sums):
        for field, figure in zip(counts.FIELDS, figures, strict=True):
            family.add_metric([site, field], figure)
    yield family


def _crawls() -> Families:
    problems = [([name], len(found)) for name, found in policies.wrong().items()]
    yield _gauge("policy_problems", "Mistakes in a policy file; what held before goes on.", ["policy"], problems)
    rows = Heartbeat.objects.filter(kind="crawl").values_list("name", "at")
    ages = [([name.removeprefix("crawl:")], _age(at)) for name, at in rows]
    yield _gauge("crawl_age_seconds", "Time since a site's crawl was last asked for.", ["site"], ages)


def _drift() -> Families:
    found = drift.measure()
    if found is None:
        return
    yield _gauge(
        "score_psi",
        "Population stability index of the model's scores, last day against its first days here.",
        ["category", "model"],
        [([slug, found.model], value) for slug, value in found.psi.items()],
    )


def _gauge(name: str, text: str, labels: Sequence[str], values: Iterable[tuple[Sequence[str], float]]) -> Metric:
    family = GaugeMetricFamily(f"woodpecker_{name}", text, labels=labels)
    for label_values, value in values:
        family.add_metric(label_values, value)
    return family


def _age(at: datetime) -> float:
    return max(0.0, (timezone.now() - at).total_seconds())
