"""Backtest: what a changed threshold, policy, word list, model or queue would have put before humans, and where.

Replayed are the cases of the last days, with what humans found, and texts of a file, labelled or not. What lay below
every threshold was not kept, so what a change would *add* is estimated from the audit sample: each of its cases stands
for as many captures as were passed over for it (1 / `WOODPECKER_AUDIT_RATE`). Restricted cases hold no text: they are
left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

from django.utils import timezone
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from casework import exposure, hits, policies
from casework.models import Case, CaseState, Decision
from classifiers.cascade import Cascade, load_cascade
from config.settings import get_settings
from config.site_policy import SitePolicy
from config.taxonomy import SLUGS, load_taxonomy
from config.thresholds import S0_CATEGORIES, S0_THRESHOLD, GeneralPolicy
from config.work import Work
from workers import backtest_queues

FORMAT = "silver-woodpecker-backtest/1"
MOST_LINES = 200_000
MOST_CASES = 50_000
"""Newest cases that are replayed."""
EXAMPLES = 12
"""Examples of what is added and of what is lost."""
ASSUMED_MINUTES = 1.5
LEAST_GAPS = 20
"""Decisions one after the other from which a reviewer's time for a case is measured."""
LONGEST_GAP = timedelta(minutes=10)
GROUPS = ("kept", "added", "lost")
VERDICTS = ("confirmed", "dismissed", "undecided")


class BacktestError(Exception):
    """The input is wrong; says what and where."""


class Line(BaseModel):
    """One line of a file: a text, perhaps what it really is, perhaps where it stood."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    text: str = Field(max_length=20_000)
    labels: tuple[str, ...] | None = None
    site: str = Field("", max_length=63)
    section: str = Field("", max_length=63)


@dataclass(frozen=True)
class Change:
    """What would be different: policies by site, thresholds by category, a folder of word rules, a model, queues."""

    policies: Mapping[str, SitePolicy] = field(default_factory=dict)
    thresholds: Mapping[str, float] = field(default_factory=dict)
    rules: Path | None = None
    model: Path | None = None
    work: Work | None = None

    @property
    def scores_differ(self) -> bool:
        """Whether texts must be read again."""
        return self.rules is not None or self.model is not None

    def after(self, site: str, section: str, before: Mapping[str, float]) -> dict[str, float]:
        """Return the thresholds that would hold for a section."""
        values = dict(before)
        policy = self.policies.get(site)
        if policy is not None and section in {one.slug for one in policy.sections}:
            values = policy.thresholds_for(section)
        values |= self.thresholds
        return values | {slug: min(values[slug], S0_THRESHOLD) for slug in S0_CATEGORIES}


@dataclass
class Item:
    """One text that is replayed, for how many it stands, what it was judged and what humans found."""

    key: str
    source: str
    case: Case
    weight: float
    verdict: str
    before: Mapping[str, float] = field(default_factory=dict)
    after: Mapping[str, float] = field(default_factory=dict)
    was: Sequence[str] = ()
    would_be: Sequence[str] = ()
    limits: Mapping[str, float] = field(default_factory=dict)
    stood: tuple[str, ...] = ()
    would_stand: tuple[str, ...] = ()
    asked_second: bool = False
    would_ask_second: bool = False

    @property
    def moved(self) -> bool:
        """Whether it is before humans in either case, but through other queues."""
        return self.group == "kept" and self.stood != self.would_stand

    @property
    def group(self) -> str:
        """Whether it is kept, added, lost, or before nobody in either case."""
        return {(1, 1): "kept", (0, 1): "added", (1, 0): "lost"}.get((bool(self.was), bool(self.would_be)), "neither")

    @property
    def category(self) -> str:
        """The category for which it is, or was, put before humans."""
        return (*self.would_be, *self.was, self.case.category)[0]


def run(
    change: Change,
    *,
    days: int = 30,
    site: str = "",
    source: Path | None = None,
    minutes: float | None = None,
    progress: Callable[[int, int], None] = lambda done, all_: None,
) -> dict[str, Any]:
    """Replay and return the report.

    Args:
        change: what would be different.
        days: cases made within so many days are replayed.
        site: only this site's.
        source: a file of further texts, `Line` by line.
        minutes: what a reviewer needs for a case; None measures it from past decisions.
        progress: told how many texts are done, of how many.

    Raises:
        BacktestError: a line of the file is wrong.
        classifiers.errors.ClassifierError: the rules or the model are wrong.
    """
    since = timezone.now() - timedelta(days=days)
    held = Case.objects.filter(created_at__gte=since, restricted=False, copy_of=None).exclude(text="")
    held = held.filter(site=site) if site else held
    items = [_of_case(case) for case in held.order_by("-id")[:MOST_CASES]]
    items += [_of_line(number, line) for number, line in _lines(source)] if source else []
    _score(items, change, progress)
    for one in items:
        before = policies.placement(one.case.site, one.case.section).thresholds
        one.limits = change.after(one.case.site, one.case.section, before)
        one.was, one.would_be = _flagged(one.before, before), _flagged(one.after, one.limits)
    backtest_queues.place(items, policies.work(), change.work or policies.work())
    left_out = Case.objects.filter(created_at__gte=since, copy_of=None).count() - held.count() if not site else 0
    return _report(items, change, days=days, left_out=left_out, minutes=minutes)


def page(report: Mapping[str, Any]) -> str:
    """Return the report as one HTML page that needs nothing from outside; texts are masked as in the queue."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined
    )
    environment.filters["category"] = lambda slug: load_taxonomy().categories[slug].name
    environment.filters["site"] = policies.site_title
    environment.filters["queue"] = lambda name: report["queues"].get(name, {}).get("title") or "不在任何队列"
    return environment.get_template("backtest.html").render(report=report, groups=GROUPS)


