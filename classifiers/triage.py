"""Triage: which texts must not wait. A glance at the word rules, a sixth of an assessment's cost on a plain text.

It orders work and decides nothing: what it misses is assessed in its turn, what it calls urgent for nothing is assessed
a little early. Evasions are not undone here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from classifiers.normalise import fold
from classifiers.rules.engine import RuleEngine
from classifiers.rules.model import RULES_DIR, load_rules
from config.taxonomy import Severity, load_taxonomy


class Triage:
    """The rules of the categories that can be S0."""

    def __init__(self, engine: RuleEngine) -> None:
        self._engine = engine

    def slugs(self, texts: Sequence[str]) -> list[frozenset[str]]:
        """Return for each text the categories of which a rule speaks; empty: it can wait."""
        folded = fold(texts)
        hits = self._engine.match(folded.texts())
        return [frozenset(hit.slug for hit in spoken) for spoken in hits]


def urgent_slugs() -> frozenset[str]:
    """Return the categories that can be S0: life and limb, and what may not be held at all."""
    return frozenset(slug for slug, one in load_taxonomy().categories.items() if Severity.S0 in one.severities)


def load(own_rules: Path | None = None) -> Triage:
    """Load it, with rules of one's own added.

    Raises:
        RuleError: a word-rule file is wrong.
    """
    book = load_rules((RULES_DIR, own_rules) if own_rules else (RULES_DIR,))
    wanted = urgent_slugs()
    return Triage(RuleEngine(replace(book, rules=tuple(one for one in book.rules if one[0] in wanted), contexts=())))
