"""Clusters: copies join one case, one decision serves all, and what was joined wrongly is split off again.

A copy is a case that points to the case it is a copy of (`copy_of`). It keeps its own place, address and text, since a
list asks each platform for each address; it stands in no queue, is in no index and is never decided alone: its state
is that of its case, and each of its decisions `follows` one there.

A hit joins only where nothing graver would hide behind something lighter: its category must be one of the case's, and
no graver here than it is there. Of two workers with copies of one text one waits for the other (`chains.lock`), so
that a text never gets two cases.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.db import transaction
from django.db.models import Count, Min, Q
from django.utils import timezone

from casework import (
    audit,
    bulk,
    chains,
    clocks,
    exposure,
    hits,
    likeness,
    responses,
    restricting,
    signals,
    signatures,
    switches,
)
from casework.errors import NotAllowed, NotFound
from casework.models import UNDECIDED, Case, CaseState, Decision, NoticeLine, User
from casework.roles import Action, require
from casework.signatures import Sign

_LOCK = "clusters"
_JOINED_BY = (
    *("copy_of", "restricted", "state", "category", "categories", "severity", "kid_zone", "spans"),
    *("folded", "undone", "purge_after"),
)
"""What is asked of a case that a copy may join."""


@dataclass(frozen=True)
class Occurrence:
    """One more place where the text of a case stood."""

    case: Case
    exact: bool
    percent: int


def occurrences(case: Case, user: User, limit: int = 50) -> list[Occurrence]:
    """Return the newest copies of a case that this person may meet."""
    copies = exposure.visible_cases(user).filter(copy_of=case).order_by("-id")[:limit]
    return [Occurrence(copy, copy.likeness == 1.0, round(100 * (copy.likeness or 0))) for copy in copies]


def counts(case_ids: Iterable[int]) -> dict[int, int]:
    """Return how many copies each of these cases has; those without are left out."""
    copies = Case.objects.filter(copy_of__in=list(case_ids)).order_by()
    return dict(copies.values_list("copy_of").annotate(n=Count("pk")))


def gravest_copies(case_ids: Iterable[int]) -> dict[int, str]:
    """Return the gravest severity among the copies of each of these cases; those without are left out."""
    copies = Case.objects.filter(copy_of__in=list(case_ids)).order_by()
    return dict(copies.values_list("copy_of").annotate(gravest=Min("severity")))


def enter(cases: Sequence[Case], edited: Collection[str] = ()) -> list[int]:
    """Write new cases, each as a copy of the case that it is a copy of, or as a case of its own.

    In the running transaction. An audit sample is never joined: it measures misses one by one.

    Args:
        cases: the new ones.
        edited: captures whose cases the transaction will change as well: they are locked in one order with those that
            may be joined, since the audit log is locked before `traces` comes to them.

    Returns:
        The ids of the cases that are no copies, ascending.
    """
    ordered = sorted(cases, key=lambda case: case.capture_id)
    alone = [case for case in ordered if case.audit_sample]
    clustered = [case for case in ordered if not case.audit_sample]
    signs = signatures.signs(clustered)  # computed before the lock is taken
    if not clustered:
        for case in alone:
            clocks.start(case)
        return sorted(_insert(alone).values())
    chains.lock(_LOCK)
    gathering = _Gathering(clustered, signs, edited)
    own = [case for case in clustered if case.copy_of is None]
    for case in [*alone, *own]:
        clocks.start(case)
    ids = _insert([*alone, *own])
    signatures.remember((ids[case.capture_id], sign) for case, sign in gathering.own if case.capture_id in ids)
    _enter_copies([case for case in clustered if case.copy_of is not None], ids)
    return sorted(ids.values())


def _insert(cases: list[Case]) -> dict[str, int]:
    """Write cases and return digest of the capture → id; what is there already stays as it is."""
    ids = dict(bulk.create(cases, returning=("capture_id", "id")))
    there = [case.capture_id for case in cases if case.capture_id not in ids]
    return ids | dict(Case.objects.filter(capture_id__in=there).values_list("capture_id", "pk")) if there else ids


class _Gathering:
    """Finds the case of each hit: among those in the database, and among those of the same batch."""

    def __init__(self, cases: Sequence[Case], signs: Sequence[Sign], edited: Collection[str]) -> None:
        self.own: list[tuple[Case, Sign]] = []
        self._meeting: dict[object, list[int]] = {}  # digest, or band and key → places in `own`
        found = signatures.candidates(signs)
        self._known = _locked({case_id for exact, near in found for case_id in (*exact, *near)}, edited)
        self._forms: dict[int, str] = {}
        self._pairs = cache(likeness.pairs)  # each is compared with several; gone with the batch
        self._follow = switches.is_on(switches.COPIES_FOLLOW)
        for case, sign, (exact, near) in zip(cases, signs, found, strict=True):
            self._join(case, sign, exact, near)

    def _join(self, case: Case, sign: Sign, exact: set[int], near: Sequence[int]) -> None:
        best: tuple[float, int, Case | None] = (0.0, 0, None)
        for case_id in {*exact, *near}:
            one = self._known.get(case_id)
            if one is None or not self._may_join(case, one, exact=case_id in exact):
                continue
            alike = 1.0 if case_id in exact else self._likeness(sign, one)
            best = max(best, (alike, case_id, one), key=lambda each: each[:2])
        for other, theirs in self._met(sign):
            if best[0] == 1.0 or not self._may_join(case, other, exact=theirs.digest == sign.digest):
                continue
            alike = 1.0 if sign.digest == theirs.digest else likeness.likeness(sign.form, theirs.form, self._pairs)
            best = max(best, (alike, 0, other), key=lambda each: each[:2])
        if best[2] is not None and best[0] >= likeness.ALIKE:
            case.copy_of, case.likeness = best[2], best[0]
        else:
            for key in _keys(sign):
                self._meeting.setdefault(key, []).append(len(self.own))
            self.own.append((case, sign))

    def _met(self, sign: Sign) -> list[tuple[Case, Sign]]:
        """Return those of the same batch that share the digest or a band, in their order: not all with all."""
        places = {place for key in _keys(sign) for place in self._meeting.get(key, ())}
        return [self.own[place] for place in sorted(places)]

    def _may_join(self, case: Case, to: Case, *, exact: bool) -> bool:
        """Say whether a hit may hide behind this case."""
        if to.restricted:
            return exact
        if case.restricted or case.category not in to.categories:
            return False
        if case.severity < hits.severity_of(case.category, to):
            return False
        return self._follow or to.state in UNDECIDED

    def _likeness(self, sign: Sign, to: Case) -> float:
        form = self._forms.get(to.pk)
        if form is None:
            form = self._forms[to.pk] = likeness.normal_form(to.folded, to.undone)
        return likeness.likeness(sign.form, form, self._pairs) if form else 0.0


def _keys(sign: Sign) -> list[object]:
    return [sign.digest, *enumerate(sign.keys or ())]


def _locked(case_ids: set[int], edited: Collection[str]) -> dict[int, Case]:
    """Lock what may be joined, so that none is decided between finding it and joining it, and what was edited.

    Of each what joining asks for is read; scores and marks are the larger part of a row.
    """
    wanted = Q(pk__in=case_ids, copy_of=None) | Q(capture_id__in=list(edited))
    rows = Case.objects.select_for_update(no_key=True).filter(wanted).only(*_JOINED_BY).order_by("id")
    return {case.pk: case for case in rows if case.copy_of_id is None}


def _enter_copies(copies: list[Case], ids: dict[str, int]) -> None:
    """Write copies in the state of their cases, and the decisions that they follow."""
    following: list[tuple[Case, Decision]] = []
    last = _last_decisions({copy.copy_of.pk for copy in copies if copy.copy_of and copy.copy_of.pk})
    for copy in copies:
        case = copy.copy_of
        assert case is not None
        if case.pk is None:
            case.pk = ids[case.capture_id]
            copy.copy_of = case
        copy.copy_of_id = case.pk
        if case.restricted:
            responses.destroy([copy.evidence])
            hits.settle(hits.restrict(copy), hits.RESTRICTED, (hits.RESTRICTED,))
        if decision := last.get(case.pk):
            following.append((copy, _following(copy, decision)))
            _mirror(copy, case, decision)
    written = _insert(copies)
    rows = []
    for copy, decision in following:
        decision.case_id = written[copy.capture_id]
        rows.append(decision)
    Decision.objects.bulk_create(rows, batch_size=500)
    joined: dict[str, list[int]] = {}
    for row in rows:
        joined.setdefault(str(row.follows.case_id if row.follows else 0), []).append(row.case_id)
    if joined:
        audit.record("case.follow", audit.SYSTEM, f"rule:{switches.COPIES_FOLLOW}", copies=joined)


def _last_decisions(case_ids: set[int]) -> dict[int, Decision]:
    rows = Decision.objects.filter(case_id__in=case_ids, undone_at__isnull=True).order_by("id")
    return {row.case_id: row for row in rows}


def _following(copy: Case, decision: Decision) -> Decision:
    """Return the decision that a copy gets because its case got one; not yet saved."""
    return Decision(
        case=copy if copy.pk else None,
        decided_by_id=decision.decided_by_id,
        finding=decision.finding,
        category=decision.category,
        grade=decision.grade,
        reason=decision.reason,
        case_version=copy.version,
        state_before=copy.state,
        category_before=copy.category,
        categories_before=copy.categories,
        grade_before=copy.grade,
        follows=decision,
    )


def _mirror(copy: Case, case: Case, decision: Decision) -> None:
    """Bring a copy to where its case stands. Saves nothing."""
    copy.state = case.state
    if decision.category:
        others = [slug for slug in copy.categories if slug != decision.category]
        hits.settle(copy, decision.category, None if copy.restricted else [decision.category, *others], decision.grade)
    copy.purge_after = None
    if case.state == CaseState.OUT_OF_SCOPE and copy.purged_at is None:
        copy.purge_after = case.purge_after or timezone.now()


def restrict_copies(case: Case) -> None:
    """Strip every copy of a case that has just become restricted, in the running transaction."""
    copies = list(Case.objects.select_for_update(no_key=True).filter(copy_of=case, restricted=False).order_by("id"))
    for copy in copies:
        _restrict(copy)
        copy.version += 1
        copy.save()


def _restrict(copy: Case) -> None:
    """Strip a copy that is in the database, as its case is. Saves nothing of the row."""
    restricting.restrict(copy)
    hits.settle(copy, hits.RESTRICTED, (hits.RESTRICTED,))


def _restore(copy: Case, decision: Decision) -> None:
    copy.state, copy.purge_after = decision.state_before, None
    if not copy.restricted:
        hits.settle(copy, decision.category_before, decision.categories_before, decision.grade_before)


@transaction.atomic
def split(case_id: int, user: User) -> Case:
    """Make a copy that was joined wrongly a case of its own again, to be decided for itself.

    Raises:
        NotFound: no such case, or none this person may see.
        NotAllowed: it is no copy, its text has gone, or it is on a takedown list.
    """
    copy, case = _pair(case_id, user, "copy_of")
    line = NoticeLine.objects.filter(case=copy).select_related("notice").first()
    if line is not None:
        raise NotAllowed(f"案件{copy.number}已列入清单{line.notice.number}，不能拆出")
    if not copy.restricted and not copy.text:
        raise NotAllowed("文字已按期清除")
    followed = list(copy.decisions.filter(undone_at__isnull=True).order_by("id"))
    if followed:
        _restore(copy, followed[0])
        copy.decisions.filter(pk__in=[one.pk for one in followed]).update(undone_at=timezone.now())
    details: dict[str, Any] = {"from": case.pk, "likeness": copy.likeness}
    copy.copy_of, copy.split_from, copy.likeness = None, case, None
    clocks.start(copy)
    copy.version += 1
    copy.save()
    signatures.remember([(copy.pk, signatures.signs([copy])[0])])
    audit.record("case.split", user, copy, **details, version=copy.version)
    signals.announce_cases([copy.pk])
    return copy


@transaction.atomic
def rejoin(case_id: int, user: User) -> Case:
    """Take a split back: the case is a copy again and follows what its case has been decided to be.

    Raises:
        NotFound: no such case, or none this person may see.
        NotAllowed: it was not split off, or has been decided, or has copies of its own by now.
    """
    copy, case = _pair(case_id, user, "split_from")
    if copy.state != CaseState.OPEN or case.copy_of_id is not None or copy.copies.exists():
        raise NotAllowed(f"案件{copy.number}拆出后已有变化，不能归回")
    copy.copy_of, copy.split_from, copy.due_at = case, None, None
    mine, theirs = (likeness.normal_form(one.folded, one.undone) for one in (copy, case))
    copy.likeness = likeness.likeness(mine, theirs)
    if case.restricted and not copy.restricted:
        _restrict(copy)
    decision = _last_decisions({case.pk}).get(case.pk)
    if decision is not None:
        _following(copy, decision).save()
        _mirror(copy, case, decision)
    copy.version += 1
    copy.save()
    signature = getattr(copy, "signature", None)
    if signature is not None:
        signature.delete()
    audit.record("case.rejoin", user, copy, to=case.pk, version=copy.version)
    signals.announce_cases([copy.pk])
    return copy


def _pair(case_id: int, user: User, relation: str) -> tuple[Case, Case]:
    """Lock a case and the one that it points to, the older first as everywhere."""
    require(user, Action.DECIDE)
    other_id = exposure.visible_case(case_id, user).__dict__[f"{relation}_id"]
    rows = Case.objects.select_for_update(no_key=True).filter(pk__in=[case_id, other_id or 0]).order_by("id")
    locked = {case.pk: case for case in rows}
    copy = locked.get(case_id)
    if copy is None:
        raise NotFound("案件", case_id)
    if other_id is None or copy.__dict__[f"{relation}_id"] != other_id:
        raise NotAllowed(f"案件{copy.number}不是副本" if relation == "copy_of" else f"案件{copy.number}不是拆出来的")
    return copy, locked[other_id]