def unlike(report: Mapping[str, Any], policy: SitePolicy | Work | GeneralPolicy) -> str:
    """Say what a report tried that is not this policy; empty where it tried this.

    A site's file and `work.yaml` are told by their digest. A general policy or a class is tried by `--threshold`: its
    thresholds outside children's sections must be those that were tried.
    """
    change = report.get("change")
    change = change if isinstance(change, dict) else {}
    tried = change.get("thresholds") or {}
    if isinstance(policy, Work):
        return "" if change.get("work") == policy.digest else "another work.yaml, or none"
    if isinstance(policy, SitePolicy):
        if (change.get("policies") or {}).get(policy.name) != policy.digest:
            return f"another policy of {policy.name}, or none"
        return f"thresholds besides: {', '.join(tried)}" if tried else ""
    says = policy.zone_thresholds("general")
    differ = [f"{slug}={value:g}, where the file says {says.get(slug)}" for slug, value in tried.items()
              if says.get(slug) != value]  # fmt: skip
    return "; ".join(differ) if tried else "no threshold"


def minutes_per_case() -> float | None:
    """Return the median time between two decisions of one person at work; None where there are too few."""
    rows = Decision.objects.filter(follows=None).order_by("decided_by", "decided_at", "id")
    gaps = [
        later - earlier
        for (who, earlier), (same, later) in pairwise(rows.values_list("decided_by", "decided_at")[:50_000])
        if who == same and timedelta() < later - earlier <= LONGEST_GAP
    ]
    return round(median(gap.total_seconds() for gap in gaps) / 60, 2) if len(gaps) >= LEAST_GAPS else None


def _of_case(case: Case) -> Item:
    weight = 1 / max(get_settings().audit_rate, 1e-4) if case.audit_sample else 1.0
    verdict = {CaseState.CONFIRMED: "confirmed", CaseState.DISMISSED: "dismissed"}.get(
        CaseState(case.state), "undecided"
    )
    return Item(case.number, "cases", case, weight, verdict, before=case.scores, after=case.scores)


def _of_line(number: int, line: Line) -> Item:
    verdict = "undecided" if line.labels is None else "confirmed" if line.labels else "dismissed"
    case = Case(text=line.text, site=line.site, section=line.section, category="", state=CaseState.OPEN)
    return Item(f"line {number}", "file", case, 1.0, verdict)


def _lines(path: Path) -> Iterator[tuple[int, Line]]:
    try:
        with path.open(encoding="utf-8") as file:
            for number, text in enumerate(file, 1):
                if number > MOST_LINES:
                    raise BacktestError(f"{path}: more than {MOST_LINES:,} lines")
                line = Line.model_validate_json(text)
                wrong = [slug for slug in line.labels or () if slug not in SLUGS]
                if wrong:
                    raise BacktestError(
                        f"{path}, line {number}, labels: found {wrong[0]!r}; allowed: {', '.join(SLUGS)}"
                    )
                yield number, line
    except (OSError, UnicodeDecodeError) as error:
        raise BacktestError(f"{path}: {error}") from error
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        name = ".".join(map(str, first["loc"])) or "line"
        raise BacktestError(f"{path}, line {number}, {name}: {first['msg']}") from error


def _score(items: Sequence[Item], change: Change, progress: Callable[[int, int], None]) -> None:
    """Read what must be read: everything twice where scores would differ, else only what has no scores yet."""
    unread = items if change.scores_differ else [one for one in items if not one.before]
    if not unread:
        return
    settings = get_settings()
    now = load_cascade(settings.model_dir, settings.own_rules)
    then = load_cascade(change.model or settings.model_dir, change.rules or settings.own_rules)
    for start in range(0, len(unread), 500):
        part = unread[start : start + 500]
        before = _scores(now, part)
        after = _scores(then, part) if change.scores_differ else before
        for one, was, would_be in zip(part, before, after, strict=True):
            one.before, one.after = was, would_be
        progress(start + len(part), len(unread))


