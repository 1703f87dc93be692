"""Claims: who works on a case just now, so that two people do not read and decide the same.

A claim is a lease: it is renewed while the page is open and returns by itself after `LEASE`, so that a browser that was
closed holds nothing for long. It orders work and warns; what makes a second decision impossible is the case's version.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.db import connection, models, transaction
from django.utils import timezone

from casework import audit, bulk, exposure
from casework.errors import HeldByOther, InvalidInput, NotAllowed, NotFound
from casework.models import UNDECIDED, Case, CaseState, Claim, User
from casework.roles import Action, may, require, roles_that_may
from casework.skew import ahead

LEASE = timedelta(minutes=2)
"""How long a claim holds that is not renewed."""
RENEWED_EVERY = timedelta(seconds=30)
"""How often an open page renews it."""
HANDED_OVER = timedelta(hours=12)
"""How long a case waits for the colleague to whom it was handed."""
NOTE_CHARACTERS = 500


def take(case_id: int, user: User) -> Claim:
    """Claim a case, or renew the claim that this person has on it.

    Raises:
        NotFound: no such case, or none this person may see.
        NotAllowed: their role decides nothing, or there is nothing to decide any more.
        HeldByOther: somebody else holds it; says who and until when.
    """
    require(user, Action.DECIDE)
    case = exposure.visible_case(case_id, user, "state", "copy_of")
    states = [one for one in UNDECIDED if one is not CaseState.ESCALATED or may(user, Action.DECIDE_ESCALATED)]
    if case.copy_of_id is not None or case.state not in states:
        raise NotAllowed(f"案件{case.number}现为“{CaseState(case.state).label}”，不需要处理")
    if not _lease(case_id, user):
        must_be_free(case_id, user)
    # Whoever decides deletes the claim with the decision; one that was taken a moment later must not stay.
    claim = Claim.objects.filter(case_id=case_id, case__state__in=states).first()
    if claim is None:
        Claim.objects.filter(case_id=case_id, holder=user).delete()
        raise NotAllowed(f"案件{case.number}刚刚已由他人决定")
    return claim


def take_first(case_ids: Sequence[int], user: User) -> int | None:
    """Claim the first of these cases that nobody else holds; None when there is none."""
    held = holders(case_ids, but=user)  # asked once: with many people at work the first ones are all held
    for case_id in case_ids:
        if case_id in held:
            continue
        try:
            return take(case_id, user).case_id
        except (HeldByOther, NotAllowed, NotFound):
            continue
    return None


def _lease(case_id: int, user: User) -> bool:
    """Write the claim unless somebody else holds one that runs; one statement, so that of two people one gets it."""
    now = timezone.now()
    adapt = connection.ops.adapt_datetimefield_value
    # A longer lease of one's own (a case that was handed over) is not cut short.
    conflict = (
        "(case_id) DO UPDATE SET until = CASE WHEN {table}.holder_id = excluded.holder_id AND {table}.handed_by <> '' "
        "AND {table}.until > excluded.until THEN {table}.until ELSE excluded.until END, "
        "handed_by = CASE WHEN {table}.holder_id = excluded.holder_id THEN {table}.handed_by ELSE '' END, "
        "note = CASE WHEN {table}.holder_id = excluded.holder_id THEN {table}.note ELSE '' END, "
        "holder_id = excluded.holder_id "
        f"WHERE {{table}}.holder_id = excluded.holder_id OR {{table}}.until <= '{adapt(now)}' "
        f"OR ({{table}}.handed_by = '' AND {{table}}.until > '{adapt(ahead(now + LEASE))}')"
    )
    row = (case_id, user.pk, adapt(now + LEASE), "", "")
    columns = ("case_id", "holder_id", "until", "handed_by", "note")
    return bool(bulk.insert(Claim, columns, [row], on_conflict=conflict))


def must_be_free(case_id: int, user: User) -> None:
    """Raise when somebody else holds the case.

    Raises:
        HeldByOther: says who and until when.
    """
    claim = _running().select_related("holder").filter(case_id=case_id).exclude(holder=user).first()
    if claim is not None:
        raise HeldByOther(claim.holder.staff_no, claim.until)


def take_over(case_id: int, user: User) -> Claim:
    """Take a case from whoever holds it; recorded.

    Raises:
        NotAllowed: neither lead nor duty staff.
        NotFound: no such case, or none this person may see.
    """
    require(user, Action.DECIDE_ESCALATED)
    exposure.visible_case(case_id, user)
    with transaction.atomic():
        claim = Claim.objects.select_for_update(of=("self",)).select_related("holder").filter(case_id=case_id).first()
        if claim is not None and claim.holder_id != user.pk:
            audit.record("case.take_over", user, f"case:{case_id}", held_by=claim.holder.staff_no)
            claim.delete()
    return take(case_id, user)


def hand_over(case_id: int, user: User, to: str, note: str = "") -> Claim:
    """Hand a case that one holds to a colleague, with a note; recorded.

    Args:
        case_id: the case.
        user: whoever holds it, or nobody does.
        to: 工号 of the colleague.
        note: what they should know, at most 500 characters.

    Raises:
        NotFound: no such case, or none this person may see.
        InvalidInput: no such colleague, or one who may not decide it; the note is too long.
        HeldByOther: somebody else holds it.
        NotAllowed: there is nothing to decide any more.
    """
    if len(note) > NOTE_CHARACTERS:
        raise InvalidInput("note", f"{len(note)} 字", f"不超过 {NOTE_CHARACTERS} 字")
    case = exposure.visible_case(case_id, user)
    colleague = User.objects.filter(staff_no=to.strip(), is_active=True).exclude(pk=user.pk).first()
    if colleague is None or not _may_decide(case, colleague):
        raise InvalidInput("to", to, "能处理本案的其他同事的工号")
    with transaction.atomic():
        take(case_id, user)
        Claim.objects.filter(case_id=case_id, holder=user).update(
            holder=colleague, until=timezone.now() + HANDED_OVER, handed_by=user.staff_no, note=note.strip()
        )
        audit.record("case.hand_over", user, f"case:{case_id}", to=colleague.staff_no, reason=note.strip())
    return Claim.objects.select_related("holder").get(case_id=case_id)


def colleagues(case: Case, user: User) -> list[User]:
    """Return whom this person may hand the case to, by 工号."""
    roles = [role for role in roles_that_may(Action.DECIDE) if _may_decide(case, User(role=role))]
    others = User.objects.filter(is_active=True, role__in=roles).exclude(pk=user.pk)
    return list(others.only("staff_no", "role").order_by("staff_no"))


def _may_decide(case: Case, user: User) -> bool:
    if not may(user, Action.DECIDE) or not exposure.may_meet(case, user):
        return False
    return case.state != CaseState.ESCALATED or bool(may(user, Action.DECIDE_ESCALATED))


def give_back(case_id: int, user: User) -> bool:
    """Return a case to its queue; whether this person held it."""
    claim = Claim.objects.filter(case_id=case_id, holder=user).first()
    if claim is None:
        return False
    claim.delete()
    return claim.until > timezone.now()


def held_by(user: User) -> list[Claim]:
    """Return what this person holds, what was handed over first, then the most urgent."""
    shown = ("handed_by", "note", "case__severity", "case__category")
    claims = _running().filter(holder=user).select_related("case").only(*shown)
    return sorted(claims, key=lambda one: (not one.handed_by, one.case.severity, one.case_id))


def holders(case_ids: Iterable[int], but: User | None = None) -> dict[int, tuple[str, datetime]]:
    """Return who (工号) holds which of these cases until when, one person left out."""
    claims = _running().filter(case_id__in=list(case_ids))
    rows = claims.values_list("case_id", "holder__staff_no", "until", "holder_id")
    return {case_id: (staff_no, until) for case_id, staff_no, until, holder in rows if not but or holder != but.pk}


def drop_expired() -> int:
    """Remove the rows of claims that have returned by themselves; returns how many."""
    return Claim.objects.exclude(_holds()).delete()[0]


def _running() -> models.QuerySet[Claim]:
    return Claim.objects.filter(_holds())


def _holds() -> models.Q:
    """Say which claims hold. One that would for longer than any can was taken by a clock that was wrong."""
    now = timezone.now()
    leased = models.Q(handed_by="", until__lte=ahead(now + LEASE))
    return models.Q(until__gt=now) & (leased | ~models.Q(handed_by=""))
