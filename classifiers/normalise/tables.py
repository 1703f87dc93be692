"""What each code point is read as: one table for all of Unicode, built once.

Folding is character by character, so it needs no context and cannot be ambiguous: width forms, mathematical,
circled and squared letters, letters of other alphabets drawn like Latin ones, traditional and variant Chinese
characters, small letters for capitals; control, format and combining characters are dropped. Everything that
depends on neighbours is in `readings`.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from classifiers.normalise.listed import read_listed

CODE_POINTS = 0x110000
DROPPED = np.uint32(0xFFFFFFFF)
EXPANDS = np.uint32(0xFFFF0000)  # EXPANDS + k: the k-th entry of `expansions`

KINDS = ("", "width", "styled", "invisible", "combining", "traditional", "look_alike", "variant")
WIDTH, STYLED, INVISIBLE, COMBINING, TRADITIONAL, LOOK_ALIKE, VARIANT = range(1, 8)

OTHER, HAN, LATIN, DIGIT, SPACE = range(5)

# Cyrillic, Greek and modifier letters that stand in for Latin ones.
_LOOK_ALIKES = dict(
    zip(
        "аеорсхуіјѕԁһӏԛԝвмнктαβεικνορτυχγΑΒΕΖΗΙΚΜΝΟΡΤΥΧАЕОРСХУІЈЅВМНКТɑɡıℓƖᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ",
        "aeopcxyijsdhlqwbmhktabeiknoptuxyabezhikmnoptyxaeopcxyijsbmhktagillabcdefghijklmnoprstuvwyz",
        strict=True,
    )
)
# Enclosed letters and digits that Unicode gives no compatibility mapping.
_ENCLOSED = (
    {chr(0x1F150 + i): chr(97 + i) for i in range(26)}
    | {chr(0x1F170 + i): chr(97 + i) for i in range(26)}
    | {chr(0x2776 + i): str(i + 1) for i in range(9)}
    | {chr(0x2780 + i): str(i + 1) for i in range(9)}
    | {chr(0x278A + i): str(i + 1) for i in range(9)}
    | {chr(0x24F5 + i): str(i + 1) for i in range(9)}
    | {"⓿": "0", "➕": "+", "✚": "+", "❤": "❤", "〇": "〇"}
)
_HAN_RANGES = ((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x323AF))


@dataclass(frozen=True, slots=True)
class Tables:
    """`fold`: what a code point is read as; `kind`: which evasion that is (index into `KINDS`); `shape`: class."""

    fold: NDArray[np.uint32]
    kind: NDArray[np.uint8]
    shape: NDArray[np.uint8]
    expansions: tuple[tuple[int, ...], ...]


@lru_cache(maxsize=1)
def tables() -> Tables:
    """Build the tables (about .2 s, once per process)."""
    fold = np.arange(CODE_POINTS, dtype=np.uint32)
    kind = np.zeros(CODE_POINTS, dtype=np.uint8)
    expansions: list[tuple[int, ...]] = []
    _fold_compatibility(fold, kind, expansions)
    _fold_simplified(fold, kind)
    _fold_variants(fold, kind)
    for seen, read in (_LOOK_ALIKES | _ENCLOSED).items():
        fold[ord(seen)] = ord(read)
        kind[ord(seen)] = LOOK_ALIKE if seen in _LOOK_ALIKES else STYLED
    kind[ord("❤")] = kind[ord("〇")] = 0
    _drop_invisible(fold, kind)
    _close(fold)
    expansions = [tuple(int(fold[point]) for point in entry) for entry in expansions]
    return Tables(fold, kind, _shapes(), tuple(expansions))


def _fold_compatibility(fold: NDArray[np.uint32], kind: NDArray[np.uint8], expansions: list[tuple[int, ...]]) -> None:
    for point in _decomposable():
        char = chr(point)
        read = unicodedata.normalize("NFKC", char).lower()
        letters = "".join(c for c in read if c.isalnum())
        if read == char:
            continue
        if len(read) == 1 or len(letters) == 1:
            fold[point] = ord(letters or read)
        elif 1 < len(letters) <= 4:
            fold[point] = EXPANDS + np.uint32(len(expansions))
            expansions.append(tuple(map(ord, letters)))
        else:
            continue
        kind[point] = _kind_of(char, letters)


def _decomposable() -> list[int]:
    # Unified ideographs and Hangul, most of the plane, never decompose into anything that is folded.
    ranges = (range(0x41, 0x3400), range(0xA000, 0xAC00), range(0xF900, 0xFFF0), range(0x10400, 0x10450))
    more = (
        range(0x1D400, 0x1D800),
        range(0x1E900, 0x1E944),
        range(0x1EE00, 0x1EF00),
        range(0x1F100, 0x1F270),
        range(0x2F800, 0x2FA20),
    )
    points = (point for span in (*ranges, *more) for point in span)
    return [point for point in points if unicodedata.decomposition(chr(point)) or chr(point).lower() != chr(point)]


def _kind_of(char: str, letters: str) -> int:
    if not letters:
        return 0
    tag = unicodedata.decomposition(char).split(" ", 1)[0]
    if tag in ("<wide>", "<narrow>"):
        return WIDTH
    if tag.startswith("<"):
        return STYLED
    return TRADITIONAL if 0xF900 <= ord(char) <= 0xFAFF or ord(char) >= 0x2F800 else 0


def _fold_simplified(fold: NDArray[np.uint32], kind: NDArray[np.uint8]) -> None:
    for point, read in _converted("t2s"):
        fold[point] = read
        kind[point] = TRADITIONAL


def _fold_variants(fold: NDArray[np.uint32], kind: NDArray[np.uint8]) -> None:
    """Japanese forms that are no Chinese characters of their own (売, but not 芸), and our list of variants."""
    listed = [(ord(seen), ord(read)) for read, others in read_listed("same.tsv").items() for seen in others]
    japanese = [(point, read) for point, read in _converted("jp2t") if not _in_use(point)]
    for point, read in japanese + listed:
        if fold[point] == point:
            fold[point] = read
            kind[point] = VARIANT


def _converted(config: str) -> list[tuple[int, int]]:
    """Characters that OpenCC converts, each into another one."""
    import opencc

    han = [point for low, high in _HAN_RANGES[:2] for point in range(low, high + 1)]
    # One character a line: OpenCC must not see neighbours, or it would convert whole phrases.
    converted = opencc.OpenCC(config).convert("\n".join(map(chr, han))).split("\n")
    pairs = zip(han, converted, strict=True)
    return [(point, ord(read)) for point, read in pairs if len(read) == 1 and ord(read) != point]


def _in_use(point: int) -> bool:
    """Tell whether a character is one of modern Chinese: one of the 6,763 of GB 2312."""
    return len(chr(point).encode("gb2312", "ignore")) == 2


def _drop_invisible(fold: NDArray[np.uint32], kind: NDArray[np.uint8]) -> None:
    visible_control = {9, 10, 13}
    candidates = (
        range(0, 0x20),
        range(0x7F, 0xA0),
        [0xAD],
        range(0x300, 0x3400),
        range(0xA000, 0xAC00),
        range(0xFB00, 0x11000),
    )
    more = (range(0x1D100, 0x1D250), range(0x1E000, 0x1E130), range(0xE0000, 0xE01F0))
    for point in (point for span in (*candidates, *more) for point in span):
        category = unicodedata.category(chr(point))
        if category in ("Cc", "Cf") and point not in visible_control:
            fold[point], kind[point] = DROPPED, INVISIBLE
        elif category in ("Mn", "Me"):
            fold[point], kind[point] = DROPPED, COMBINING
    for point in (0x115F, 0x1160, 0x3164, 0xFFA0, 0x2800):  # blank letters: Hangul fillers, the empty Braille cell
        fold[point], kind[point] = DROPPED, INVISIBLE
    for point in (*range(0xFE00, 0xFE10), 0x200D):  # part of ordinary emoji: dropped, but no evasion
        kind[point] = 0


def _close(fold: NDArray[np.uint32]) -> None:
    """Fold until nothing changes, so that folding twice is folding once."""
    for _ in range(4):
        plain = fold < CODE_POINTS
        again = fold.copy()
        again[plain] = fold[fold[plain]]
        if np.array_equal(again, fold):
            return
        fold[:] = again


def _shapes() -> NDArray[np.uint8]:
    shape = np.zeros(CODE_POINTS, dtype=np.uint8)
    for low, high in _HAN_RANGES:
        shape[low : high + 1] = HAN
    shape[ord("〇")] = HAN
    shape[ord("a") : ord("z") + 1] = LATIN
    shape[ord("A") : ord("Z") + 1] = LATIN
    shape[ord("0") : ord("9") + 1] = DIGIT
    for char in " \t\n\r\u2028\u2029\u3000\xa0":
        shape[ord(char)] = SPACE
    return shape
