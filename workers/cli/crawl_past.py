"""What the database knows of earlier crawls, and is told of this one; a crawl into a file knows no past."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from config.policy import SitePolicy
    from crawlers.drawing import Interest, Spreads
    from crawlers.report import CrawlReport


class Past(TypedDict, total=False):
    """What earlier captures of a site tell its next draw."""

    spreads: Spreads
    interest: Interest


def known(policy: SitePolicy, output: str | None) -> Past:
    """Return what the database tells of a site, where captures go there."""
    from config.section import PROBABILITY_METHODS

    if output is not None or not any(section.method in PROBABILITY_METHODS for section in policy.sections):
        return {}
    from casework import prevalence

    return {"spreads": prevalence.past_spreads(policy.name), "interest": prevalence.past_finds(policy.name)}


def note_yields(reports: Iterable[CrawlReport]) -> None:
    """Turn sites amber in the status, or back."""
    from casework import sites

    for report in reports:
        first = report.amber[0] if report.amber else None
        sites.note_yield(report.site, first.since if first else None, first.what if first else "")
