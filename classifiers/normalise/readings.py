"""The second reading of a text: words of the lexicon that are hidden by what stands between or instead of them.

Found in one pass over the letters of a text (blanks, signs and emoji left out):

- `inserted`: 傻.逼, 加 微 信: a word of the lexicon with something put in between;
- `split`: 木仓 → 枪: characters taken apart, where putting them together makes a word of the lexicon;
- `sound`: 薇芯 → 微信: other characters of the same sound, for words of three characters and more, and the listed
  spellings of shorter ones;
- `pinyin`: wei信, zisha: spelled in letters, in whole or in part;
- `initials`, `digits`, `emoji`, `slang`: as listed in `variants.yaml`.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from ruamel.yaml import YAML

from classifiers.normalise.edits import Edit, Reading, Word, applied
from classifiers.normalise.fold import Folded, fold, look_up, to_points, to_text
from classifiers.normalise.listed import DATA, read_listed
from classifiers.normalise.neighbours import load_neighbours
from classifiers.normalise.syllables import syllables
from classifiers.normalise.tables import CODE_POINTS, DIGIT, HAN, LATIN, SPACE, tables
from classifiers.normalise.words import WordFinder

SPLITS = "splits.tsv"
LONGEST_GAP = 3  # characters put in between two of a word
MARKED_LEAST, MARKED_SHARE = 3, 0.25  # marks between so many neighbouring characters are no punctuation
USUAL = 2.0  # gain of characters that are usually neighbours
SHORTEST_SOUND = 3  # shorter words have too many innocent homophones
_SENTENCE = frozenset("。！？!?;；\n")
_PAUSES = frozenset(",，、:：.")
_SIGNS = ((0x2190, 0x2C00), (0x1F000, 0x1FB00))
_BREAK = "\x03"
_SYLLABLES = 0xF0000  # syllables are written as private-use characters while they are matched


class Variant(BaseModel):
    """Spellings of a word that cannot be derived: `unless` words nearby make them innocent."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    word: str
    kind: str
    seen: tuple[str, ...] = Field(min_length=1)
    unless: tuple[str, ...] = ()


_NOTHING = Word("", "inserted")


class Reader:
    """Finds second readings, for a lexicon of words as they are meant."""

    def __init__(self, words: Iterable[str], variants: Iterable[Variant] = ()) -> None:
        lexicon = sorted(_letters(list(words)) - {""})
        self._known: dict[str, Word] = {word: Word(word, "") for word in lexicon if _han(word) >= 2}
        for variant in variants:
            read_as, *spellings = fold([variant.word, *variant.seen]).texts()
            for seen in spellings:
                self._known.setdefault(_checked(seen), Word(read_as, variant.kind, variant.unless))
        for word in lexicon:
            self._add_derived(word)
        self._finder, self._words = WordFinder(list(self._known)), list(self._known.values())
        self._sounds = _Sounds(lexicon)

    def _add_derived(self, word: str) -> None:
        if not 2 <= _han(word) == len(word):
            return
        for kind, forms in (("split", _split_forms(word)), ("pinyin", _pinyin_forms(word))):
            meant = Word(word, kind)
            for seen in forms:
                self._known.setdefault(seen, meant)

    def read(self, folded: Folded) -> dict[int, Reading]:
        """Return a second reading for each text number that has one."""
        if not len(folded):
            return {}
        letters = _Letters.of(folded)
        edits: dict[int, list[Edit]] = {}
        for start, end, entry in self._hidden(letters):
            number = int(letters.owner[start])
            edit = _edit(folded, letters, number, start, end, entry)
            if edit is not None:
                edits.setdefault(number, []).append(edit)
        for number, removed in _put_between_everywhere(folded).items():
            edits.setdefault(number, []).extend(removed)
        return {
            number: reading
            for number, found in edits.items()
            if (reading := applied(folded, number, found)) is not None
        }

    def _hidden(self, letters: _Letters) -> list[tuple[int, int, Word]]:
        """Words that are said in another way, and those said plainly beside them, in the letters of a batch."""
        found = [(start, end, self._words[key]) for start, end, key in self._finder.find(letters.text)]
        found += self._sounds.find(letters.text)
        if not found:
            return []
        starts, ends = (np.array([match[k] for match in found]) for k in (0, 1))
        apart = letters.place[ends - 1] - letters.place[starts] != ends - 1 - starts
        hidden = apart | np.array([bool(word.kind) for _, _, word in found])
        texts = set(letters.owner[starts[hidden]].tolist())
        return [match for match, text in zip(found, letters.owner[starts].tolist(), strict=True) if text in texts]


