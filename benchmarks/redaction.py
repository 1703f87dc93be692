"""How well personal data is found in the hand-written cases, kind by kind; how many ids in addresses are taken for it;
and how many texts a second are looked at.

python -m benchmarks.redaction
"""

from __future__ import annotations

import hashlib
import random
import re
import string
import time
import unicodedata
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.captures import rows
from crawlers.addresses import masked
from crawlers.redaction import redact, spans

CASES = Path(__file__).resolve().parents[1] / "tests/crawlers/redaction_cases.tsv"
Span = tuple[int, int, str]
"""Start, end, kind."""


@dataclass(frozen=True)
class Case:
    """A text and what must go from it; `kind` begins with - where it holds nothing of that kind but looks like it."""

    kind: str
    text: str
    personal: tuple[Span, ...]


@dataclass(frozen=True)
class Score:
    """Of one kind: spans found whole, missed, and found where there is nothing of the kind; `wrong` names the texts."""

    kind: str
    found: int
    missed: int
    false: int
    wrong: tuple[str, ...]

    @property
    def recall(self) -> float:
        """Share of what must go that went."""
        return self.found / (self.found + self.missed)

    @property
    def precision(self) -> float:
        """Share of what went that had to."""
        return self.found / (self.found + self.false)


def cases() -> Iterator[Case]:
    """Yield the hand-written cases: kind, tab, text; ⟦ ⟧ around what must go, `kind|` first where it is another."""
    for line in CASES.read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            kind, marked = line.split("\t")
            text, personal = "", []
            for place, piece in enumerate(re.split("[⟦⟧]", unicodedata.normalize("NFC", marked))):
                own, value = re.fullmatch(r"(?:([a-z_]+)\|)?(.*)", piece).groups() if place % 2 else ("", piece)  # type: ignore[union-attr]
                if place % 2:
                    personal.append((len(text), len(text) + len(value), own or kind))
                text += value
            yield Case(kind, text, tuple(personal))


def score() -> list[Score]:
    """Return how the redaction does on the cases, kind by kind."""
    found: Counter[str] = Counter()
    missed: Counter[str] = Counter()
    false: Counter[str] = Counter()
    wrong: dict[str, list[str]] = {}
    for case in cases():
        got = [(start, end, kind) for start, end, kind, _ in spans(case.text)]
        for start, end, kind in case.personal:
            whole = any(one == kind and begin <= start and end <= stop for begin, stop, one in got)
            (found if whole else missed)[kind] += 1
            if not whole:
                wrong.setdefault(kind, []).append(case.text)
        for begin, stop, kind in got:
            if not any(begin < end and start < stop and one == kind for start, end, one in case.personal):
                false[kind] += 1
                wrong.setdefault(kind, []).append(case.text)
    kinds = sorted(found | missed)
    return [Score(kind, found[kind], missed[kind], false[kind], tuple(wrong.get(kind, ()))) for kind in kinds]


def ids(count: int) -> dict[str, list[str]]:
    """Return kind → addresses with so many invented ids of it, none of which is personal."""
    dice = random.Random(7)
    tokens = string.ascii_letters + string.digits + "-_"
    makers: dict[str, Callable[[], str]] = {
        "UUIDs": lambda: f"/post/{uuid.UUID(int=dice.getrandbits(128), version=4)}",
        "digests": lambda: f"/a/{hashlib.sha256(dice.randbytes(16)).hexdigest()[: dice.choice((32, 40, 64))]}.html",
        "tokens": lambda: f"/s?id={''.join(dice.choices(tokens, k=dice.randint(11, 32)))}",
        "numbers of threads": lambda: dice.choice(("/thread-{}-1-1.html", "/t/{}", "/viewtopic.php?t={}")).format(
            dice.randint(1, 10 ** dice.randint(3, 12))
        ),
    }
    return {kind: [f"https://forum.example{make()}" for _ in range(count)] for kind, make in makers.items()}


def main() -> None:
    """Print the tables."""
    print("| kind | to be found | recall | precision |\n|---|---|---|---|")
    for one in score():
        print(f"| `{one.kind}` | {one.found + one.missed} | {one.recall:.1%} | {one.precision:.1%} |")
    hard = sum(case.kind.startswith("-") for case in cases())
    print(f"\n{sum(1 for _ in cases())} cases, {hard} of them hard negatives")
    for kind, addresses in ids(4500).items():
        print(f"{sum(masked(one, b'benchmark') != one for one in addresses)} of {len(addresses)} {kind} were masked")
    written = [case.text for case in cases()]
    invented = [str(row["text"]) for row in rows(5000)]
    for what, texts in (("invented captures", invented), ("the cases", written)):
        redact(texts[0], key=b"")
        begun = time.process_time()
        for text in texts:
            redact(text, key=b"")
        print(f"{what}: {len(texts) / (time.process_time() - begun):,.0f} texts/s of one core")


if __name__ == "__main__":
    main()
