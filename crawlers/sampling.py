"""Which pages of a section are asked for, and with what probability."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urljoin

from config.policy import Section
from crawlers.state import ThreadState

SHORTEST_RECHECK = 600.0
LONGEST_RECHECK = 7 * 24 * 3600.0


@dataclass(frozen=True)
class StartPage:
    """A page to begin with; `probability` is that of being drawn, None where it cannot be known."""

    url: str
    probability: float | None


def start_pages(section: Section, base_url: str, dice: random.Random) -> Iterator[StartPage]:
    """Yield the start pages of a section.

    `random` draws `sample` numbers of the range without replacement, each with the same probability; the other
    methods take what the site shows first, whose probability cannot be known.
    """
    templates = section.start or ("/",)
    if section.range is None:
        for template in templates:
            yield StartPage(urljoin(base_url, template), None)
        return
    numbers = list(range(section.range[0], section.range[1] + 1))
    probability: float | None = None
    if section.method == "random":
        size = min(section.sample or len(numbers), len(numbers))
        probability = size / len(numbers) if numbers else None
        numbers = sorted(dice.sample(numbers, size))
    for number in numbers:
        for template in templates:
            yield StartPage(urljoin(base_url, template.replace("{n}", str(number))), probability)


def due(thread: ThreadState, now: float) -> bool:
    """Whether a thread that no list announces is worth another look.

    The longer it has stayed the same, the rarer it is looked at: after half the time since it last changed, at
    least ten minutes, at most a week.
    """
    quiet = (thread.checked_at - thread.changed_at) / 2
    return now - thread.checked_at >= min(max(quiet, SHORTEST_RECHECK), LONGEST_RECHECK)
