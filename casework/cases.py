"""Cases: what comes first, what lies around a case, and when its text goes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Case as Choice
from django.db.models import Exists, F, OuterRef, Q, QuerySet, TextField, Value, When
from django.utils import timezone

from casework import audit, evidence, exposure, policies, signals, signatures
from casework.models import AuditEntry, Case, CaseState, Finding, NoticeLine, User
from config.taxonomy import LAWS, load_taxonomy

UNDO_WINDOW = timedelta(seconds=60)
"""How long a finding can be taken back; after it the text of what is 超出范围 is purged."""
NEIGHBOURS = 5
"""Cases shown before and after a case in its thread."""


@dataclass(frozen=True)
class LawText:
    """One legal basis of a category: short name, full title, article, e.g. L, 未成年人保护法, 77."""

    law: str
    title: str
    article: str


@dataclass(frozen=True)
class Context:
    """What lies around a case: its thread's other cases, its policy's words, its category's definition and law."""

    before: Sequence[Case]
    after: Sequence[Case]
    site_title: str
    section_title: str
    threshold: float | None
    category_name: str
    definition: str
    law: Sequence[LawText]


@dataclass(frozen=True)
class Act:
    """One line of a case's history: when, by whom (工号), what, and the details that were recorded."""

    at: datetime
    actor: str
    action: str
    details: Mapping[str, Any]


_ACTS = {
    "case.decide": "作出决定",
    "case.undo": "撤销决定",
    "case.reveal": "查看原文",
    "case.purge": "清除文字",
    "case.edited": "原文已改",
    "case.gone": "原处已无",
    "case.take_over": "接手案件",
    "case.hand_over": "移交案件",
    "case.split": "拆出副本",
    "case.rejoin": "归回副本",
}


def history(case: Case) -> list[Act]:
    """Return what people did with the case, who saw its text, and which model assessed it again, oldest first."""
    # Who merely looked stands in the audit log: of a case that many open it would hide what was done.
    own = AuditEntry.objects.filter(subject=f"case:{case.pk}").exclude(action="case.view")
    entries = own.order_by("sequence")
    acts = [Act(one.at, one.actor, _ACTS.get(one.action, one.action), _in_words(one.details)) for one in entries]
    return sorted([*acts, *_reassessed(case)], key=lambda act: act.at)


def _reassessed(case: Case) -> list[Act]:
    """Return when another model assessed the case again, and what was said before: no score while it is undecided."""
    past = list(case.past_assessments.order_by("id"))
    models = [*(one.model_version for one in past), case.model_version][1:]
    scored = exposure.scores_shown(case)
    return [
        Act(
            one.until,
            audit.SYSTEM,
            "重新评估",
            {
                "model": model,
                "before": {"model": one.model_version, "category": one.category, "severity": one.severity}
                | ({"score": one.score} if scored else {}),
            },
        )
        for one, model in zip(past, models, strict=True)
    ]


def _in_words(details: Mapping[str, Any]) -> dict[str, Any]:
    finding = details.get("finding")
    return {**details, "finding": Finding(finding).label} if finding else dict(details)


def by_urgency(cases: QuerySet[Case]) -> QuerySet[Case]:
    """Order: gravest first, then the surest, then the oldest."""
    return cases.order_by("severity", "-score", "id")


def context(case: Case, user: User) -> Context:
    """Return what a person needs beside the text to decide; neighbours only as far as they may see them."""
    category = load_taxonomy().categories[case.category]
    placement = policies.placement(case.site, case.section)
    before, after = _neighbours(case, user)
    return Context(
        before=before,
        after=after,
        site_title=policies.site_title(case.site),
        section_title=policies.section_title(case.site, case.section),
        threshold=placement.thresholds.get(case.category),
        category_name=category.name,
        definition=category.definition,
        law=[LawText(ref.law, LAWS[ref.law], ref.article) for ref in category.basis],
    )


def _neighbours(case: Case, user: User) -> tuple[list[Case], list[Case]]:
    if case.thread is None:
        return [], []
    thread = exposure.visible_cases(user).filter(site=case.site, thread=case.thread).exclude(pk=case.pk)
    if case.position is None:
        return [], list(thread.order_by("id")[:NEIGHBOURS])
    before = thread.filter(position__lte=case.position).order_by("-position", "-id")[:NEIGHBOURS]
    after = thread.filter(position__gt=case.position).order_by("position", "id")[:NEIGHBOURS]
    return list(before)[::-1], list(after)


def strip_text(cases: QuerySet[Case]) -> int:
    """Take the text, and all that quotes it, out of these rows; their digests and verdicts stay.

    Personal data in an address goes with it, unless the case is on a list, which needs the address as it is.
    The caller holds a transaction and announces the ids.
    """
    now = timezone.now()
    listed = Exists(NoticeLine.objects.filter(case=OuterRef("pk")))
    signatures.forget_text(cases.values_list("pk", flat=True))
    return cases.update(
        text="",
        folded="",
        spans=[],
        undone=[],
        redactions=[],
        evidence=None,
        sealed_url=Choice(
            When(listed, then=F("sealed_url")),
            default=Value("", TextField()),
        ),
        purge_after=None,
        purged_at=now,
        updated_at=now,
        version=F("version") + 1,
    )


def strip_metadata(cases: QuerySet[Case]) -> int:
    """Take from restricted rows where they stood and by which digest they were known; the verdict stays.

    The caller holds a transaction and announces the ids.
    """
    signatures.forget(cases.values_list("pk", flat=True))
    cases.update(
        url="",
        canonical_url="",
        unit="",
        thread=None,
        position=None,
        flags=[],
        published_at=None,
        text_sha256="",
    )
    return strip_text(cases)


def purge_due(now: datetime | None = None) -> int:
    """Purge the out-of-scope cases whose undo window is over; returns how many.

    Their text, fold, spans and undone evasions go; a line in the audit log says how many.
    """
    due = Q(state=CaseState.OUT_OF_SCOPE, purged_at__isnull=True, purge_after__lte=now or timezone.now())
    if not Case.objects.filter(due).exists():
        return 0
    with transaction.atomic():
        cases = list(Case.objects.select_for_update().filter(due).order_by("id"))
        if not cases:
            return 0
        for case in cases:
            evidence.destroy(case)
        ids = [case.pk for case in cases]
        strip_text(Case.objects.filter(pk__in=ids))
        audit.record("case.purge", audit.SYSTEM, "rule:out_of_scope", cases=ids)
        signals.announce_cases(ids)
    return len(ids)