@dataclass(frozen=True, slots=True)
class _Letters:
    """Letters of a batch joined into one text, a break between two; `place[i]` is an index into `Folded.points`."""

    text: str
    place: NDArray[np.int64]
    owner: NDArray[np.int64]

    @classmethod
    def of(cls, folded: Folded) -> _Letters:
        kept = np.flatnonzero(look_up(_letter_table(), folded.points))
        owner = folded.owner[kept]
        to = np.arange(len(kept)) + owner  # as many breaks before it as there are texts
        length = len(kept) + len(folded) - 1
        points = np.full(length, ord(_BREAK), dtype=np.uint32)
        places, owners = np.full(length, -1), np.full(length, -1)
        points[to], places[to], owners[to] = folded.points[kept], kept, owner
        return cls(to_text(points), places, owners)


@lru_cache(maxsize=1)
def _letter_table() -> NDArray[np.bool_]:
    """Code points that can be part of a word: Chinese characters, Latin letters, digits, marks that stand for one."""
    table = np.isin(tables().shape, (HAN, LATIN, DIGIT))
    for mark in _MARKS:
        table[ord(mark)] = True
    return table


_MARKS = "+❤🍑🐔🐴🐎🌿💊🚬🍺🌶️👮🔫💣🃏🎰🎲🐶🐷🐖🐸🍆🔞📞➕💰💴🈚👴👵👩👨"


def _letters(words: Sequence[str]) -> set[str]:
    """Words without what is no letter or digit."""
    shape = tables().shape
    return {"".join(c for c in word if shape[ord(c)] in (HAN, LATIN, DIGIT)) for word in fold(words).texts()}


def _checked(seen: str) -> str:
    """A listed spelling as it is matched; it must consist of letters and known marks, or it would match too much."""
    table = _letter_table()
    if len(seen) < 2 or not all(table[ord(c)] for c in seen):
        raise ValueError(f"variants.yaml: {seen!r}: a spelling has two or more letters, digits or marks of {_MARKS}")
    return seen


@lru_cache(maxsize=8192)
def is_han(char: str) -> bool:
    """Tell whether a character is Chinese."""
    return bool(tables().shape[ord(char)] == HAN)


def _han(word: str) -> int:
    return sum(map(is_han, word))


def _edit(folded: Folded, letters: _Letters, number: int, start: int, end: int, entry: Word) -> Edit | None:
    place = letters.place[start:end]
    first, last = int(place[0]), int(place[-1]) + 1
    gaps = last - first != end - start
    base = int(folded.bounds[number])
    if not entry.kind and not gaps:
        return Edit(first - base, last - base, entry)  # said plainly: no shorter spelling inside it is an evasion
    if gaps and not _put_in_between(folded, place):
        return None
    if not _stands_alone(folded, number, first, last):
        return None
    if entry.unless:
        text = folded.text(number)
        if any(word in text for word in entry.unless):
            return None
    return Edit(first - base, last - base, entry if entry.kind else Word(entry.read_as, "inserted"))


def _put_in_between(folded: Folded, place: NDArray[np.int64]) -> bool:
    """Tell insertions from the end of a sentence, which also stands between two characters."""
    steps = np.diff(place)
    if int(steps.max()) - 1 > LONGEST_GAP:
        return False
    between = [
        to_text(folded.points[int(place[k]) + 1 : int(place[k + 1])]) for k in range(len(steps)) if int(steps[k]) > 1
    ]
    if any(_SENTENCE & set(gap) for gap in between):
        return False
    every = len(between) == len(steps)
    return (every and len(steps) > 1) or not any(_PAUSES & set(gap) for gap in between)


def _put_between_everywhere(folded: Folded) -> dict[int, list[Edit]]:
    """Marks and emoji between many of a text's neighbouring Chinese characters, and signs between characters that are
    usually neighbours: each is taken out in the reading."""
    han = np.append(folded.shape == HAN, (False, False))
    first = np.flatnonzero(look_up(_mark_table(), folded.points[1:]) & han[:-3]) + 1  # the first after a character
    last = np.where(han[first + 1], first, first + 1)  # of the one or two
    between = han[last + 1]
    first, last = first[between], last[between]
    owner = folded.owner[first - 1]
    same = owner == folded.owner[last + 1]
    first, last, owner = first[same], last[same], owner[same]
    marked = np.bincount(owner, minlength=len(folded))
    taken = _parting(folded, first, last)
    bounds = np.searchsorted(owner, np.arange(len(folded) + 1))
    for number in np.flatnonzero(marked >= MARKED_LEAST).tolist():
        places = np.flatnonzero(folded.shape[int(folded.bounds[number]) : int(folded.bounds[number + 1])] == HAN)
        if marked[number] >= MARKED_SHARE * np.count_nonzero(places[1:] - places[:-1] <= 3):
            taken[int(bounds[number]) : int(bounds[number + 1])] = True
    found: dict[int, list[Edit]] = {}
    for start, end, number in zip(first[taken].tolist(), last[taken].tolist(), owner[taken].tolist(), strict=True):
        base = int(folded.bounds[number])
        found.setdefault(number, []).append(Edit(start - base, end + 1 - base, _NOTHING))
    return found


