"""Words for values: slugs and codes as people read them, in the language of the page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django import template
from django.utils import timezone
from django.utils.dateformat import format as date_format
from django.utils.translation import gettext as _

from casework import clocks, law, policies
from casework.models import Case
from config.taxonomy import LawRef
from review_ui import words
from review_ui.staff import facets

register = template.Library()


@dataclass(frozen=True)
class ActBy:
    """By when somebody here should act, whether that is over, and whether that year's holidays are known."""

    at: datetime
    over: bool
    calendar_known: bool


category = register.filter("category", facets.category_name)


@register.filter
def translated(value: object) -> str:
    """Return a label of casework in the language of the page."""
    return _(str(value))


@register.filter
def state(value: str) -> str:
    """Return the state of a case in words."""
    return facets.label("state", value)


@register.filter
def severity(value: str) -> str:
    """Return a severity in words."""
    return facets.label("severity", value)


@register.filter
def site(value: str) -> str:
    """Return a site's title."""
    return facets.label("site", value)


@register.filter
def platform_class(value: str) -> str:
    """Return a platform class's title."""
    return facets.label("platform_class", value)


@register.filter
def section(case: Case) -> str:
    """Return the title of the section that a case stands in."""
    return policies.section_title(case.site, case.section)


@register.filter
def mode(value: str) -> str:
    """Return the mode of the installation in words."""
    return _(words.MODES.get(value, value))


@register.filter
def kind(value: str) -> str:
    """Return a kind of text in words."""
    return _(words.KINDS.get(value, value))


@register.filter
def grade(value: str) -> str:
    """Return a 定性 in words."""
    return _(words.GRADES.get(value, value))


@register.filter
def evasion(value: str) -> str:
    """Return a kind of undone evasion in words."""
    return _(words.EVASIONS.get(value, value))


@register.filter
def speaker(reason: str) -> str:
    """Return who marked a span: a rule or the model."""
    return _(words.SPEAKERS.get(reason.split(":", maxsplit=1)[0], reason))


@register.filter
def probability(value: float | None) -> str:
    """Return a probability as it is read aloud: a whole per cent, never 0 % or 100 %."""
    if value is None:
        return "–"
    return "<1%" if value < 0.01 else ">99%" if value > 0.99 else f"{value:.0%}"


@register.filter
def share(value: float) -> str:
    """Return an estimated share with two places, since harm is rare."""
    return f"{value:.2%}"


@register.filter
def cite(references: Iterable[LawRef]) -> list[str]:
    """Return legal bases in full, e.g. 《未成年人网络保护条例》第22条第2款."""
    return list(dict.fromkeys(law.cite(reference) for reference in references))


@register.filter
def clock(moment: datetime | None) -> str:
    """Return a moment in full, as 2026年11月24日 09:05, in the installation's time zone."""
    return date_format(timezone.localtime(moment), _("Y年n月j日 H:i")) if moment else "–"


@register.filter
def moment(moment: datetime | None) -> str:
    """Return a moment as short as it can be: today by the clock, this year without the year."""
    if moment is None:
        return "–"
    local, now = timezone.localtime(moment), timezone.localtime()
    if local.date() == now.date():
        return date_format(local, _("今天 H:i"))
    return date_format(local, _("n月j日 H:i") if local.year == now.year else _("Y年n月j日"))


@register.filter
def act_by(case: Case) -> ActBy | None:
    """Return by when somebody here should act on a case; None when nobody has to: it is decided, or a copy."""
    deadline = None if case.copy_of_id else clocks.due(case, case.created_at)
    if deadline is None:
        return None
    at = case.due_at or deadline.at
    return ActBy(at, at < timezone.now(), deadline.calendar_known)


@register.filter
def act(action: str) -> str:
    """Return an act of the audit log in words."""
    return _(words.ACTS.get(action, action))


@register.filter
def undo_case(tags: str) -> str:
    """Return the case that a message offers to undo, empty when it offers none."""
    return next((tag.removeprefix("undo:") for tag in tags.split() if tag.startswith("undo:")), "")


@register.filter
def removed_search(tags: str) -> str:
    """Return the removed search that a message offers to bring back, empty when it offers none."""
    return next((tag.removeprefix("search:") for tag in tags.split() if tag.startswith("search:")), "")


@register.filter
def subject(value: str) -> str:
    """Return what an act was done to, in words: `case:12` is A-000012."""
    kind, _colon, key = value.partition(":")
    if kind == "case" and key.isdigit():
        return Case(pk=int(key)).number
    return f"{_(words.SUBJECTS[kind])} {key}".strip() if kind in words.SUBJECTS else value


@register.filter
def times(value: int, factor: int) -> int:
    """Return a product, for places in a drawing."""
    return value * factor
