"""Reassessments: a new model says again what it thinks of what is open. It decides nothing and closes nothing.

Assessed again are open cases on which nobody has found anything yet and nobody works just now; a claimed case waits
until it is free, and one that a person has spoken on keeps what they said. Copies follow their case and are assessed
when they are split off; restricted cases hold no text. What is left is asked of the cases themselves, so that a process
killed at any instant leaves nothing undone and does nothing twice.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from casework import audit, chains, clocks, clusters, hits, intake, policies, restricting, signals
from casework.models import Case, CaseState, Claim, Decision, PastAssessment, Reassessment
from casework.policies import Placement
from casework.skew import ahead
from classifiers.assessment import Assessment
from config.settings import get_settings

_LOCK = "reassessment"
BEHIND_SECONDS = 5.0
"""Age of a waiting batch of captures from which the inbox is behind: what is new goes first."""
FEW_AFTER, NONE_AFTER = 3, 6
"""Batches begun of which nobody told the end, after which one case is tried alone, and after which it is set aside."""

_FIELDS = (
    *("model_version", "policy_digest", "category", "categories", "severity", "grade", "score", "scores", "spans"),
    *("undone", "redactions", "flags", "text", "folded", "thread", "position", "evidence", "restricted"),
    *("audit_sample", "below_at", "due_at", "version", "updated_at"),
)


@dataclass(frozen=True)
class Left:
    """Open cases that another model assessed: those to assess, and why others are not."""

    waiting: int
    claimed: int
    judged: int
    restricted: int
    failed: int


def in_force() -> Reassessment | None:
    """Return the one that is in force; None before the first."""
    return Reassessment.objects.filter(ended_at__isnull=True).first()


@transaction.atomic
def begin(model: str, by: str) -> Reassessment:
    """Let this model assess again what is open, in the place of the one before; one that is in force goes on.

    Where nothing is open that another model assessed, the audit log has nothing to tell.
    """
    chains.lock(_LOCK)
    before = in_force()
    if before is not None and before.model_version == model:
        return before
    end(model)
    made = Reassessment.objects.create(model_version=model, started_by=by)
    if _waiting(made).exists():
        former = before.model_version if before else ""
        audit.record("model.reassess", audit.SYSTEM, f"model:{model}", by=by, before=former)
    return made


def end(model: str) -> None:
    """End what another model than this one does: this one is in use now, and nobody asked it to assess again."""
    running = Reassessment.objects.filter(ended_at__isnull=True).exclude(model_version=model)
    running.update(ended_at=timezone.now())


def retry_failed(run: Reassessment) -> None:
    """Let the cases that the model could not assess be tried again."""
    Reassessment.objects.filter(pk=run.pk).update(failed=[], attempts=0)


def due() -> Reassessment | None:
    """Return the one in force when something is left for it, nobody is at it, and the inbox is not behind."""
    run = in_force()
    if run is None or not Reassessment.objects.filter(_nobody(), pk=run.pk).exists():
        return None
    if intake.is_behind(BEHIND_SECONDS):
        return None
    return run if _free(_waiting(run)).exists() else None


def take_turn(run_id: int) -> Reassessment | None:
    """Note that a worker begins a batch; None when another is at it, the inbox is behind, or it is not in force.

    Its turn ends by itself once its task counts as lost (`WOODPECKER_LOST_SECONDS`).
    """
    if intake.is_behind(BEHIND_SECONDS):
        return None
    mine = Reassessment.objects.filter(_nobody(), pk=run_id, ended_at__isnull=True)
    if not mine.update(busy_until=timezone.now() + _turn(), attempts=F("attempts") + 1):
        return None
    return Reassessment.objects.get(pk=run_id)


def _nobody() -> Q:
    """Say that nobody is at it; an end that no turn of now can have was noted by a clock that was wrong."""
    now = timezone.now()
    return Q(busy_until__isnull=True) | Q(busy_until__lte=now) | Q(busy_until__gte=ahead(now + _turn()))


def _turn() -> timedelta:
    return timedelta(seconds=get_settings().lost_seconds)


def end_turn(run_id: int) -> None:
    """Note that nobody is at it, and that the batch came to its end, whatever there was to write."""
    Reassessment.objects.filter(pk=run_id).update(busy_until=None, attempts=0)


def next_cases(run: Reassessment, size: int) -> list[Case]:
    """Return cases to assess; after attempts that nobody told the end of, one alone, and at last it is set aside."""
    cases = _next(run, 1 if run.attempts > FEW_AFTER else size)
    if cases and run.attempts > NONE_AFTER:
        set_aside(run, cases[0].pk)
        cases = _next(run, 1)
    return cases


def set_aside(run: Reassessment, case_id: int) -> None:
    """Note that this model cannot assess this case; it keeps what was said of it."""
    with transaction.atomic():
        row = Reassessment.objects.select_for_update().get(pk=run.pk)
        row.failed, row.attempts = sorted({*row.failed, case_id}), 0
        row.save(update_fields=["failed", "attempts"])
    run.failed, run.attempts = row.failed, 0


def _next(run: Reassessment, size: int) -> list[Case]:
    """Return the next of one earlier model, by the index: the versions are few, and each is a stretch of it."""
    waiting, version = _waiting(run), ""
    while True:
        further = waiting.filter(model_version__gt=version).order_by("model_version")
        found = further.values_list("model_version", flat=True).first()
        if found is None:
            return []
        if cases := list(_free(waiting).filter(model_version=found).order_by("id")[:size]):
            return cases
        version = found


def categories(case: Case, assessment: Assessment) -> Collection[str]:
    """Return the categories that the case has by what a model says of it now: its own where nothing is flagged."""
    return assessment.flagged(policies.placement(case.site, case.section).thresholds) or case.categories


@transaction.atomic
def write(run: Reassessment, assessed: Sequence[tuple[Case, Assessment]]) -> int:
    """Write what the model says of cases as they were read, all or nothing; returns how many.

    A case that has changed since, or that somebody has taken, is left for another time.
    """
    read = {case.pk: (case.version, assessment) for case, assessment in assessed}
    rows = _free(_waiting(run)).filter(pk__in=read).select_for_update(of=("self",)).order_by("id")
    cases = [case for case in rows if case.version == read[case.pk][0]]
    gravest = clusters.gravest_copies(case.pk for case in cases)
    past: list[PastAssessment] = []
    found: dict[str, list[int]] = {"graver": [], "lighter": [], "below": [], "restricted": []}
    for case in cases:
        before = _past(case)
        how = _judge(case, read[case.pk][1], before, gravest.get(case.pk))
        if how:
            found[how].append(case.pk)
        if not case.restricted:
            past.append(before)
        case.version += 1
        case.save(update_fields=_FIELDS)
    PastAssessment.objects.bulk_create(past, batch_size=500)
    ids = [case.pk for case in cases]
    if ids:
        told = {name: some for name, some in found.items() if some}
        audit.record("case.reassess", audit.SYSTEM, f"model:{run.model_version}", cases=ids, **told)
        signals.announce_cases(ids)
    grown: Mapping[str, Any] = {name: F(name) + len(some) for name, some in found.items()}
    Reassessment.objects.filter(pk=run.pk).update(assessed=F("assessed") + len(ids), attempts=0, **grown)
    return len(ids)


def _judge(case: Case, assessment: Assessment, before: PastAssessment, gravest_copy: str | None) -> str:
    """Give the case its new assessment, and say in a word what that changed; empty: nothing of weight."""
    placement, response = policies.placement(case.site, case.section), case.evidence
    flagged = assessment.flagged(placement.thresholds)
    if hits.RESTRICTED in flagged:
        case.policy_digest = placement.digest
        return _restrict(case, assessment, response)
    return _place(case, assessment, flagged, placement, before, gravest_copy)


def _place(
    case: Case,
    assessment: Assessment,
    flagged: Collection[str],
    placement: Placement,
    before: PastAssessment,
    gravest_copy: str | None,
) -> str:
    if flagged and gravest_copy is not None:
        # Its copies joined it under what it was flagged for, and nothing graver may hide behind something lighter.
        flagged = {*flagged, *before.categories}
    hits.judge(case, assessment, flagged)
    if gravest_copy is not None and gravest_copy < case.severity:
        case.severity = gravest_copy
    case.policy_digest = placement.digest
    # Of an audit sample nothing is said: it was below from the beginning, and nobody may tell it from the hits.
    case.below_at = timezone.now() if not flagged and not case.audit_sample else None
    if case.severity != before.severity:
        _reset_clock(case, graver=case.severity < before.severity)
    if case.below_at is not None:
        return "below"
    return {-1: "graver", 1: "lighter"}.get((case.severity > before.severity) - (case.severity < before.severity), "")


def _reset_clock(case: Case, *, graver: bool) -> None:
    """Count the time of what is graver now from now on, within what it had; of what is lighter from its intake."""
    before = case.due_at
    clocks.start(case, timezone.now() if graver else case.created_at)
    if graver and before is not None and case.due_at is not None:
        case.due_at = min(before, case.due_at)


def _restrict(case: Case, assessment: Assessment, response: str | None) -> str:
    hits.judge(case, assessment, [hits.RESTRICTED])
    restricting.restrict(case, response)
    case.below_at = None
    _reset_clock(case, graver=True)
    clusters.restrict_copies(case)
    return "restricted"


def _past(case: Case) -> PastAssessment:
    kept = ("model_version", "policy_digest", "category", "categories", "severity", "grade", "score", "scores")
    return PastAssessment(case=case, **{name: getattr(case, name) for name in kept})


def progress() -> dict[str, Any] | None:
    """Return how far the one in force has come; None where there is none."""
    run = in_force()
    if run is None:
        return None
    figures = {name: getattr(run, name) for name in ("assessed", "graver", "lighter", "below", "restricted")}
    return {"model": run.model_version, **figures, "left": _waiting(run).count(), "failed": len(run.failed)}


def left(model: str) -> Left:
    """Count the open cases that another model than this one assessed."""
    run = in_force()
    failed = run.failed if run is not None and run.model_version == model else []
    open_ = Case.objects.filter(state=CaseState.OPEN, copy_of=None).exclude(model_version=model)
    unjudged = _unjudged(_assessable(model)).exclude(pk__in=failed)
    claimed = unjudged.filter(_claimed()).count()
    return Left(
        waiting=unjudged.count() - claimed,
        claimed=claimed,
        judged=_assessable(model).exclude(pk__in=failed).count() - unjudged.count(),
        restricted=open_.filter(restricted=True).count(),
        failed=len(failed),
    )


def _waiting(run: Reassessment) -> QuerySet[Case]:
    return _unjudged(_assessable(run.model_version)).exclude(pk__in=run.failed)


def _assessable(model: str) -> QuerySet[Case]:
    # Two stretches of the index instead of "not equal", which would read all of it.
    other = Q(model_version__lt=model) | Q(model_version__gt=model)
    return Case.objects.filter(other, state=CaseState.OPEN, copy_of__isnull=True, restricted=False).exclude(text="")


def _unjudged(cases: QuerySet[Case]) -> QuerySet[Case]:
    return cases.exclude(Exists(Decision.objects.filter(case=OuterRef("pk"), undone_at__isnull=True)))


def _free(cases: QuerySet[Case]) -> QuerySet[Case]:
    return cases.exclude(_claimed())


def _claimed() -> Exists:
    return Exists(Claim.objects.filter(case=OuterRef("pk"), until__gt=timezone.now()))
