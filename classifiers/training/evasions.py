"""What evaders do to a text, done on purpose: to train on, and to measure how much of it is undone.

Form-level evasions leave every character recognisable; those of sound and shape put others in their place. A text is
changed at some of its Chinese characters, chosen by the given random source; nothing else about it changes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Any

from classifiers.normalise.listed import read_listed
from classifiers.normalise.looks import emoji_of, looks_of
from classifiers.normalise.readings import splits_of, syllable_of

SHARE = 0.3
"""Share of the Chinese characters that an evasion of sound or shape changes; at least one is changed."""
_STYLED = {char: chr(0x1D4D0 + k) for k, char in enumerate("ABCDEFGHIJKLMNOPQRSTUVWXYZ")} | {
    char: chr(0x1D4EA + k) for k, char in enumerate("abcdefghijklmnopqrstuvwxyz")
}
_CIRCLED = {str(k): chr(0x2460 + k - 1) for k in range(1, 10)}
_SOUNDS_LIKE_DIGIT = {
    "0": "零",
    "1": "一",
    "2": "爱二",
    "3": "三想",
    "4": "死是",
    "5": "我无五",
    "7": "起气妻七",
    "8": "吧爸不",
    "9": "救就",
}
_DIGITS = {char: digit for digit, chars in _SOUNDS_LIKE_DIGIT.items() for char in chars}
VARIANTS, MARTIAN = (Path(__file__).parent / name for name in ("variants_seen.tsv", "martian_seen.tsv"))
_MARKS = "·.*-_~/|、"
_EMOJI = "😀😂🌸⭐❤🍀🐱🎵"

Change = Callable[[str, Random], str]


def evade(text: str, kind: str, random: Random) -> str:
    """Return a text as somebody would write it who evades in one way; unchanged where that way finds nothing.

    Raises:
        KeyError: there is no such kind.
    """
    return EVASIONS[kind](text, random)


def evade_each(texts_and_seeds: tuple[Sequence[str], Sequence[str]]) -> list[str]:
    """Texts evaded in one way each, which its seed decides; in one argument, to be mapped over by processes."""
    found = []
    for text, seed in zip(*texts_and_seeds, strict=True):
        random = Random(seed)  # noqa: S311 - to be repeated, not to be secret
        found.append(evade(text, random.choice(TRAINED), random))
    return found


def _each(table: Mapping[str, str]) -> Change:
    return lambda text, _: "".join(table.get(char, char) for char in text)


def _traditional(text: str, _: Random) -> str:
    return str(_to_traditional().convert(text))


def _listed(path: Path) -> Change:
    """Put what a list has for a character in place of each that it has something for."""

    def change(text: str, random: Random) -> str:
        table = read_listed(path)
        return "".join(random.choice(table[char]) if char in table else char for char in text)

    return change


def _full_width(text: str, _: Random) -> str:
    return "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in text)


def _between(choices: Sequence[str], share: float) -> Change:
    """Put something in between neighbouring Chinese characters."""

    def change(text: str, random: Random) -> str:
        parts: list[str] = []
        for char, following in zip(text, text[1:] + " ", strict=False):
            parts.append(char)
            if _han(char) and _han(following) and random.random() < share:
                parts.append(random.choice(choices))
        return "".join(parts)

    return change


def _some(replace: Callable[[str, Random], str | None]) -> Change:
    """Put something in place of some Chinese characters for which there is something."""

    def change(text: str, random: Random) -> str:
        able = [(place, seen) for place, char in enumerate(text) if (seen := replace(char, random))]
        wanted = max(1, round(SHARE * sum(map(_han, text))))
        chosen = dict(random.sample(able, min(wanted, len(able))))
        return "".join(chosen.get(place, char) for place, char in enumerate(text))

    return change


def _same_sound(char: str, random: Random) -> str | None:
    others = [other for other in _by_sound().get(syllable_of(char), ()) if other != char]
    return random.choice(others) if others else None


def _pinyin(char: str, _: Random) -> str | None:
    return syllable_of(char) or None


def _split(char: str, random: Random) -> str | None:
    forms = splits_of(char)
    return random.choice(forms) if forms else None


def _look(char: str, random: Random) -> str | None:
    others = looks_of(char)
    return random.choice(others) if others else None


def _emoji(char: str, random: Random) -> str | None:
    marks = emoji_of(char)
    return random.choice(marks) if marks else None


def _initials(text: str, random: Random) -> str:
    """Two or three neighbouring characters, once, as the first letters of their pinyin."""
    length = random.choice((2, 2, 3))
    places = [k for k in range(len(text) - length + 1) if all(syllable_of(char) for char in text[k : k + length])]
    if not places:
        return text
    place = random.choice(places)
    letters = "".join(syllable_of(char)[0] for char in text[place : place + length])
    return text[:place] + letters + text[place + length :]


def _swapped(text: str, random: Random) -> str:
    """Two neighbouring characters change places, once in about eight characters."""
    chars, place = list(text), 0
    while place < len(chars) - 1:
        if _han(chars[place]) and _han(chars[place + 1]) and random.random() < 0.15:
            chars[place], chars[place + 1] = chars[place + 1], chars[place]
            place += 1
        place += 1
    return "".join(chars)


def _han(char: str) -> bool:
    return "\u4e00" <= char <= "\u9fff"


@lru_cache(maxsize=1)
def _to_traditional() -> Any:
    import opencc

    return opencc.OpenCC("s2t")


@lru_cache(maxsize=1)
def _by_sound() -> dict[str, tuple[str, ...]]:
    """Syllable → common characters (level one of GB 2312) that are read so."""
    found: dict[str, list[str]] = {}
    for high in range(0xB0, 0xD8):
        for low in range(0xA1, 0xFF):
            char = bytes((high, low)).decode("gb2312", "ignore")
            if char and syllable_of(char):
                found.setdefault(syllable_of(char), []).append(char)
    return {syllable: tuple(chars) for syllable, chars in found.items()}


FORM: Mapping[str, Change] = {
    "traditional": _traditional,
    "full_width": _full_width,
    "styled": _each(_STYLED | _CIRCLED),
    "zero_width": _between(["\u200b", "\u200d", "\u2060"], 0.5),
    "combining": _between(["\u0335", "\u0489", "\u20e3"], 0.4),
    "spaced": _between([" "], 0.9),
    "punctuated": _between(_MARKS, 0.35),
    "emoji_between": _between(_EMOJI, 0.3),
    "variant": _listed(VARIANTS),
}
"""Evasions that leave every character recognisable."""
SOUND_AND_SHAPE: Mapping[str, Change] = {
    "homophone": _some(_same_sound),
    "pinyin": _some(_pinyin),
    "initials": _initials,
    "split": _some(_split),
    "look_alike": _some(_look),
    "emoji_word": _some(_emoji),
    "digits": _some(lambda char, _: _DIGITS.get(char)),
    "swapped": _swapped,
    "martian": _listed(MARTIAN),
}
"""Evasions that put something else in a character's place."""
EVASIONS: Mapping[str, Change] = {**FORM, **SOUND_AND_SHAPE}
TRAINED = (*(kind for kind in SOUND_AND_SHAPE if kind != "martian"), "punctuated", "emoji_between")
"""Evasions that folding does not undo for certain, so that models have to know them; martian script only measures what
undoing and models make of characters that neither was shown."""
