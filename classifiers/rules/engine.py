"""Match all rules on a whole batch: one Aho–Corasick pass over every word, conditions only where a word was found."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass

from classifiers.errors import RuleError
from classifiers.normalise.fold import fold
from classifiers.normalise.words import WordFinder
from classifiers.rules.model import STRENGTHS, RuleBook, line_of_rule

_BREAK = "\x03"  # between two texts; folding drops it, so no word contains it


@dataclass(frozen=True, slots=True)
class RuleHit:
    """A rule that spoke; offsets are of the folded text it was given."""

    slug: str
    name: str
    probability: float
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Silent:
    """A rule one of whose words stands in a text and that did not speak; `why` names the condition that failed."""

    name: str
    word: str
    why: str


@dataclass(frozen=True, slots=True)
class _Compiled:
    slug: str
    name: str
    probability: float
    triggers: frozenset[int]
    pattern: re.Pattern[str] | None
    near: tuple[frozenset[int], ...]
    within: int
    not_near: frozenset[int]
    not_within: int


_Places = dict[int, list[tuple[int, int]]]


class RuleEngine:
    """Compiled rules. Raises `RuleError` for a bad expression or an unknown word class."""

    def __init__(self, book: RuleBook) -> None:
        self._ids: dict[str, int] = {}
        self._folded = _fold_all(book)
        self._rules = tuple(self._compile(book, slug, index) for index, (slug, _, _) in enumerate(book.rules))
        self._contexts = tuple(
            (frozenset(self._word(w) for w in book.words(entry.any, book.folder, entry.name)), entry)
            for entry in book.contexts
        )
        self._context_words = frozenset[int]().union(*(words for words, _ in self._contexts))
        self._by_word: dict[int, list[int]] = {}
        for number, rule in enumerate(self._rules):
            for word in rule.triggers:
                self._by_word.setdefault(word, []).append(number)
        words = sorted(self._ids, key=self._ids.__getitem__)
        self._finder = WordFinder(words)
        self._edges = [(word[0].isascii(), word[-1].isascii()) for word in words]

    @property
    def names(self) -> tuple[str, ...]:
        """Full names of all rules."""
        return tuple(rule.name for rule in self._rules)

    def trigger_words(self) -> tuple[str, ...]:
        """Words that can make a rule speak: what evasions are undone towards."""
        wanted = {word for rule in self._rules for word in rule.triggers}
        return tuple(word for word, key in self._ids.items() if key in wanted)

    def _word(self, word: str) -> int:
        folded = self._folded[word]
        return self._ids.setdefault(folded, len(self._ids)) if folded else -1

    def _compile(self, book: RuleBook, slug: str, index: int) -> _Compiled:
        _, rule, path = book.rules[index]
        name = f"{slug}.{rule.name}"

        def ids(entries: tuple[str, ...]) -> frozenset[int]:
            return frozenset(self._word(word) for word in book.words(entries, path, name)) - {-1}

        try:
            pattern = re.compile(rule.pattern) if rule.pattern else None
        except re.error as error:
            found, line = f"{rule.pattern!r} ({error})", line_of_rule(path, name)
            raise RuleError(path, name, "pattern", found, "a regular expression", line=line) from error
        triggers = ids(rule.any)
        if not triggers:
            line = line_of_rule(path, name)
            raise RuleError(path, name, "any", "only words that fold to nothing", "at least one word", line=line)
        near = tuple(ids(group) for group in rule.near)
        probability = STRENGTHS[rule.strength]
        return _Compiled(
            slug, name, probability, triggers, pattern, near, rule.within, ids(rule.not_near), rule.not_within
        )

    def match(self, texts: Sequence[str]) -> list[list[RuleHit]]:
        """Rules that speak for each folded text; one entry per text, each rule at most three times."""
        return [
            self._hits(text, places) if places else [] for text, places in zip(texts, self._places(texts), strict=True)
        ]

    def silent(self, text: str) -> list[Silent]:
        """Return the rules that found a word of theirs in a folded text and were kept from speaking."""
        places = self._places([text])[0]
        words = {key: word for word, key in self._ids.items()}
        numbers = sorted({number for key in places for number in self._by_word.get(key, ())})
        found = []
        for rule in (self._rules[number] for number in numbers):
            if not self._triggers(rule, text, places):
                word = words[min(rule.triggers & places.keys(), key=lambda key: places[key][0])]
                found.append(Silent(rule.name, word, _why(rule, text, places)))
        return found

    def factors(self, texts: Sequence[str]) -> list[dict[str, float]]:
        """Per folded text, what contexts multiply the linear probability of a category by."""
        if not self._contexts:
            return [{} for _ in texts]
        return [self._factors_of(places) for places in self._places(texts)]

    def read(self, texts: Sequence[str]) -> tuple[list[list[RuleHit]], list[dict[str, float]]]:
        """`match` and `factors` in one pass."""
        everywhere = self._places(texts)
        hits = [self._hits(text, places) if places else [] for text, places in zip(texts, everywhere, strict=True)]
        return hits, [self._factors_of(places) if places else {} for places in everywhere]

    def _factors_of(self, places: _Places) -> dict[str, float]:
        found: dict[str, float] = {}
        if self._context_words.isdisjoint(places):
            return found
        for words, context in self._contexts:
            if len(words & places.keys()) >= context.at_least:
                for slug in context.categories:
                    found[slug] = min(found.get(slug, 1.0), context.factor)
        return found

    def _places(self, texts: Sequence[str]) -> list[_Places]:
        everywhere: list[_Places] = [{} for _ in texts]
        if not texts:
            return everywhere
        joined = _BREAK.join(texts)
        number, begin, stop = 0, 0, len(texts[0])
        for start, end, key in self._finder.find(joined):
            while end > stop:
                number += 1
                begin = stop + 1
                stop = begin + len(texts[number])
            ascii_start, ascii_end = self._edges[key]
            # "sb" inside "usb" is not the word.
            if ascii_start and start > begin and _runs_on(joined[start - 1], joined[start]):
                continue
            if ascii_end and end < stop and _runs_on(joined[end], joined[end - 1]):
                continue
            everywhere[number].setdefault(key, []).append((start - begin, end - begin))
        return everywhere

    def _hits(self, text: str, places: _Places) -> list[RuleHit]:
        numbers = {number for key in places for number in self._by_word.get(key, ())}
        found: list[RuleHit] = []
        for number in sorted(numbers):
            rule = self._rules[number]
            for start, end in self._triggers(rule, text, places)[:3]:
                found.append(RuleHit(rule.slug, rule.name, rule.probability, start, end))
        return found

    def _triggers(self, rule: _Compiled, text: str, places: _Places) -> list[tuple[int, int]]:
        return [
            place
            for place in _candidates(rule, text, places)
            if all(_beside(place, group, places, rule.within) for group in rule.near)
            and not _beside(place, rule.not_near, places, rule.not_within)
        ]


def _fold_all(book: RuleBook) -> dict[str, str]:
    """Every word that a rule or a context names, folded; all at once, since one by one takes seconds."""
    words: set[str] = set(itertools.chain.from_iterable(book.classes.values()))
    for _, rule, _ in book.rules:
        words.update(rule.any, rule.not_near, *rule.near)
    for context in book.contexts:
        words.update(context.any)
    listed = sorted(words)
    return {word: folded.strip() for word, folded in zip(listed, fold(listed).texts(), strict=True)}


def _candidates(rule: _Compiled, text: str, places: _Places) -> list[tuple[int, int]]:
    """Where a rule could speak, before its conditions are asked."""
    if rule.pattern is not None:
        return [match.span() for match in rule.pattern.finditer(text) if match.end() > match.start()]
    return sorted(place for key in rule.triggers & places.keys() for place in places[key])


def _why(rule: _Compiled, text: str, places: _Places) -> str:
    candidates = _candidates(rule, text, places)
    if not candidates:
        return "its pattern does not match"
    for number, group in enumerate(rule.near, 1):
        if not any(_beside(place, group, places, rule.within) for place in candidates):
            return f"no word of its near list {number} stands within {rule.within} characters"
    return f"a word of not_near stands within {rule.not_within} characters"


def _beside(place: tuple[int, int], words: frozenset[int], places: _Places, within: int) -> bool:
    start, end = place
    return any(
        other_start - end <= within and start - other_end <= within
        for key in words & places.keys()
        for other_start, other_end in places[key]
    )


def _runs_on(neighbour: str, edge: str) -> bool:
    """Tell whether an ASCII word goes on past its edge: letters after a letter, digits after a digit."""
    if not (neighbour.isascii() and edge.isascii()):
        return False
    return (neighbour.isalpha() and edge.isalpha()) or (neighbour.isdigit() and edge.isdigit())
