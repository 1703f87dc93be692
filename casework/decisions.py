"""Decisions: a staff member's finding on a case, and taking it back. A score never decides; a human does."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone

from casework import audit, claims, clocks, evidence, exposure, following, hits, policies, restricting, signals
from casework.cases import UNDO_WINDOW
from casework.errors import InvalidInput, NotAllowed, NotFound, NothingToUndo, StaleCase
from casework.models import UNDECIDED, Addressee, Case, CaseState, Claim, Decision, Finding, NoticeLine, User
from casework.roles import Action, require
from casework.transitions import TRANSITIONS, Step
from config.taxonomy import SLUGS, load_taxonomy

REASON_CHARACTERS = 500


@transaction.atomic
def decide(
    case_id: int,
    user: User,
    finding: Finding | str,
    *,
    expected_version: int,
    category: str | None = None,
    grade: str | None = None,
    reason: str = "",
    addressee: str = "",
) -> Decision:
    """Record a person's finding on the version of the case that they saw.

    Confirming names the category and seals the evidence; where the policy asks for it, only the second person's
    confirmation does. Whoever confirmed or dismissed a case that is re-assessed does not decide it again. Naming
    sexual_exploitation strips the case of its text at once, for good, and hands it to duty staff: anyone may escalate
    so, only duty staff may confirm it.
    超出范围 hides the case at once; after `UNDO_WINDOW` its text is purged.

    Args:
        case_id: the case.
        user: whoever decides.
        finding: what they found.
        expected_version: version of the case that they saw.
        category: the category they settle on; required to confirm, without meaning where nothing was found.
        grade: 定性 they settle on, one of the category's; None keeps the present or the category's first.
        reason: their words, at most 500 characters; required to hand a case to the police or have it re-assessed.
        addressee: of an escalation: `lead` or `duty`; empty leaves it to both.

    Raises:
        NotFound: no such case, or none this person may see.
        NotAllowed: their role or the case's state does not allow it.
        StaleCase: the case has changed since.
        HeldByOther: somebody else works on it just now.
        InvalidInput: finding, category, grade or reason is wrong.
    """
    found = _finding(finding)
    if found in (Finding.DISMISSED, Finding.OUT_OF_SCOPE, Finding.REOPENED):
        category = grade = None
    _check_words(category, grade, reason)
    if addressee not in ("", *Addressee.values) or (addressee and found is not Finding.ESCALATED):
        raise InvalidInput("addressee", addressee, "上报时：lead、duty 或不填")
    case = _locked(case_id, user)
    if case.version != expected_version:
        raise _stale(case)
    if case.copy_of_id is not None:
        raise NotAllowed(
            f"案件{case.number}是{Case(pk=case.copy_of_id).number}的副本，随其一并决定；不是同一内容时可先拆出"
        )
    claims.must_be_free(case_id, user)
    step = TRANSITIONS.get((CaseState(case.state), found))
    if step is None:
        raise NotAllowed(f"案件{case.number}现为“{CaseState(case.state).label}”，不能再“{found.label}”")
    require(user, step.action)
    standing = _since_reopened(case)
    _check_step(case, user, step, standing, reason)
    if found is Finding.CONFIRMED and not category:
        raise InvalidInput("category", category, "确认时须选定一个类别")
    if hits.RESTRICTED in (category, case.category):
        _check_restricted(case, user, found, category)
    decision = Decision.objects.create(
        case=case,
        decided_by=user,
        finding=found,
        category=category or "",
        grade=grade or "",
        reason=reason.strip(),
        addressee=addressee,
        case_version=case.version,
        state_before=case.state,
        category_before=case.category,
        categories_before=case.categories,
        grade_before=case.grade,
    )
    _apply(case, decision, _leads_to(case, user, step, standing), user)
    return decision


@transaction.atomic
def undo(case_id: int, user: User) -> Case:
    """Take back this person's own last finding on the case.

    Raises:
        NotFound: no such case.
        NothingToUndo: the last finding is not theirs, its time is over, or the text has gone.
        NotAllowed: the case is on a takedown list.
    """
    case = Case.objects.select_for_update().filter(pk=case_id).first()
    if case is None:
        raise NotFound("案件", case_id)
    decision = case.decisions.filter(undone_at__isnull=True).order_by("-id").first()
    if decision is None or decision.decided_by_id != user.pk or decision.follows_id is not None:
        raise NothingToUndo("只能撤销本人的最近一次决定")
    if case.restricted:
        require(user, Action.SEE_RESTRICTED)
    line = NoticeLine.objects.filter(case=case).select_related("notice").first()
    if line is not None:
        raise NotAllowed(f"案件{case.number}已列入清单{line.notice.number}，不能撤销")
    now = timezone.now()
    if decision.decided_at + UNDO_WINDOW < now:
        raise NothingToUndo("撤销时限已过，可另请人复议")
    if case.purged_at is not None or (case.purge_after is not None and case.purge_after <= now):
        raise NothingToUndo("撤销时限已过，文字已清除")
    decision.undone_at = now
    decision.save(update_fields=["undone_at"])
    case.state, case.purge_after = decision.state_before, None
    if not case.restricted:
        hits.settle(case, decision.category_before, decision.categories_before, decision.grade_before)
    clocks.restart(case)
    _save(case)
    copies = following.take_back(case, decision)
    audit.record(
        "case.undo", user, case, finding=decision.finding, state=case.state, version=case.version, copies=copies
    )
    return case


def last_decision(case: Case) -> Decision | None:
    """Return the finding that stands, if any."""
    return case.decisions.filter(undone_at__isnull=True).select_related("decided_by").order_by("-id").first()


def _finding(finding: Finding | str) -> Finding:
    try:
        return Finding(finding)
    except ValueError:
        raise InvalidInput("finding", finding, ", ".join(Finding.values)) from None


def _check_words(category: str | None, grade: str | None, reason: str) -> None:
    if category and category not in SLUGS:
        raise InvalidInput("category", category, ", ".join(SLUGS))
    if grade:
        grades = [str(one) for one in load_taxonomy().categories[category].grades] if category else []
        if grade not in grades:
            raise InvalidInput("grade", grade, ", ".join(grades) or "须同时选定类别")
    if len(reason) > REASON_CHARACTERS:
        raise InvalidInput("reason", f"{len(reason)} 字", f"不超过 {REASON_CHARACTERS} 字")


def _locked(case_id: int, user: User) -> Case:
    """Lock the row first, then ask whether this person may see it as it is now."""
    require(user, Action.DECIDE)
    case = Case.objects.select_for_update().filter(pk=case_id).first()
    if case is None or not exposure.may_meet(case, user):
        hidden = case is not None and case.state == CaseState.OUT_OF_SCOPE and not case.restricted
        raise _stale(case) if hidden and case is not None else NotFound("案件", case_id)
    return case


def _stale(case: Case) -> StaleCase:
    decision = last_decision(case)
    return StaleCase(decision.decided_by.staff_no, Finding(decision.finding).label) if decision else StaleCase("", "")


def _check_step(case: Case, user: User, step: Step, standing: Sequence[Decision], reason: str) -> None:
    """Check what a step asks for beyond the role."""
    if step.reason and not reason.strip():
        raise InvalidInput("reason", "", "须填写理由")
    reopened = bool(standing) and standing[0].finding == Finding.REOPENED
    judged = case.decisions.filter(
        decided_by=user, undone_at__isnull=True, finding__in=[Finding.CONFIRMED, Finding.DISMISSED]
    )
    if (step.another or (reopened and case.state in UNDECIDED)) and judged.exists():
        raise NotAllowed(f"您已对案件{case.number}作过结论，须由另一人决定")
    if step.to is CaseState.OPEN:
        line = NoticeLine.objects.filter(case=case).select_related("notice").first()
        if line is not None:
            raise NotAllowed(f"案件{case.number}已列入清单{line.notice.number}，不能复议")
        if not case.restricted and not case.text:
            raise NotAllowed("文字已按期清除")


def _leads_to(case: Case, user: User, step: Step, standing: Sequence[Decision]) -> CaseState:
    """Return the state that follows: while the policy asks for two, the first confirmation leads to the second."""
    if step.second is None:
        return step.to
    item = {
        "categories": case.categories,
        **{name: getattr(case, name) for name in ("severity", "platform_class", "site", "kid_zone", "score")},
    }
    confirmed = any(one.finding == Finding.CONFIRMED and one.decided_by_id != user.pk for one in standing)
    return step.second if policies.work().asks_second(item) and not confirmed else step.to


def _since_reopened(case: Case) -> list[Decision]:
    """Return the findings that stand, from the last re-assessment on (it comes first), oldest first."""
    standing = list(case.decisions.filter(undone_at__isnull=True).order_by("id"))
    last = max((at for at, one in enumerate(standing) if one.finding == Finding.REOPENED), default=0)
    return standing[last:]


def _check_restricted(case: Case, user: User, finding: Finding, category: str | None) -> None:
    if case.restricted and category not in (None, "", hits.RESTRICTED):
        raise InvalidInput("category", category, f"专办案件只能为 {hits.RESTRICTED}")
    if not case.restricted and finding is not Finding.ESCALATED:
        try:
            require(user, Action.SEE_RESTRICTED)
        except NotAllowed:
            raise NotAllowed("涉未成年人性侵害须上报，由专班值守确认") from None


def _apply(case: Case, decision: Decision, state: CaseState, user: User) -> None:
    """Bring the case to where the decision leads, seal, record, announce."""
    category = decision.category
    case.state = state
    if category == hits.RESTRICTED and not case.restricted:
        restricting.restrict(case)
        restricting.forget_in_index(case.pk)
    if category:
        categories = [category, *(slug for slug in case.categories if slug != category)]
        hits.settle(case, category, None if case.restricted else categories, decision.grade)
    elif case.audit_sample:
        hits.settle(case, case.category, grade=case.grade)
    if state is CaseState.OUT_OF_SCOPE:
        case.purge_after = timezone.now() + UNDO_WINDOW
    clocks.start(case)
    _save(case)
    Claim.objects.filter(case=case).delete()
    copies = following.spread(case, decision)
    details = {
        "finding": str(decision.finding),
        "category": category,
        "reason": decision.reason,
        "version": case.version,
        **({"copies": copies} if copies else {}),
    }
    if decision.addressee:
        details["to"] = str(Addressee(decision.addressee).label)
    if state in (CaseState.CONFIRMED, CaseState.POLICE):
        details["evidence"] = evidence.seal(case, user).number
    audit.record("case.decide", user, case, **details)


def _save(case: Case) -> None:
    case.version += 1
    case.save()
    signals.announce_cases([case.pk])
