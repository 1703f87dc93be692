"""Characters that evaders put in another's place because they look like it, and emoji that stand for a word."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from ruamel.yaml import YAML

DATA = Path(__file__).parent


def all_looks() -> dict[str, tuple[str, ...]]:
    """Every character with those that look like it."""
    return dict(_table("looks.yaml"))


def all_emoji() -> dict[str, tuple[str, ...]]:
    """Every character, or word of two, with the emoji that stand for it."""
    return dict(_table("emoji.yaml"))


def looks_of(char: str) -> tuple[str, ...]:
    """Return the characters that look like one; none where we list none."""
    return _table("looks.yaml").get(char, ())


def emoji_of(char: str) -> tuple[str, ...]:
    """Return the emoji that stand for a character; none where we list none."""
    return _table("emoji.yaml").get(char, ())


@lru_cache(maxsize=2)
def _table(name: str) -> Mapping[str, tuple[str, ...]]:
    raw = YAML(typ="safe").load((DATA / name).read_text(encoding="utf-8"))
    return {str(char): tuple(map(str, others)) for char, others in raw.items()}
