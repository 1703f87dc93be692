"""Folding of text for search: what looks alike to a reader is found alike, and every offset stays true."""

from __future__ import annotations

import unicodedata
from functools import cache

import opencc


class _Folds(dict[int, str]):
    """Code point → its fold, filled as characters are met."""

    def __missing__(self, code_point: int) -> str:
        folded = _fold_character(chr(code_point))
        self[code_point] = folded
        return folded


@cache
def _simplifier() -> opencc.OpenCC:
    return opencc.OpenCC("t2s")


def _fold_character(character: str) -> str:
    """Fold one character; what has no fold of exactly one code point stays as it is."""
    folded = character
    if unicodedata.east_asian_width(character) in "FH":
        folded = _single(unicodedata.normalize("NFKC", character), folded)
    folded = _single(folded.lower(), folded)
    if folded > "\u2e7f":
        folded = _single(_simplifier().convert(folded), folded)
    return folded


def _single(candidate: str, otherwise: str) -> str:
    return candidate if len(candidate) == 1 else otherwise


_FOLDS = _Folds()


def fold(text: str) -> str:
    """Return the text folded for search: traditional characters simplified, lower case, full width made half.

    It has the same number of code points, so that offsets in the fold are offsets in the text. Phrases are not
    converted: 乾 alone cannot be told from 乾坤, and a searcher's words are folded the same way.
    """
    return text.translate(_FOLDS)
