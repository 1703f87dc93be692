"""Exposure: what a person may see of a case, decided here and nowhere else.

A text is masked by severity until the person asks for it: S0 and S1 wholly, S2 and S3 where they were flagged.
Asking is recorded (`reveal`). A restricted case has no text to show to anyone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

from django.db.models import QuerySet

from casework import audit, hits, keys
from casework.errors import InvalidInput, NotAllowed, NotFound
from casework.models import UNDECIDED, Assignment, Case, CaseState, User
from casework.roles import Action, may
from config.taxonomy import Severity, load_taxonomy

WHOLLY_MASKED = (Severity.S0, Severity.S1)
MASK = "■"
MASK_CHARACTERS = 24
"""Longest run of mask signs: the length of a text is not told, only that there is one."""
CONTEXT_CHARACTERS = 16
"""Characters before the first mark that an excerpt keeps."""

_STATES = tuple(state for state in CaseState if state is not CaseState.OUT_OF_SCOPE)


@dataclass(frozen=True)
class Scope:
    """Which cases a person may meet: each field of a case must be one of the values named here; none means none."""

    restricted: tuple[bool, ...] = ()
    severities: tuple[str, ...] = ()
    states: tuple[str, ...] = ()

    def filters(self) -> dict[str, list[Any]]:
        """Return the conditions as field → allowed values, the same for the database and for an index."""
        return {
            "restricted": list(self.restricted),
            "severity": list(self.severities),
            "state": list(self.states),
        }

    def of(self, cases: QuerySet[Case]) -> QuerySet[Case]:
        """Return those of some cases that are among them."""
        for name, values in self.filters().items():
            cases = keys.among(cases, name, values)
        return cases

    def covers(self, case: Case) -> bool:
        """Say whether a case, as it was read, is one of them."""
        return all(getattr(case, name) in values for name, values in self.filters().items())


@dataclass(frozen=True)
class Segment:
    """A stretch of text that is shown in one way. A masked segment holds mask signs, never the text.

    `slug` says which category was seen here, `reason`, once somebody has decided, by what; `evasion` that the stretch
    was read through, and `read_as`, at its beginning, as what; `redacted` that personal data stood here; `hit` that a
    search found it.
    """

    text: str
    masked: bool = False
    slug: str = ""
    reason: str = ""
    evasion: bool = False
    read_as: str = ""
    redacted: bool = False
    hit: bool = False

    @property
    def plain(self) -> bool:
        """Whether nothing is to be said about it."""
        return not (self.masked or self.slug or self.evasion or self.redacted or self.hit)


@dataclass(frozen=True)
class CaseView:
    """What one person sees of one case. For volunteers everything that would tell them an opinion is empty."""

    id: int
    number: str
    version: int
    state: str
    site: str
    section: str
    kind: str
    url: str
    unit: str
    segments: tuple[Segment, ...]
    masked: bool
    restricted: bool
    reason_needed: bool
    category: str = ""
    categories: tuple[str, ...] = ()
    severity: str = ""
    grade: str = ""
    score: float | None = None
    scores: dict[str, float] = field(default_factory=dict)
    spans: tuple[dict[str, Any], ...] = ()
    undone: tuple[dict[str, Any], ...] = ()

    @property
    def has_text(self) -> bool:
        """Whether there is any text: a restricted or purged case has none."""
        return bool(self.segments)

    def excerpt(self, characters: int = 120) -> tuple[Segment, ...]:
        """Return the segments shortened to about so many characters, from a little before the first marked one."""
        return _excerpt(self.segments, characters)


def scope_for(user: User) -> Scope:
    """Return which cases this person may meet."""
    if not may(user, Action.SEE_CASES):
        return Scope()
    ordinary = tuple(str(one) for one in Severity if one is not Severity.S0)
    grave = (str(Severity.S0),) if may(user, Action.SEE_GRAVE) else ()
    decides = bool(may(user, Action.DECIDE))
    return Scope(
        restricted=(False, True) if may(user, Action.SEE_RESTRICTED) else (False,),
        severities=grave + ordinary,
        states=tuple(_STATES) if decides else (CaseState.CONFIRMED,),
    )


def visible_cases(user: User) -> QuerySet[Case]:
    """Return the cases that this person may meet; a volunteer meets only the one that lies before them."""
    if may(user, Action.ANNOTATE):
        return Case.objects.filter(assignments__volunteer=user, restricted=False).exclude(state=CaseState.OUT_OF_SCOPE)
    return scope_for(user).of(Case.objects.all())


def visible_case(case_id: int, user: User, *fields: str) -> Case:
    """Return one case; where fields are named they alone are read.

    Raises:
        NotFound: there is none, or none that this person may see.
    """
    cases = visible_cases(user).filter(pk=case_id)
    case = (cases.only(*fields) if fields else cases).first()
    if case is None:
        raise NotFound("案件", case_id)
    return case


def may_meet(case: Case, user: User) -> bool:
    """Say whether this person may meet a case that was read already; `visible_cases` of one, without asking again."""
    if may(user, Action.ANNOTATE):
        return visible_cases(user).filter(pk=case.pk).exists()
    return scope_for(user).covers(case)


def present(case: Case, user: User, *, revealed: bool = False, highlights: Iterable[tuple[int, int]] = ()) -> CaseView:
    """Return what this person sees of a case that they may see.

    Args:
        case: a case out of `visible_cases(user)`.
        user: whoever looks.
        revealed: show the text; only `reveal` says so, since seeing it is recorded.
        highlights: (start, end) of search hits in the text.
    """
    blind = bool(may(user, Action.ANNOTATE))
    whole = case.severity in WHOLLY_MASKED
    masked = bool(case.text) and not revealed and (whole or (bool(case.spans) and not blind))
    segments = _segments(case, blind=blind, revealed=revealed, whole=whole, highlights=highlights)
    shown = {} if blind else _opinions(case, masked=masked)
    return CaseView(
        id=case.pk,
        number=case.number,
        version=case.version,
        state=case.state,
        site=case.site,
        section=case.section,
        kind=case.kind,
        url=case.url,
        unit=case.unit,
        segments=segments,
        masked=masked,
        restricted=case.restricted,
        reason_needed=not blind and concerns_a_minor(case),
        **shown,
    )


def reveal(case: Case, user: User, reason: str = "") -> CaseView:
    """Show the whole text to this person and record that they saw it.

    Raises:
        NotFound: this person may not see the case.
        NotAllowed: the case holds no text.
        InvalidInput: it concerns a minor, and staff must give a reason.
    """
    case = visible_case(case.pk, user)
    if not case.text:
        raise NotAllowed("专办案件不留存任何文字" if case.restricted else "文字已按期清除")
    reason = reason.strip()
    if not may(user, Action.ANNOTATE) and concerns_a_minor(case) and not reason:
        raise InvalidInput("reason", reason, "查看涉及未成年人个人信息的内容须填写理由")
    audit.record("case.reveal", user, case, version=case.version, reason=reason[:500])
    return present(case, user, revealed=True)


def masked_excerpt(case: Case, characters: int = 80) -> str:
    """Return the beginning of what lies under the mask, as anybody may read it who may see the case at all."""
    whole = case.severity in WHOLLY_MASKED
    segments = _segments(case, blind=False, revealed=False, whole=whole, highlights=())
    return "".join(segment.text for segment in _excerpt(segments, characters))


def scores_shown(case: Case) -> bool:
    """Say whether scores, and that a case is an audit sample, may be shown: once somebody has decided.

    Before, they would lead whoever decides, and tell the audit sample from the hits. So would what says how sure the
    model is in other words: that a word rule spoke, and further categories that reached their threshold.
    """
    return case.state not in UNDECIDED


def concerns_a_minor(case: Case) -> bool:
    """Say whether the case touches a particular minor: their privacy, or they wrote it."""
    return "minor_privacy" in case.categories or case.category == "minor_privacy" or hits.MINOR_AUTHOR in case.flags


def lies_before(user: User) -> Assignment | None:
    """Return what lies before a volunteer now."""
    return Assignment.objects.filter(volunteer=user).select_related("case").first()


def _opinions(case: Case, *, masked: bool) -> dict[str, Any]:
    """Return what the classifier and the policy say, in the taxonomy's order; evasions quote, so they are masked."""
    scored = scores_shown(case)
    order = load_taxonomy().categories if scored else {}
    return {
        "category": case.category,
        "categories": tuple(case.categories) if scored else (case.category,),
        "severity": case.severity,
        "grade": case.grade,
        "score": case.score if scored else None,
        "scores": {slug: case.scores[slug] for slug in order if slug in case.scores},
        "spans": tuple(case.spans) if scored else (),
        "undone": () if masked else tuple(case.undone),
    }


