"""What a character, or a few, may stand for: of the same sound, alike to look at, put together, spelled or drawn."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from classifiers.normalise.fold import fold
from classifiers.normalise.looks import all_emoji, all_looks, all_martian
from classifiers.normalise.neighbours import Neighbours
from classifiers.normalise.readings import all_splits, all_syllables, is_han, syllable_of
from classifiers.normalise.tables import CODE_POINTS

MOST_OF_A_SOUND = 10  # characters of one syllable, the most frequent
LONGEST_SYLLABLE = 6  # zhuang
COSTS = {"sound": 2.0, "look_alike": 1.5, "martian": 1.5, "split": 1.5, "pinyin": 3.0, "emoji": 3.0, "digits": 4.0}
"""What it costs to suppose an evasion where many characters do not fit, in units of log probability."""
_SOUNDS_OF_DIGITS = {
    "0": "零你", "1": "一要", "2": "爱二儿", "3": "三想", "4": "死是似", "5": "我无五", "6": "六了溜", "7": "起气妻七",
    "8": "吧爸不发", "9": "救就久",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Choices:
    """Ways of reading `length` characters: `read_as[k]`, `kinds[k]`; a kind is empty where they are read as they stand.

    `first` and `last` are symbols of the neighbour model, `worth` is all but the gains of neighbours outside.
    """

    length: int
    read_as: tuple[str, ...]
    kinds: tuple[str, ...]
    first: NDArray[np.int64]
    last: NDArray[np.int64]
    worth: NDArray[np.float64]
    changed: NDArray[np.bool_]  # where a kind is not empty


class Candidates:
    """All that may be meant, for the symbols of a neighbour model."""

    def __init__(self, neighbours: Neighbours) -> None:
        self._neighbours = neighbours
        self._by_sound = _by_sound(neighbours)
        self._looks = _reversed(all_looks())
        self._martian = _reversed(all_martian())
        self._drawn = _reversed(all_emoji())
        self._splits = _folded_keys(_reversed(all_splits()))
        self._split_starts = {form[:2] for form in self._splits}
        self._longest_split = max(map(len, self._splits))
        self.signs: NDArray[np.bool_] = np.zeros(CODE_POINTS, dtype=bool)  # no Chinese characters, but read as some
        for sign in self._drawn.keys() | {seen for seen in self._martian if not is_han(seen)}:
            self.signs[ord(sign)] = True
        self._single = lru_cache(maxsize=8192)(self._of_one)
        self._of_syllable = lru_cache(maxsize=512)(self._syllable)
        self.spelled = lru_cache(maxsize=8192)(self._spelled)

    def at(self, text: str, place: int) -> list[Choices]:
        """What may be read from a place on; the very first is the character as it stands."""
        char = text[place]
        found = [self._single(char)]
        if text[place : place + 2] in self._split_starts:
            found += self._put_together(text, place)
        if "a" <= char <= "z":
            start, end = _letters_around(text, place)
            found += [
                self._of_syllable(text[place : start + stop])
                for begin, stop in self.spelled(text[start:end])
                if start + begin == place
            ]
        return found

    def _of_one(self, char: str) -> Choices:
        found = [(char, "")]
        if syllable := syllable_of(char):
            found += [(other, "sound") for other in self._by_sound.get(syllable, ()) if other != char]
        found += [(other, "look_alike") for other in self._looks.get(char, ())]
        found += [(meant, "martian") for meant in self._martian.get(char, ())]
        found += [(meant, "emoji") for meant in self._drawn.get(char, ())]
        return self._choices(1, found + [(meant, "digits") for meant in _SOUNDS_OF_DIGITS.get(char, "")])

    def _put_together(self, text: str, place: int) -> list[Choices]:
        found: list[Choices] = []
        for length in range(2, min(self._longest_split, len(text) - place) + 1):
            if whole := self._splits.get(text[place : place + length]):
                found.append(self._choices(length, [(char, "split") for char in whole]))
        return found

    def _syllable(self, syllable: str) -> Choices:
        return self._choices(len(syllable), [(char, "pinyin") for char in self._by_sound[syllable]])

    def _spelled(self, letters: str) -> tuple[tuple[int, int], ...]:
        """Places of the syllables into which letters can be cut without a rest; none where they cannot."""
        size = len(letters)
        if not 2 <= size <= 24:
            return ()
        spans = [
            (a, b)
            for a in range(size)
            for b in range(a + 1, min(size, a + LONGEST_SYLLABLE) + 1)
            if letters[a:b] in self._by_sound
        ]
        from_start, to_end = {0}, {size}
        for a, b in spans:
            if a in from_start:
                from_start.add(b)
        for a, b in reversed(spans):
            if b in to_end:
                to_end.add(a)
        return tuple((a, b) for a, b in spans if a in from_start and b in to_end)

    def _choices(self, length: int, found: list[tuple[str, str]]) -> Choices:
        read_as, kinds = zip(*found, strict=True)
        symbol, single = self._neighbours.symbol, self._neighbours.single
        first, last = (symbol[[ord(meant[end]) for meant in read_as]].astype(np.int64) for end in (0, -1))
        worth = single[first] - np.array([COSTS.get(kind, 0.0) for kind in kinds])
        pairs = np.array([len(meant) > 1 for meant in read_as])  # words of two that one emoji stands for
        if pairs.any():
            worth[pairs] += single[last[pairs]] + self._neighbours.gain(first[pairs], last[pairs])
        return Choices(length, read_as, kinds, first, last, worth, np.array([kind != "" for kind in kinds]))


def _letters_around(text: str, place: int) -> tuple[int, int]:
    start = end = place
    while start and "a" <= text[start - 1] <= "z":
        start -= 1
    while end < len(text) and "a" <= text[end] <= "z":
        end += 1
    return start, end


def _by_sound(neighbours: Neighbours) -> dict[str, tuple[str, ...]]:
    """Syllable → the most frequent characters that are read so."""
    found: dict[str, list[str]] = {}
    for char, syllable in all_syllables().items():
        if neighbours.symbol[ord(char)]:
            found.setdefault(syllable, []).append(char)
    return {
        syllable: tuple(sorted(chars, key=lambda c: int(neighbours.symbol[ord(c)]))[:MOST_OF_A_SOUND])
        for syllable, chars in found.items()
    }


def _reversed(table: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for meant, others in table.items():
        for seen in others:
            found.setdefault(seen, []).append(meant)
    return {seen: tuple(meant) for seen, meant in found.items()}


def _folded_keys(table: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Keys as they stand in a folded text; those that fold to one character are no evasion that is left."""
    listed = list(table)
    found: dict[str, tuple[str, ...]] = {}
    for key, seen in zip(listed, fold(listed).texts(), strict=True):
        if len(seen) > 1:
            found[seen] = found.get(seen, ()) + table[key]
    return found
