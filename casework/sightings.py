"""Sightings: who saw what of which case. Every answer that shows somebody something sensitive is recorded here.

Sensitive are restricted and S0 cases, covered or not, and every case of whose text anything is shown that no mask
covers. One entry an answer, in the audit log, written before the answer leaves; it holds ids and never a text. What an
open page asks for again and again (its claim) shows nothing of a case and leaves no entry; asking for the text under a
mask has an entry of its own (`exposure.reveal`).
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from casework import audit
from casework.exposure import CaseView
from casework.models import User
from config.taxonomy import Severity

LIST = "cases"
"""Subject of an entry about a list."""


class Where(StrEnum):
    """Where it was seen."""

    PAGE = "page"
    QUEUE = "queue"
    SIMILAR = "similar"
    NOTICE = "notice"
    VOLUNTEER = "volunteer"
    API = "api"


class Extent(StrEnum):
    """How much of the text was shown."""

    NONE = "none"
    PART = "part"
    WHOLE = "whole"


def note_case(user: User, where: Where, view: CaseView, beside: Iterable[CaseView] = ()) -> None:
    """Record that this person saw a case with its address, and of which others around it."""
    around = [one.id for one in beside if sensitive(one)]
    if around or sensitive(view):
        more = {"cases": around} if around else {}
        audit.record("case.view", user, f"case:{view.id}", version=view.version, where=where, text=extent(view), **more)


def note_list(user: User, where: Where, views: Iterable[CaseView]) -> None:
    """Record which cases of a list were seen by this person: those that are sensitive."""
    ids = [one.id for one in views if sensitive(one)]
    if ids:
        audit.record("case.view", user, LIST, where=where, cases=ids)


def sensitive(view: CaseView) -> bool:
    """Say whether seeing this is recorded."""
    return view.restricted or view.severity == Severity.S0 or extent(view) is not Extent.NONE


def extent(view: CaseView) -> Extent:
    """Say how much of the text stands there uncovered."""
    covered = {segment.masked for segment in view.segments}
    if False not in covered:
        return Extent.NONE
    return Extent.PART if True in covered else Extent.WHOLE
