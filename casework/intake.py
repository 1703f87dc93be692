"""Intake: captures into the inbox, assessed batches out of it, each in one transaction.

Kill any process at any instant: nothing is lost and nothing doubled. A capture is taken once by its id; a batch is
completed once, since its rows go in the transaction that writes its cases. Rows are locked in one order (digests of
captures ascending, then the batch, then clusters, then their cases and those of edited texts ascending, then the
audit log, then counts ascending), so that two ingests, or one and a decision, never wait for each other in a ring.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice

from django.db import connection, transaction
from django.db.models import F, Q, TextField
from django.db.models.functions import Cast
from django.utils import timezone

from casework import bulk, clusters, counts, drift, hits, policies, responses, samples, signals, traces
from casework.errors import InvalidInput, TriedTooOften
from casework.models import Batch, Case, InboxItem, SeenCapture
from casework.skew import ahead
from classifiers.assessment import Assessment
from config.settings import get_settings
from crawlers.capture import Capture

Triage = Callable[[Sequence[str]], Sequence[bool]]
"""Says of texts which must not wait."""
MOST_ATTEMPTS = 5
"""Times that a batch is begun before it counts as what ends its workers."""


@dataclass(frozen=True)
class Receipt:
    """What became of captures: accepted, seen before, and the batches that now wait for assessment."""

    accepted: int
    duplicate: int
    batch_ids: tuple[int, ...]


@dataclass(frozen=True)
class PolicyProblem:
    """One way in which a capture does not fit the policies."""

    field: str
    found: str
    allowed: str

    def __str__(self) -> str:
        return f"{self.field}: found {self.found!r}; allowed: {self.allowed}"


def check_against_policy(capture: Capture) -> list[PolicyProblem]:
    """Say what of a capture does not fit the policies: its site, class and section must be configured."""
    policy = policies.effective(capture.site)
    if policy is None:
        return [PolicyProblem("site", capture.site, policies.allowed_sites(capture.site))]
    problems = []
    if capture.platform_class != policy.platform_class.slug:
        problems.append(PolicyProblem("platform_class", capture.platform_class, policy.platform_class.slug))
    sections = [section.slug for section in policy.sections]
    if capture.section not in sections:
        problems.append(PolicyProblem("section", capture.section, ", ".join(sections)))
    return problems


def receive(
    captures: Iterable[Capture], *, batch_size: int | None = None, urgent: Triage = lambda texts: [False] * len(texts)
) -> Receipt:
    """Put captures into the inbox, each once; after each commit `batch_received` is sent.

    One transaction per `batch_size` captures (default: the setting). What was committed before an error stays; the
    whole call can be repeated.

    Args:
        captures: those to take.
        batch_size: most captures of one batch.
        urgent: says of texts which must not wait; they go into a batch of their own, which overtakes the others.

    Raises:
        django.db.DatabaseError: the database cannot be written.
    """
    size = batch_size or get_settings().batch_size
    accepted = duplicate = 0
    batch_ids: list[int] = []
    source = iter(captures)
    while chunk := list(islice(source, size)):
        made, new = _receive_batch(chunk, urgent)
        accepted += new
        duplicate += len(chunk) - new
        batch_ids += made
    return Receipt(accepted, duplicate, tuple(batch_ids))


@transaction.atomic
def _receive_batch(captures: Sequence[Capture], urgent: Triage) -> tuple[list[int], int]:
    """Write what is new; return the ids of its batches (none when all was seen before) and the number of captures."""
    first = {capture.id: capture for capture in reversed(captures)}
    new_ids = _claim(sorted(first))
    new = [capture for capture_id, capture in sorted(first.items()) if capture_id in new_ids]
    tally: Counter[tuple[str, str]] = Counter((capture.site, capture.section) for capture in captures)
    fresh: Counter[tuple[str, str]] = Counter((capture.site, capture.section) for capture in new)
    grave = urgent([one.text for one in new])
    made = []
    for first_of_all in (True, False):
        part = [one for one, is_grave in zip(new, grave, strict=True) if is_grave == first_of_all]
        if part:
            made.append(_write_batch(part, urgent=first_of_all))
    counts.add({place: {"accepted": fresh[place], "duplicate": n - fresh[place]} for place, n in tally.items()})
    return made, len(new)


def _write_batch(captures: Sequence[Capture], *, urgent: bool) -> int:
    batch_id = Batch.objects.create(urgent=urgent).pk
    rows = [(one.id, batch_id, bulk.Json(one.model_dump_json())) for one in captures]
    bulk.insert(InboxItem, ("capture_id", "batch_id", "payload"), rows)
    signals.announce_batch(batch_id, urgent=urgent)
    return int(batch_id)


def _claim(capture_ids: Sequence[str]) -> set[str]:
    """Note the ids as seen and return those that nobody had noted before.

    The database names the rows that the statement inserted, so that of two concurrent ingests exactly one takes a
    capture: the other waits for the first to commit and then finds the row there.
    """
    now = connection.ops.adapt_datetimefield_value(timezone.now())
    rows = [(capture_id, now) for capture_id in capture_ids]
    return set(bulk.insert(SeenCapture, ("capture_id", "seen_at"), rows, on_conflict="(capture_id) DO NOTHING"))


def load_batch(batch_id: int) -> list[Capture]:
    """Return the captures of a batch, and note that a worker began it; empty when it is done already.

    Raises:
        TriedTooOften: it was begun `MOST_ATTEMPTS` times before, and nobody told how it ended.
        pydantic.ValidationError: one of them is no capture, or no longer; the message quotes it.
    """
    if not Batch.objects.filter(pk=batch_id).update(attempts=F("attempts") + 1):
        return []
    items = InboxItem.objects.filter(batch_id=batch_id).order_by("id")
    rows = list(items.values_list(Cast("payload", TextField()), "batch__attempts"))  # its text, to be read only once
    if rows and rows[0][1] > MOST_ATTEMPTS:
        raise TriedTooOften(batch_id, rows[0][1] - 1)
    return [Capture.model_validate_json(payload) for payload, _ in rows]


def give_back(batch_id: int) -> None:
    """Note that a worker stopped for a reason that lies not in the batch: the attempt does not count."""
    Batch.objects.filter(pk=batch_id, attempts__gt=0).update(attempts=F("attempts") - 1)


@transaction.atomic
def complete(batch_id: int, assessed: Sequence[tuple[Capture, Assessment]]) -> list[int]:
    """Write the cases and counts of an assessed batch and clear it from the inbox, all or nothing.

    Returns:
        The ids of its cases, copies of others left out; empty when the batch was completed before.

    Raises:
        InvalidInput: the captures are not those of the batch.
    """
    batch = Batch.objects.select_for_update().filter(pk=batch_id).first()
    if batch is None:
        return []
    _must_match(batch_id, {capture.id for capture, _ in assessed})
    cases: list[Case] = []
    tally: dict[tuple[str, str], Counter[str]] = {}
    places = {(capture.site, capture.section) for capture, _ in assessed}
    placements = {place: policies.placement(*place) for place in places}
    sampled = samples.Tally()
    for capture, assessment in assessed:
        place = (capture.site, capture.section)
        count = tally.setdefault(place, Counter())
        count["assessed"] += 1
        if capture.inclusion_probability is not None:
            sampled.add(capture, assessment.flagged(placements[place].thresholds))
        case = hits.case_of(capture, assessment, placements[place])
        if case is not None:
            case.received_at = batch.created_at
            cases.append(case)
            count["flagged"] += not case.audit_sample
    restricted = {case.capture_id for case in cases if case.restricted}
    responses.destroy(capture.evidence for capture, _ in assessed if capture.id in restricted)
    edited = {one.replaces: one.captured_at for one, _ in assessed if one.replaces}
    case_ids = clusters.enter(cases, edited)
    traces.note_edited(edited)
    Batch.objects.filter(pk=batch_id).delete()
    sampled.write()
    counts.add(tally)
    drift.add(assessment for _, assessment in assessed)
    signals.announce_cases(case_ids)
    return case_ids


def _must_match(batch_id: int, given: set[str]) -> None:
    waiting = set(InboxItem.objects.filter(batch_id=batch_id).values_list("capture_id", flat=True))
    if given != waiting:
        raise InvalidInput(
            "assessed", f"{len(given - waiting)} foreign, {len(waiting - given)} missing", f"the batch's {len(waiting)}"
        )


def waiting() -> int:
    """Return how many captures wait for their assessment; those of batches that were given up are left out."""
    return InboxItem.objects.filter(batch__failed_at__isnull=True).count()


def is_behind(seconds: float) -> bool:
    """Say whether a batch has waited for longer than this."""
    limit = timezone.now() - timedelta(seconds=seconds)
    return Batch.objects.filter(failed_at__isnull=True, created_at__lte=limit).exists()


def mark_sent(batch_ids: Iterable[int]) -> None:
    """Note that a task was sent for these batches just now."""
    Batch.objects.filter(pk__in=list(batch_ids)).update(sent_at=timezone.now())


def unfinished(older_than_seconds: float) -> list[int]:
    """Return the batches for which no task was sent within this time, urgent ones first, then the oldest.

    Those that were given up are left out.

    A batch whose sending was never noted counts from its creation. One that was sent in the future, by a clock that
    was wrong, counts as sent long ago.
    """
    now = timezone.now()
    limit, impossible = now - timedelta(seconds=older_than_seconds), ahead(now)
    never_sent = Q(sent_at__isnull=True) & (Q(created_at__lte=limit) | Q(created_at__gt=impossible))
    sent_long_ago = Q(sent_at__lte=limit) | Q(sent_at__gt=impossible)
    waiting = Batch.objects.filter(failed_at__isnull=True).filter(never_sent | sent_long_ago)
    return list(waiting.order_by("-urgent", "id").values_list("pk", flat=True))


def urgent_among(batch_ids: Iterable[int]) -> set[int]:
    """Return which of these batches must not wait."""
    return set(Batch.objects.filter(pk__in=list(batch_ids), urgent=True).values_list("pk", flat=True))


def fail(batch_id: int, error: str) -> None:
    """Give a batch up: it stays in the inbox, is not sent again, and shows in the status until `release`.

    Args:
        error: what went wrong, without any text of a capture.
    """
    Batch.objects.filter(pk=batch_id).update(failed_at=timezone.now(), error=error[:500])


def release(batch_id: int) -> bool:
    """Let a given-up batch go again; returns whether there was one."""
    with transaction.atomic():
        released = Batch.objects.filter(pk=batch_id, failed_at__isnull=False).update(
            failed_at=None, error="", sent_at=None
        )
        if released:
            signals.announce_batch(batch_id, urgent=bool(urgent_among([batch_id])))
    return bool(released)


def reject(count: int, *, site: str = "", section: str = "") -> None:
    """Count rows that were refused; site and section stay empty where the row did not get so far."""
    if count:
        counts.add({(site[:63], section[:63]): {"rejected": count}})