def _segments(
    case: Case, *, blind: bool, revealed: bool, whole: bool, highlights: Iterable[tuple[int, int]]
) -> tuple[Segment, ...]:
    if not case.text:
        return ()
    if whole and not revealed:
        return (Segment(MASK * min(len(case.text), MASK_CHARACTERS), masked=True),)
    if blind:
        return (Segment(case.text),)
    marks = _Marks(case, highlights)
    edges = sorted({0, len(case.text), *marks.edges()})
    parts = (marks.segment(start, end, masking=not revealed) for start, end in pairwise(edges))
    return _joined(parts)


class _Marks:
    """Everything that marks a stretch of the text, asked stretch by stretch."""

    def __init__(self, case: Case, highlights: Iterable[tuple[int, int]]) -> None:
        self.text, self._told = case.text, scores_shown(case)
        size = len(case.text)
        self.spans = [one for one in case.spans if one["start"] < one["end"] <= size]
        self.undone = [one for one in case.undone if one["start"] < one["end"] <= size]
        self.redactions = [one for one in case.redactions if one["start"] < one["end"] <= size]
        self.hits = [{"start": start, "end": end} for start, end in highlights if 0 <= start < end <= size]

    def edges(self) -> set[int]:
        marks = (*self.spans, *self.undone, *self.redactions, *self.hits)
        return {mark[side] for mark in marks for side in ("start", "end")}

    def segment(self, start: int, end: int, *, masking: bool) -> Segment:
        span = _covering(self.spans, start, end)
        if span and masking:
            return Segment(MASK * min(end - start, MASK_CHARACTERS), masked=True)
        undone = _covering(self.undone, start, end)
        begins = undone is not None and undone["start"] == start
        return Segment(
            self.text[start:end],
            slug=span["slug"] if span else "",
            reason=span["reason"] if span and self._told else "",
            evasion=undone is not None,
            read_as=undone["read_as"] if undone and begins and not masking else "",
            redacted=_covering(self.redactions, start, end) is not None,
            hit=_covering(self.hits, start, end) is not None,
        )


