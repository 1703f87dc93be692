"""Triage: which texts must not wait. A glance by the word rules and the linear model, on the text as folded.

It orders work and decides nothing: what it misses is assessed in its turn, what it calls urgent for nothing is assessed
a little early. Evasions are not undone here, and the encoder is not asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from classifiers.cascade import batches, load_linear
from classifiers.linear import LinearModel
from classifiers.normalise import Folded, fold
from classifiers.rules.engine import RuleEngine
from classifiers.rules.model import RULES_DIR, load_rules
from config.taxonomy import Severity, load_taxonomy

AT_A_GLANCE = 0.15
"""From which calibrated probability of the linear model on a text must not wait. With the shipped model it marks 98 in
100 of our own texts that are flagged as self_harm and two in 100 of ordinary ones; `python -m benchmarks.glance`
measures it for another model."""


class Triage:
    """The rules, and the columns of the linear model, of the categories that can be S0."""

    def __init__(self, engine: RuleEngine, model: LinearModel, at_least: float = AT_A_GLANCE) -> None:
        self._engine, self._model, self._at_least = engine, model, at_least
        self._columns = {k: slug for k, slug in enumerate(model.slugs) if slug in urgent_slugs()}

    def slugs(self, texts: Sequence[str]) -> list[frozenset[str]]:
        """Return for each text the categories that a rule or the model speaks of; empty: it can wait."""
        return [slugs for batch in batches(texts) for slugs in self._of(fold(batch))]

    def _of(self, folded: Folded) -> list[frozenset[str]]:
        found = [{hit.slug for hit in spoken} for spoken in self._engine.match(folded.texts())]
        likely = self._model.probabilities(self._model.margins(self._model.grams(folded))) >= self._at_least
        for column, slug in self._columns.items():
            for number in np.flatnonzero(likely[:, column]).tolist():
                found[number].add(slug)
        return [frozenset(slugs) for slugs in found]


def urgent_slugs() -> frozenset[str]:
    """Return the categories that can be S0: life and limb, and what may not be held at all."""
    return frozenset(slug for slug, one in load_taxonomy().categories.items() if Severity.S0 in one.severities)


def load(own_rules: Path | None = None, model_dir: Path | None = None, *, at_least: float = AT_A_GLANCE) -> Triage:
    """Load it as `cascade.load` does: with rules of one's own added, and the linear model of another folder.

    Raises:
        ModelError: the folder is no model or does not match its manifest.
        RuleError: a word-rule file is wrong.
    """
    book = load_rules((RULES_DIR, own_rules) if own_rules else (RULES_DIR,))
    wanted = urgent_slugs()
    rules = replace(book, rules=tuple(one for one in book.rules if one[0] in wanted), contexts=())
    return Triage(RuleEngine(rules), load_linear(model_dir), at_least)