def _scores(cascade: Cascade, items: Sequence[Item]) -> list[dict[str, float]]:
    rows = cascade.scores([one.case.text for one in items])
    return [dict(zip(SLUGS, map(float, row), strict=True)) for row in rows]


def _flagged(scores: Mapping[str, float], limits: Mapping[str, float]) -> list[str]:
    over = [slug for slug, score in scores.items() if score >= limits[slug]]
    return sorted(over, key=lambda slug: (-scores[slug], slug))


def _report(
    items: Sequence[Item], change: Change, *, days: int, left_out: int, minutes: float | None
) -> dict[str, Any]:
    measured = minutes if minutes is not None else minutes_per_case()
    each = measured if measured is not None else ASSUMED_MINUTES
    sources = {
        name: {
            "total": _figures(mine),
            "categories": _by(mine, lambda one: one.category),
            "sites": _by(mine, lambda one: one.case.site),
        }
        for name in ("cases", "file")
        if (mine := [one for one in items if one.source == name])
    }
    held = [one for one in items if one.source == "cases"]
    total = _figures(held)
    more = (total["added"] - total["lost"]) * each / 60
    return {
        "format": FORMAT,
        "made_at": timezone.localtime().isoformat(timespec="seconds"),
        "change": {
            "policies": {name: policy.digest for name, policy in change.policies.items()},
            "thresholds": dict(change.thresholds),
            "rules": str(change.rules or ""),
            "model": str(change.model or ""),
            "queues": change.work is not None,
            "work": change.work.digest if change.work else "",
        },
        "days": days,
        "replayed": dict(Counter(one.source for one in items)),
        "left_out": left_out,
        "minutes_per_case": {"value": each, "from": _origin(minutes, measured)},
        "reviewer_hours": {"in_these_days": round(more, 1), "per_week": round(more * 7 / days, 1)},
        "sources": sources,
        **backtest_queues.report(held, policies.work(), change.work or policies.work(), minutes=each, days=days),
        "examples": [
            *(_example(one) for group in ("lost", "added") for one in _telling(items, group)),
            *(_example(one) for one in [one for one in held if one.moved][:EXAMPLES]),
        ],
    }


def _origin(given: float | None, measured: float | None) -> str:
    if given is not None:
        return "given"
    return "measured from past decisions" if measured is not None else "assumed"


def _figures(items: Iterable[Item]) -> dict[str, float]:
    sums: Counter[str] = Counter()
    for one in items:
        sums[one.group] += one.weight  # type: ignore[assignment]
        sums[f"{one.group}_{one.verdict}"] += one.weight  # type: ignore[assignment]
    names = [*GROUPS, *(f"{group}_{verdict}" for group in GROUPS for verdict in VERDICTS)]
    figures = {name: round(float(sums[name]), 1) for name in names}
    return {"before": figures["kept"] + figures["lost"], "after": figures["kept"] + figures["added"]} | figures


def _by(items: Sequence[Item], key: Callable[[Item], str]) -> dict[str, dict[str, float]]:
    groups: dict[str, list[Item]] = {}
    for one in items:
        if one.group != "neither":
            groups.setdefault(key(one), []).append(one)
    return {name: _figures(mine) for name, mine in sorted(groups.items())}


def _telling(items: Sequence[Item], group: str) -> list[Item]:
    """Return the examples of a group: what a human confirmed first, then what moved furthest."""
    mine = [one for one in items if one.group == group]
    mine.sort(
        key=lambda one: (one.verdict != "confirmed", -abs(one.after[one.category] - one.before[one.category]), one.key)
    )
    return mine[:EXAMPLES]


def _example(one: Item) -> dict[str, Any]:
    slug = one.category
    if one.source == "file":
        one.case.scores, one.case.kid_zone = dict(one.before), False
        hits.settle(one.case, slug, (slug,))
    return {
        "group": "moved" if one.moved else one.group,
        "from": list(one.stood),
        "to": list(one.would_stand),
        "key": one.key,
        "source": one.source,
        "case": one.case.pk,
        "site": one.case.site,
        "category": slug,
        "before": round(one.before[slug], 4),
        "after": round(one.after[slug], 4),
        "threshold": one.limits[slug],
        "verdict": one.verdict,
        "sampled": one.case.audit_sample,
        "text": exposure.masked_excerpt(one.case),
    }
