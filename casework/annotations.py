"""Annotations: which item lies before a volunteer, and their blind answer to it.

`for_volunteers` is the one place that decides what volunteers may ever be sent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, TextField
from django.db.models.functions import Cast
from django.utils import timezone

from casework.errors import InvalidInput, NothingToUndo
from casework.models import Annotation, Answer, Assignment, Case, CaseState, User
from casework.roles import Action, require
from config.taxonomy import SLUGS, Severity, load_taxonomy

ANSWERS_WANTED = 3
"""Blind answers that a case collects; more would spend people's time."""
ASSIGNED_FOR = timedelta(hours=12)
"""How long an unanswered item counts as being answered; a browser that was closed holds nothing for ever."""
REST = timedelta(minutes=10)
"""A pause this long is a rest."""
OLDEST = ("created_at", "id")


@dataclass(frozen=True)
class Summary:
    """What volunteers said of a case, for staff. It orders work at most; it never decides."""

    answers: int
    counts: Mapping[str, int] = field(default_factory=dict)
    categories: Mapping[str, int] = field(default_factory=dict)
    majority: str = ""

    @property
    def majority_label(self) -> str:
        """The majority in words, empty when there is none."""
        return str(Answer(self.majority).label) if self.majority else ""


def for_volunteers() -> QuerySet[Case]:
    """Return the cases that may be put before volunteers, the one filter there is.

    Never: what is restricted or decided; any S0; any case flagged with a category that the taxonomy keeps from
    volunteers (sexual_exploitation, pornography, self_harm; violence_gore at S1 or above).
    """
    cases = Case.objects.filter(state=CaseState.OPEN, restricted=False, purged_at__isnull=True, copy_of=None)
    cases = cases.exclude(text="").exclude(severity=Severity.S0)
    # `categories` is JSON; as text it can be searched alike on both databases. A slug is [a-z_]+, so quotes bound it.
    cases = cases.annotate(flagged=Cast("categories", TextField()))
    for slug, category in load_taxonomy().categories.items():
        kept_away = [severity for severity in Severity if not category.volunteers_may_see(severity)]
        if kept_away:
            named = Q(category=slug) | Q(flagged__contains=f'"{slug}"')
            cases = cases.exclude(named & Q(severity__in=kept_away))
    return cases


def next_case(user: User) -> Case | None:
    """Return the item that lies before this volunteer, choosing one when none does; None when there is no work.

    The same item is returned until it is answered. Chosen is the one with the fewest answers, the oldest among them,
    that the person has not answered and that does not have enough answers already.

    Raises:
        NotAllowed: not a volunteer.
    """
    require(user, Action.ANNOTATE)
    with transaction.atomic():
        # The person's row is the lock: two tabs of one volunteer get the same item.
        User.objects.select_for_update().get(pk=user.pk)
        lying = Assignment.objects.filter(volunteer=user).first()
        if lying is not None:
            case = for_volunteers().filter(pk=lying.case_id).first()
            if case is not None:
                return case
            lying.delete()
        case = _choose(user)
        if case is not None:
            Assignment.objects.create(volunteer=user, case=case, shown_at=timezone.now())
        return case


def _choose(user: User) -> Case | None:
    """Choose and lock an item; whoever waited for the lock looks again whether it still wants an answer."""
    while True:
        # Counting answers walks every open case; what nobody has touched is found without, and comes first anyway.
        case: Case | None = _untouched().order_by(*OLDEST).first() or _wanted(user).order_by("taken", *OLDEST).first()
        if case is None:
            return None
        Case.objects.select_for_update().get(pk=case.pk)
        if _wanted(user).filter(pk=case.pk).exists():
            return case


def _untouched() -> QuerySet[Any]:
    """Return what nobody has answered and what lies before nobody."""
    return for_volunteers().exclude(Exists(_of(Annotation))).exclude(Exists(_of(Assignment)))


def _of(model: type[Annotation] | type[Assignment]) -> QuerySet[Any]:
    return model.objects.filter(case=OuterRef("pk"))


def _wanted(user: User) -> QuerySet[Any]:
    """Return what this volunteer has not answered and what has, or is about to have, too few answers."""
    fresh = timezone.now() - ASSIGNED_FOR
    answered = _of(Annotation).filter(volunteer=user)
    return (
        for_volunteers()
        .exclude(Exists(answered))
        .annotate(
            answers=Count("annotations", distinct=True),
            lying=Count("assignments", filter=Q(assignments__shown_at__gte=fresh), distinct=True),
        )
        .annotate(taken=F("answers") + F("lying"))
        .filter(taken__lt=ANSWERS_WANTED)
    )