def _covering(marks: Sequence[dict[str, Any]], start: int, end: int) -> dict[str, Any] | None:
    return next((mark for mark in marks if mark["start"] <= start and end <= mark["end"]), None)


def _joined(parts: Iterable[Segment]) -> tuple[Segment, ...]:
    """Join neighbouring masks, so that their number tells nothing."""
    joined: list[Segment] = []
    for part in parts:
        if part.masked and joined and joined[-1].masked:
            joined[-1] = Segment((joined[-1].text + part.text)[:MASK_CHARACTERS], masked=True)
        else:
            joined.append(part)
    return tuple(joined)


def _excerpt(segments: Sequence[Segment], characters: int) -> tuple[Segment, ...]:
    first = next((at for at, segment in enumerate(segments) if not segment.plain), 0)
    kept: list[Segment] = []
    if first and segments[first - 1].plain:
        lead = segments[first - 1].text
        cut = first > 1 or len(lead) > CONTEXT_CHARACTERS
        kept.append(Segment(("…" if cut else "") + lead[-CONTEXT_CHARACTERS:]))
    left = characters
    for segment in segments[first:]:
        if left <= 0:
            kept.append(Segment("…"))
            break
        kept.append(segment if len(segment.text) <= left else replace(segment, text=segment.text[:left] + "…"))
        left -= len(segment.text)
    return tuple(kept)
