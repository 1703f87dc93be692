"""This installation's own word rules, of which the last right ones are on record: wrong ones change nothing."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import structlog
from django.db import DatabaseError

from casework import activations, status
from casework.policies import RULES
from classifiers.errors import RuleError
from config.settings import get_settings

if TYPE_CHECKING:
    from classifiers.rules.engine import RuleEngine

log = structlog.get_logger(__name__)
Loaded = TypeVar("Loaded")

MOST_BYTES = 10_000_000
"""Rules larger than this together are not put on record."""


def load_with(load: Callable[[Path | None], Loaded]) -> Loaded:
    """Load something with the own rules; with the last right ones, where those in the folder are wrong.

    Raises:
        RuleError: a file is wrong, and no right ones are on record.
    """
    try:
        return load(get_settings().own_rules)
    except RuleError as error:
        kept = _recorded()
        if kept is None:
            raise
        log.error("rules_wrong", problem=str(error), holds="the last right ones")
    with tempfile.TemporaryDirectory(prefix="woodpecker-rules-") as folder:
        for name, text in kept.items():
            (Path(folder) / Path(name).name).write_text(text, "utf-8")
        return load(Path(folder) if kept else None)


def check() -> None:
    """Make sure that there are rules to go on with.

    Raises:
        RuleError: a file is wrong, and no right ones are on record.
    """
    if get_settings().own_rules:
        load_with(read)


def read(folder: Path | None) -> RuleEngine:
    """Read the shipped rules and those of a folder, to the last expression.

    Raises:
        RuleError: a file is wrong.
    """
    from classifiers.rules.engine import RuleEngine  # a worker's parent without own rules does not need it
    from classifiers.rules.model import RULES_DIR, load_rules

    return RuleEngine(load_rules((RULES_DIR, folder) if folder else (RULES_DIR,)))


def note() -> None:
    """Put what is in the folder on record, where it is right and not yet there; having none, after some, too."""
    try:
        texts = _texts(get_settings().own_rules)
        if sum(map(len, texts.values())) > MOST_BYTES or not (texts or activations.last(RULES)):
            return
        read(get_settings().own_rules)
        digest = hashlib.sha256(json.dumps(texts, sort_keys=True).encode()).hexdigest()
        activations.put(RULES, digest, texts, "\n".join(f"# {name}\n{text}" for name, text in texts.items()))
    except RuleError:
        return  # told by whoever loaded
    except (DatabaseError, OSError) as error:
        log.warning("policy_not_recorded", file=RULES, error=type(error).__name__)


class Watch:
    """Looks now and then whether the rules in the folder are still right, and says so while they are not."""

    def __init__(self) -> None:
        self._seen: dict[Path, int] = {}
        self._problem = ""

    def look(self) -> None:
        """Read them again where a file has changed.

        Raises:
            django.db.DatabaseError: it cannot be said.
        """
        stamps = _stamps(get_settings().own_rules)
        if stamps != self._seen:
            self._seen, before = stamps, self._problem
            self._problem = _problem()
            if self._problem and self._problem != before:
                log.error("rules_wrong", problem=self._problem, holds="what was read before")
            if before and not self._problem:
                status.rest(RULES)
        if self._problem:
            status.beat(RULES, self._problem)


def _problem() -> str:
    folder = get_settings().own_rules
    if folder is None:
        return ""
    try:
        read(folder)
    except RuleError as error:
        return str(error).replace(f"{folder}/", RULES)
    return ""


def _recorded() -> dict[str, str] | None:
    try:
        found = activations.last(RULES)
    except DatabaseError:
        return None
    return dict(found.document) if found else None


def _texts(folder: Path | None) -> dict[str, str]:
    return {path.name: path.read_text("utf-8") for path in sorted(folder.glob("*.yaml"))} if folder else {}


def _stamps(folder: Path | None) -> dict[Path, int]:
    try:
        return {path: path.stat().st_mtime_ns for path in sorted(folder.glob("*.yaml"))} if folder else {}
    except OSError:  # a file that goes while it is looked at
        return {}