@transaction.atomic
def answer(case_id: int, user: User, answer: Answer | str, category: str | None = None) -> Annotation:
    """Record this volunteer's answer to the item that lies before them.

    Sent twice, it is recorded once. The category, asked only after 有害, may follow in a second call.

    Raises:
        NotAllowed: not a volunteer.
        InvalidInput: no such answer or category, or the item does not lie before them.
    """
    require(user, Action.ANNOTATE)
    given = _answer(answer)
    if category and (given is not Answer.HARMFUL or category not in SLUGS):
        allowed = "只在“有害”之后选择类别" if given is not Answer.HARMFUL else ", ".join(SLUGS)
        raise InvalidInput("category", category, allowed)
    User.objects.select_for_update().get(pk=user.pk)
    before = Annotation.objects.filter(case_id=case_id, volunteer=user).first()
    if before is not None:
        return _completed(before, given, category)
    lying = Assignment.objects.filter(volunteer=user, case_id=case_id).first()
    if lying is None:
        raise InvalidInput("case", case_id, "只能回答眼前的这一条")
    lying.delete()
    return Annotation.objects.create(
        case_id=case_id, volunteer=user, answer=given, category=category or "", shown_at=lying.shown_at
    )


def skip(case_id: int, user: User) -> Annotation:
    """Record 看不下去: no reason is asked, and it counts as work done.

    Raises:
        NotAllowed: not a volunteer.
        InvalidInput: the item does not lie before them.
    """
    return answer(case_id, user, Answer.SKIPPED)


@transaction.atomic
def undo_last(user: User) -> Case:
    """Take back this volunteer's last answer of today and put the item before them again.

    Raises:
        NotAllowed: not a volunteer.
        NothingToUndo: no answer today, or staff have decided the case meanwhile.
    """
    require(user, Action.ANNOTATE)
    User.objects.select_for_update().get(pk=user.pk)
    last = Annotation.objects.filter(volunteer=user, answered_at__gte=_midnight()).order_by("-id").first()
    if last is None:
        raise NothingToUndo("今天还没有可以撤回的回答")
    case = for_volunteers().filter(pk=last.case_id).first()
    if case is None:
        raise NothingToUndo("这一条已由审核员处理，不能撤回")
    last.delete()
    Assignment.objects.update_or_create(volunteer=user, defaults={"case": case, "shown_at": timezone.now()})
    return case


def summary(case: Case) -> Summary:
    """Return what volunteers said of a case; a majority needs at least two who agree and more than half."""
    rows = list(case.annotations.exclude(answer=Answer.SKIPPED).values_list("answer", "category"))
    counts = Counter(answer for answer, _ in rows)
    categories = Counter(category for _, category in rows if category)
    top, votes = counts.most_common(1)[0] if counts else ("", 0)
    majority = top if votes >= 2 and votes * 2 > len(rows) else ""
    return Summary(len(rows), dict(counts), dict(categories), majority)


def work_done(user: User) -> int:
    """Return how many items this volunteer has answered or skipped today (Asia/Shanghai)."""
    return Annotation.objects.filter(volunteer=user, answered_at__gte=_midnight()).count()


def minutes_at_work(user: User) -> int:
    """Return how long this volunteer has been reading today without a rest, in minutes, up to their last answer.

    A rest is `REST` or more between an answer and the next item; work that ended that long ago counts as none.
    """
    rows = Annotation.objects.filter(volunteer=user, answered_at__gte=_midnight()).order_by("-answered_at")
    later, last = timezone.now(), None
    for shown_at, answered_at in rows.values_list("shown_at", "answered_at"):
        if later - answered_at >= REST:
            break
        last = last or answered_at
        later = shown_at
    return int((last - later).total_seconds() // 60) if last else 0


def _completed(before: Annotation, given: Answer, category: str | None) -> Annotation:
    """A repeated answer changes nothing, but may bring the category that was missing."""
    if category and before.answer == given and not before.category:
        before.category = category
        before.save(update_fields=["category"])
    return before


def _answer(answer: Answer | str) -> Answer:
    try:
        return Answer(answer)
    except ValueError:
        raise InvalidInput("answer", answer, ", ".join(Answer.values)) from None


def _midnight() -> datetime:
    return timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
