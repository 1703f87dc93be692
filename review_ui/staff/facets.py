"""Facets as a page shows them: groups of values with counts, each a link that adds or takes away a filter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import QueryDict
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from casework import policies
from casework.models import CaseState
from config.taxonomy import load_taxonomy
from review_ui import words


@dataclass(frozen=True)
class Choice:
    """One value of a facet."""

    label: str
    count: int
    chosen: bool
    address: str


@dataclass(frozen=True)
class Group:
    """One facet."""

    title: str
    choices: Sequence[Choice]


def facet_groups(
    facets: Mapping[str, Sequence[tuple[str, int]]], chosen: Mapping[str, Sequence[str]], given: QueryDict
) -> list[Group]:
    """Return the facets in the order of the page."""
    sites = [site for site, _count in facets.get("site", ())]
    return [
        Group(
            _(title),
            [
                _choice(name, value, count, chosen, given, _section(value, sites) if name == "section" else "")
                for value, count in _all(name, facets, chosen)
            ],
        )
        for name, title in words.FACETS.items()
        if facets.get(name)
    ]


def label(name: str, value: str) -> str:
    """Return a value of a facet in words."""
    match name:
        case "category":
            return category_name(value)
        case "state":
            return _(CaseState(value).label) if value in CaseState.values else value
        case "severity":
            return _(words.SEVERITIES.get(value, value))
        case "platform_class":
            return policies.class_title(value)
        case "site":
            return policies.site_title(value)
        case _:
            return value


def category_name(slug: str) -> str:
    """Return the category's name in the language of the page."""
    category = load_taxonomy().categories.get(slug)
    if category is None:
        return slug
    return category.name_en if (get_language() or "").startswith("en") else category.name


def toggled(given: QueryDict, name: str, value: str) -> str:
    """Return the address with one value added to a filter, or taken away when it is there."""
    values = {key: given.getlist(key) for key in given if key not in {"page", "after", name}}
    if value not in given.getlist(name):
        values[name] = [value]
    return "?" + urlencode(values, doseq=True)


def _all(
    name: str, facets: Mapping[str, Sequence[tuple[str, int]]], chosen: Mapping[str, Sequence[str]]
) -> list[tuple[str, int]]:
    """Return the values that were counted, and those that are chosen though nothing has them."""
    counted = list(facets[name])
    known = {value for value, _count in counted}
    complete = counted + [(value, 0) for value in chosen.get(name, ()) if value not in known]
    return sorted(complete) if name == "severity" else complete


def _section(slug: str, sites: Sequence[str]) -> str:
    """Return a section's title: what the sites at hand call it, each name once."""
    titles = dict.fromkeys(policies.section_title(site, slug) for site in sites)
    return " / ".join(title for title in titles if title != slug) or slug


def _choice(
    name: str, value: str, count: int, chosen: Mapping[str, Sequence[str]], given: QueryDict, title: str = ""
) -> Choice:
    present = list(chosen.get(name, ()))
    on = value in present
    after = [one for one in present if one != value] if on else [*present, value]
    values = {key: given.getlist(key) for key in given if key not in {"page", "after", name}}
    # No state at all would mean the default; "all" says that every state is wanted.
    values[name] = after or (["all"] if name == "state" else [])
    return Choice(title or label(name, value), count, on, "?" + urlencode(values, doseq=True))
