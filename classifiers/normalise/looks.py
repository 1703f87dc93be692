"""Characters that evaders put in another's place, as they look like it or for show, and emoji that stand for a word."""

from __future__ import annotations

from classifiers.normalise.listed import read_listed


def all_looks() -> dict[str, tuple[str, ...]]:
    """Every character with those that look like it."""
    return dict(read_listed("looks.tsv"))


def all_martian() -> dict[str, tuple[str, ...]]:
    """Every character with what is put in its place in martian script (火星文)."""
    return dict(read_listed("martian.tsv"))


def all_emoji() -> dict[str, tuple[str, ...]]:
    """Every character, or word of two, with the emoji that stand for it."""
    return dict(read_listed("emoji.tsv"))


def looks_of(char: str) -> tuple[str, ...]:
    """Return the characters that look like one; none where we list none."""
    return read_listed("looks.tsv").get(char, ())


def emoji_of(char: str) -> tuple[str, ...]:
    """Return the emoji that stand for a character; none where we list none."""
    return read_listed("emoji.tsv").get(char, ())
