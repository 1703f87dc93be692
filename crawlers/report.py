"""What a crawl did, told plainly: what was read, what was new, and what was not read and why."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from crawlers.yields import Rot, Yields


@dataclass
class CrawlReport:
    """Counts of one crawl of one site.

    `requests` counts everything that was sent, robots.txt and retries included; `pages_unchanged` the answers 304;
    `barren_pages` the pages on which the recipe found nothing; `incomplete_units` what looked like a unit but had no
    key or no text; `disappeared` the units that are no longer in their thread, `gone` the ids of their captures;
    `changed_pages` threads of which more than half was missing at once, which is taken for a change of the page;
    `gone_threads` those whose address answers 404 or 410; `withheld_pages` those that ask not to be
    kept; `refused` and `failed` say why and how often;
    `amber` says what brings far less than this site's own history, `yields` what was looked at and found;
    `held_seconds` is the time that the crawl waited because whoever takes the captures had no room;
    `stopped_by_site` is set when an answer made the site rest, or stay busy; `next_at` is the moment (seconds since
    1970) from which the site may be asked again.
    """

    site: str
    requests: int = 0
    pages: int = 0
    pages_unchanged: int = 0
    barren_pages: int = 0
    units: int = 0
    captures: int = 0
    edited: int = 0
    disappeared: int = 0
    changed_pages: int = 0
    threads_opened: int = 0
    threads_unmoved: int = 0
    threads_drawn: int = 0
    gone_threads: int = 0
    incomplete_units: int = 0
    truncated_threads: int = 0
    withheld_pages: int = 0
    seconds: float = 0.0
    held_seconds: float = 0.0
    gone: list[str] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    yields: Yields = field(default_factory=Yields)
    amber: list[Rot] = field(default_factory=list)
    stopped_early: str = ""
    stopped_by_site: str = ""
    next_at: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """Return the report for a machine."""
        return {
            **{
                name: value
                for name, value in vars(self).items()
                if name not in {"refused", "failed", "yields", "amber"}
            },
            "seconds": round(self.seconds, 2),
            "next_at": datetime.fromtimestamp(self.next_at, UTC).isoformat() if self.next_at else None,
            "refused": dict(self.refused),
            "failed": dict(self.failed),
            "amber": [{"kind": one.kind, "since": one.since.isoformat(), "what": one.what} for one in self.amber],
            "empty": self.yields.empty,
            "evidence": self.yields.evidence,
        }
