"""Captures into the inbox, those that must not wait first."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from casework import intake
from classifiers import triage
from config.settings import get_settings
from crawlers.capture import Capture
from workers import own_rules


def receive(captures: Sequence[Capture]) -> intake.Receipt:
    """Put captures into the inbox, each once; what looks grave at a glance overtakes whatever waits.

    Raises:
        django.db.DatabaseError: the database cannot be written.
    """
    return intake.receive(captures, urgent=urgent)


def urgent(texts: Sequence[str]) -> list[bool]:
    """Say of each text whether it must not wait."""
    return [bool(slugs) for slugs in glance().slugs(texts)]


@functools.cache
def glance() -> triage.Triage:
    """Return the triage of this process, loaded once.

    Raises:
        classifiers.errors.ModelError: the folder of the model is wrong.
        classifiers.errors.RuleError: a word-rule file is wrong, and no right one is on record.
    """
    return own_rules.load_with(lambda folder: triage.load(folder, get_settings().model_dir))
