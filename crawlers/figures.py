"""Figures however they are written: folded to ASCII code point by code point, and gathered into runs.

Read: full-width, circled, bracketed, keycap, superscript and mathematical figures, those of other scripts, Chinese
figures plain and financial, the spoken 幺 洞 拐 勾, and o, l or I between figures. Offsets stay.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

_CHINESE = {
    "零〇○洞": "0", "一壹弌幺": "1", "二贰貳弍两": "2", "三叁參叄弎": "3", "四肆": "4", "五伍": "5", "六陆陸": "6",
    "七柒拐": "7", "八捌": "8", "九玖勾": "9",
}  # fmt: skip
_CHINESE_FIGURES = {ord(char): figure for chars, figure in _CHINESE.items() for char in chars}
_CHINESE_ONE = re.compile(f"[{''.join(_CHINESE)}]")
_PLAIN = re.compile(r"[A-Za-z0-9]")
_FOLDED = (range(0xA0, 0x10000), range(0x1D400, 0x1D800), range(0x1F100, 0x1F200))
"""Blocks whose characters have another, plainer form; looking at all 1.1 million code points would take too long."""
# o and l stand for figures only beside figures: in words they are letters.
_WEAK = re.compile(
    r"(?<=\d)[oOоОlI]{1,20}(?=\d)|(?<=\d)(?:[\W_]{0,2}[oOоО]){1,20}(?![A-Za-z])|(?<![A-Za-z])[lI](?=[3-9]\d)"
)
_WEAK_FIGURES = str.maketrans("oOоОlI", "000011")
_GAP = r"(?:[\W_]{1,5}|[\W_]{0,2}[^\W\d_]{1,2}[\W_]{0,2})"
"""What stands between two figures of one number: marks and blanks, or one or two letters."""
_RUN = re.compile(rf"\d+(?:{_GAP}\d+)*")
_GROUP = re.compile(r"\d+")


@dataclass(frozen=True)
class Part:
    """Consecutive groups of figures: where they stand, the figures alone, the groups' sizes and what is between."""

    start: int
    end: int
    figures: str
    groups: tuple[str, ...]
    gaps: tuple[str, ...]

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many figures each group has."""
        return tuple(map(len, self.groups))


class Run:
    """Groups of figures that stand so close that some of them may be one number."""

    def __init__(self, text: str, start: int, end: int) -> None:
        self.spans = [match.span() for match in _GROUP.finditer(text, start, end)]
        self._text = text

    def part(self, first: int, last: int) -> Part:
        """Return the groups from `first` to `last`, both included."""
        spans = self.spans[first : last + 1]
        groups = tuple(self._text[begin:stop] for begin, stop in spans)
        gaps = tuple(self._text[one[1] : two[0]] for one, two in pairwise(spans))
        return Part(spans[0][0], spans[-1][1], "".join(groups), groups, gaps)

    def parts(self, most: int, least: int = 1) -> Iterator[Part]:
        """Yield the parts of `least` to `most` figures, from left to right, the longest of each start first."""
        for first, (begin, _) in enumerate(self.spans):
            last, figures = first, 0
            ends = []
            while last < len(self.spans) and figures < most and self.spans[last][0] - begin < 8 * most:
                figures += self.spans[last][1] - self.spans[last][0]
                if least <= figures <= most:
                    ends.append(last)
                last += 1
            for end in reversed(ends):
                yield self.part(first, end)


def fold(text: str) -> str:
    """Return the text with every form of a figure or letter made plain, each code point where it was.

    Chinese figures stay, since they are words too: `read_chinese` reads them.
    """
    return text.translate(_plain())


def read_chinese(folded: str) -> str:
    """Return a folded text with Chinese figures as figures, and o, l and I beside figures too."""
    return _WEAK.sub(lambda match: match[0].translate(_WEAK_FIGURES), folded.translate(_CHINESE_FIGURES))


def count(folded: str) -> tuple[int, int]:
    """Return how many plain letters and figures a folded text has, and how many Chinese figures."""
    return len(_PLAIN.findall(folded)), len(_CHINESE_ONE.findall(folded))


def runs(folded: str) -> list[Run]:
    """Return the runs of figures in a folded text."""
    return [Run(folded, *match.span()) for match in _RUN.finditer(folded)]


def is_one_number(part: Part, usual: Sequence[tuple[int, ...]]) -> bool:
    """Whether groups of figures read as one number written apart, not as a date, a score, a sum or a list.

    Args:
        part: the groups.
        usual: sizes of groups in which numbers of this kind are usually written, the commonest three first.
    """
    sizes = part.sizes
    if len(sizes) == 1 or max(sizes) == 1:
        return len({gap.strip() for gap in part.gaps}) == 1 or not any(":" in gap for gap in part.gaps)
    if _is_date(part) or _is_amount(part):
        return False
    if any(_LETTER.search(gap) for gap in part.gaps):
        alike = len(set(part.gaps)) == 1 and len(part.gaps) > 1
        return (sizes in usual[:3] or alike) and not any(_MEASURE.search(gap) for gap in part.gaps)
    return sizes in usual or not _is_list(part)


_LETTER = re.compile(r"[^\W\d_]")
_MEASURE = re.compile(r"[年月日号时點点分秒元块角个集章话回楼层室路岁米班级第件人次位届期比页度斤万千百亿折天周]")


def _is_date(part: Part) -> bool:
    """年月日, also with a time after it; and anything with a colon, as in 12:30-13:45."""
    first, second, *rest = part.groups
    dated = len(first) == 4 and first[:2] in {"19", "20"} and 1 <= int(second) <= 12 and len(second) <= 2
    dated = dated and bool(rest) and len(rest[0]) <= 2 and 1 <= int(rest[0]) <= 31
    return dated or any(":" in gap for gap in part.gaps)


def _is_amount(part: Part) -> bool:
    return {gap.strip() for gap in part.gaps} == {","} and all(size == 3 for size in part.sizes[1:])


def _is_list(part: Part) -> bool:
    """Pairs as in 21-18, 19-21; decimals as in 15.6 17.8; rising numbers; a range; a version."""
    groups, gaps = part.groups, [gap.strip() or " " for gap in part.gaps]
    values = [int(group) for group in groups]
    if len(groups) == 2:
        return True
    if len(groups) >= 4 and all(one < two for one, two in pairwise(values)):
        return True
    if set(gaps) == {"."} and len(groups) <= 4:
        return True
    within, between = gaps[::2], gaps[1::2]
    paired = len(groups) >= 4 and len(set(within)) == 1 and within[0] not in between
    return paired and within[0] in {"-", ".", "/", "~", "—", "*", "x", "×"} and max(part.sizes) <= 3


@lru_cache(maxsize=1)
def _plain() -> dict[int, str]:
    table: dict[int, str] = {}
    for code in (code for block in _FOLDED for code in block):
        char = chr(code)
        if (figure := _figure(char)) is not None:
            table[code] = str(figure)
        elif len(plain := unicodedata.normalize("NFKC", char)) == 1 and plain != char:
            table[code] = plain
    for block in (0x1F150, 0x1F170):  # white letters in black circles and squares
        table |= {block + place: chr(ord("A") + place) for place in range(26)}
    return table


def _figure(char: str) -> int | None:
    """Return the value of a character that is a figure by itself; Chinese characters are words, and left out."""
    category = unicodedata.category(char)
    if category not in {"Nd", "No", "Nl"} or char == "〇":
        return None
    value = unicodedata.numeric(char, -1.0)
    return int(value) if value.is_integer() and 0 <= value <= 9 else None
