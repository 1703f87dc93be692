"""How Chinese characters are read: toneless pinyin in the most frequent reading, ü written v as people type it.

`syllables.tsv` is made from pypinyin's table by

    python -m classifiers.normalise.syllables

so that serving need not load pypinyin, whose phrases cost a quarter of a second at every start.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from classifiers.normalise.listed import DATA, read_listed

NAME = "syllables.tsv"
HAN = range(0x4E00, 0x9FA6)
_HEAD = """\
# Toneless pinyin, and the characters whose most frequent reading it is. From pypinyin (MIT), which takes it from
# pinyin-data (MIT). Made by `python -m classifiers.normalise.syllables`; not to be edited.
"""


@lru_cache(maxsize=1)
def syllables() -> dict[str, str]:
    """Every Chinese character with its syllable."""
    listed = read_listed(NAME).items()
    return dict(sorted((char, syllable) for syllable, chars in listed for char in chars[0]))


def from_pypinyin() -> dict[str, str]:
    """What pypinyin says today, in the same shape."""
    from pypinyin.constants import PINYIN_DICT

    first = {chr(point): PINYIN_DICT[point].split(",", 1)[0] for point in HAN if point in PINYIN_DICT}
    return {char: _plain(syllable) for char, syllable in first.items()}


def _plain(syllable: str) -> str:
    letters = unicodedata.normalize("NFD", syllable).replace("u\u0308", "v")
    return "".join(char for char in letters if char.isascii())


def main() -> None:
    """Write the table anew."""
    by_syllable: dict[str, list[str]] = {}
    for char, syllable in from_pypinyin().items():
        by_syllable.setdefault(syllable, []).append(char)
    lines = [f"{syllable}\t{''.join(chars)}\n" for syllable, chars in sorted(by_syllable.items())]
    (DATA / NAME).write_text(_HEAD + "".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