def _parting(folded: Folded, first: NDArray[np.int64], last: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which of some stretches between two characters are signs that part what is usually together (错😀误)."""
    found = np.flatnonzero(look_up(_sign_table(), folded.points[first]) & look_up(_sign_table(), folded.points[last]))
    parting = np.zeros(len(first), dtype=bool)
    if len(found):
        neighbours = load_neighbours()
        before, after = (
            look_up(neighbours.symbol, folded.points[place]).astype(np.int64)
            for place in (first[found] - 1, last[found] + 1)
        )
        parting[found] = neighbours.gain(before, after) >= USUAL
    return parting


@lru_cache(maxsize=1)
def _sign_table() -> NDArray[np.bool_]:
    """Code points of arrows, symbols and emoji: what is put between characters without being punctuation."""
    table = np.zeros(CODE_POINTS, dtype=bool)
    for low, high in _SIGNS:
        table[low:high] = True
    return table


@lru_cache(maxsize=1)
def _mark_table() -> NDArray[np.bool_]:
    """Code points that, put between Chinese characters, are no letter and end no sentence."""
    table = ~np.isin(tables().shape, (HAN, LATIN, DIGIT, SPACE))
    for mark in (*_SENTENCE, ",", "，"):
        table[ord(mark)] = False
    return table


def _stands_alone(folded: Folded, number: int, first: int, last: int) -> bool:
    """A Latin or digit edge must not run on into a longer word or number."""
    shape = tables().shape
    low, high = int(folded.bounds[number]), int(folded.bounds[number + 1])
    for edge, beyond in ((first, first - 1), (last - 1, last)):
        if low <= beyond < high:
            kind = shape[folded.points[edge]]
            if kind in (LATIN, DIGIT) and shape[folded.points[beyond]] == kind:
                return False
    return True


def all_splits() -> dict[str, tuple[str, ...]]:
    """Every character with the ways of taking it apart."""
    return dict(read_listed(SPLITS))


def all_syllables() -> dict[str, str]:
    """Every Chinese character with its toneless pinyin in its most frequent reading."""
    return syllables()


def splits_of(char: str) -> tuple[str, ...]:
    """Return the ways of taking a character apart."""
    return read_listed(SPLITS).get(char, ())


def syllable_of(char: str) -> str:
    """Return a Chinese character's toneless pinyin in its most frequent reading; empty for anything else."""
    return syllables().get(char, "")


def _split_forms(word: str) -> set[str]:
    """The word with each of its characters taken apart, and with all of them."""
    splits = read_listed(SPLITS)
    options = [(char, *splits.get(char, ())) for char in word]
    forms: set[str] = set()
    for k, choices in enumerate(options):
        forms |= {word[:k] + form + word[k + 1 :] for form in choices[1:]}
    forms |= {"".join(choices) for choices in itertools.islice(itertools.product(*options), 64)}
    return forms - {word}


@lru_cache(maxsize=1)
def _syllable_table() -> NDArray[np.uint32]:
    table = np.arange(0x110000, dtype=np.uint32)
    numbers: dict[str, int] = {}
    for char, syllable in syllables().items():
        table[ord(char)] = _SYLLABLES + numbers.setdefault(syllable, len(numbers))
    return table


def _pinyin_forms(word: str) -> set[str]:
    """The word with one character, or all of them, spelled in letters."""
    spelled = [syllable_of(char) for char in word]
    if not all(spelled):
        return set()
    forms = {word[:k] + spelled[k] + word[k + 1 :] for k in range(len(word))}
    whole = "".join(spelled)
    return forms | {whole} if len(whole) >= 6 else forms


class _Sounds:
    """Finds phrases that sound like a word of three characters and more."""

    def __init__(self, lexicon: Sequence[str]) -> None:
        table = _syllable_table()
        by_sound: dict[str, list[str]] = {}
        for word in lexicon:
            if len(word) >= SHORTEST_SOUND and _han(word) == len(word):
                by_sound.setdefault(to_text(table[to_points(word)]), []).append(word)
        self._finder, self._words = WordFinder(list(by_sound)), list(by_sound.values())

    def find(self, text: str) -> list[tuple[int, int, Word]]:
        """Return places in a batch's letters, and the word that is meant."""
        found = []
        for start, end, key in self._finder.find(to_text(look_up(_syllable_table(), to_points(text)))):
            seen = text[start:end]
            for word in self._words[key]:
                # One character of the word itself must be left, or any innocent phrase of the same sound would match.
                if seen != word and any(a == b for a, b in zip(seen, word, strict=True)):
                    found.append((start, end, Word(word, "sound")))
        return found


def load_variants(path: Path = DATA / "variants.yaml") -> tuple[Variant, ...]:
    """Read the listed spellings."""
    raw = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    return tuple(Variant.model_validate(entry) for entry in raw)
