"""Find every one of many words in a text at once."""

from __future__ import annotations

import re
from collections.abc import Sequence

import daachorse

Found = list[tuple[int, int, int]]
"""Begin and end of a word, in code points, and its number; words may overlap."""
_SURROGATE = re.compile("[\ud800-\udfff]")


class WordFinder:
    """Finds words in one pass over a text (Aho and Corasick 1975), whatever their number."""

    def __init__(self, words: Sequence[str]) -> None:
        self._automaton = daachorse.CharwiseDoubleArrayAhoCorasick(list(words)) if words else None

    def find(self, text: str) -> Found:
        """Return every place where a word stands, by its end."""
        if self._automaton is None:
            return []
        try:
            found: Found = self._automaton.find_overlapping(text)
        except UnicodeEncodeError:  # lone surrogates have no UTF-8 form; no word has any
            found = self._automaton.find_overlapping(_SURROGATE.sub("\ufffd", text))
        return found
