"""How surely are copies joined, how seldom anything else, and does finding them stay as quick as the store grows?

python -m benchmarks.clusters [--mode embedded|services] [--sizes 10000,1000000]

Pairs are made of ordinary comments by known edits; of those whose normal forms have a Jaccard index of at least .7 the
share that is found is told. The look-ups are those of intake: a batch of texts against a table of signatures.
"""

from __future__ import annotations

import itertools
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from benchmarks.system import installation
from casework import likeness
from casework.folding import fold

ORDINARY = Path(__file__).resolve().parents[1] / "classifiers" / "training" / "written"
"""Texts of our own; those without a category are ordinary comments, written beside the harmful ones."""
EMOJI = ["😀", "🔥", "🎮", "❤️", "👍", "✨"]
CHARACTERS = [chr(point) for point in range(0x4E00, 0x4E00 + 3000)]
BATCH = 200

Pair = tuple[str, str]


@cache
def comments() -> Sequence[str]:
    """Return the ordinary comments that the repository holds, in one fixed order, each once."""
    rows = (
        line.split("\t") for file in sorted(ORDINARY.glob("*.tsv")) for line in file.read_text("utf-8").splitlines()
    )
    return sorted({row[3] for row in rows if row[0] == "-"})


def _characters(text: str, dice: random.Random) -> str:
    letters = list(text)
    for _ in range(dice.randint(1, 3)):
        at, act = dice.randrange(len(letters)), dice.choice("rid")
        if act == "r":
            letters[at] = dice.choice(CHARACTERS)
        elif act == "i":
            letters.insert(at, dice.choice(CHARACTERS))
        elif len(letters) > 1:
            del letters[at]
    return "".join(letters)


def _emoji(text: str, dice: random.Random) -> str:
    letters = list(text)
    for _ in range(dice.randint(1, 6)):
        letters.insert(dice.randrange(len(letters) + 1), dice.choice(EMOJI))
    return "".join(letters)


def _order(text: str, dice: random.Random) -> str:
    """Swap two parts of a text: at a comma or space where there is one, else in the middle."""
    cuts = [at for at, letter in enumerate(text) if letter in "，。！？ " and 0 < at < len(text) - 1]
    at = dice.choice(cuts or [len(text) // 2])
    return text[at:] + text[:at]


def _prefix(text: str, dice: random.Random) -> str:
    return dice.choice(["转：", "【搬运】", "重要！！", "看看这个→", "楼主说得对，"]) + text


EDITS: dict[str, Callable[[str, random.Random], str]] = {
    "1–3 characters": _characters,
    "emoji inserted": _emoji,
    "order swapped": _order,
    "prefix added": _prefix,
}


def edited_pairs(edit: str, count: int, dice: random.Random) -> list[Pair]:
    """Return normal forms of texts and their edits, those alone that are truly alike (J ≥ .7) and long enough."""
    pairs = []
    for _ in range(count):
        text = dice.choice(comments())
        pairs.append((_form(text), _form(EDITS[edit](text, dice))))
    long_enough = [pair for pair in pairs if min(map(len, pair)) >= likeness.LEAST_CHARACTERS]
    return [pair for pair in long_enough if likeness.likeness(*pair) >= likeness.ALIKE]


def recall(pairs: Sequence[Pair]) -> float:
    """Return the share of pairs that meet in a band (or are equal)."""
    first, second = (likeness.band_keys([pair[side] for pair in pairs]) for side in (0, 1))
    met = sum(
        one == other or any(a == b for a, b in zip(mine or (), theirs or (), strict=False))
        for (one, other), mine, theirs in zip(pairs, first, second, strict=True)
    )
    return met / len(pairs)


def chance_joined(count: int, dice: random.Random) -> tuple[int, int]:
    """Return how many of all pairs of `count` ordinary comments would be joined, and how many pairs there are.

    Joined is what meets in a band and passes the exact comparison.
    """
    forms = sorted({_form(text) for text in dice.sample(comments(), count)})
    keys = likeness.band_keys(forms)
    met: set[tuple[int, int]] = set()
    for band in range(likeness.BANDS):
        holders: dict[int, list[int]] = {}
        for at, key in enumerate(keys):
            if key is not None:
                holders.setdefault(key[band], []).append(at)
        for group in holders.values():
            met.update(itertools.combinations(group, 2))
    joined = sum(likeness.likeness(forms[one], forms[other]) >= likeness.ALIKE for one, other in met)
    return joined, len(forms) * (len(forms) - 1) // 2


def _form(text: str) -> str:
    return likeness.normal_form(fold(text))


def main(
    mode: str = "services",
    sizes: Annotated[str, typer.Option(help="Numbers of signatures, with commas.")] = "10000,1000000",
    pairs: Annotated[int, typer.Option(help="Pairs per edit.")] = 5000,
    inside: Annotated[bool, typer.Option(hidden=True)] = False,
) -> None:
    """Print recall by edit, how many ordinary comments are joined, and the time of a look-up by size of the store."""
    if inside:
        from workers import django

        django.setup()
        django.migrate()
        Console().print(_quality(pairs))
        Console().print(_speed(mode, [int(size) for size in sizes.split(",")]))
        return
    with installation(mode) as here:
        again = [sys.executable, "-m", "benchmarks.clusters", "--inside", "--mode", mode, "--sizes", sizes]
        sys.exit(subprocess.run([*again, "--pairs", str(pairs)], env=here.environment, check=False).returncode)


def _quality(count: int) -> Table:
    table = Table(title="copies found, of those with J ≥ .7")
    for column in ("edit", "pairs", "found"):
        table.add_column(column, justify="right")
    for edit in EDITS:
        found = edited_pairs(edit, count, random.Random(1))
        table.add_row(edit, f"{len(found):,}", f"{recall(found):.2%}")
    joined, compared = chance_joined(5000, random.Random(2))
    table.add_row("different comments", f"{compared:,}", f"{10_000 * joined / compared:.2f} in 10,000 joined")
    return table


def _speed(mode: str, sizes: Sequence[int]) -> Table:
    table = Table(title=f"look-up of a batch of {BATCH} texts, {mode}")
    for column in ("signatures", "median ms", "per text µs", "against the smallest"):
        table.add_column(column, justify="right")
    medians: list[float] = []
    for size, seconds in _timed(sizes):
        medians.append(seconds)
        table.add_row(
            f"{size:,}", f"{1000 * seconds:.1f}", f"{1e6 * seconds / BATCH:.0f}", f"{seconds / medians[0]:.2f} ×"
        )
    return table


def _timed(sizes: Sequence[int]) -> Iterator[tuple[int, float]]:
    from django.db import connection, transaction

    from casework import signatures

    dice, there = random.Random(3), 0
    for size in sorted(sizes):
        _fill(there, size, dice)
        there = size
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE casework_signature")
        taken = []
        for _ in range(30):
            wanted = _signs(_texts(BATCH, dice))
            with transaction.atomic():
                began = time.perf_counter()
                signatures.candidates(wanted)
                taken.append(time.perf_counter() - began)
        yield size, statistics.median(taken[5:])


def _fill(there: int, size: int, dice: random.Random) -> None:
    """Write signatures alone: what they belong to plays no part in finding them."""
    from django.db import connection, transaction

    from casework import signatures

    with connection.cursor() as cursor:
        cursor.execute(
            "PRAGMA foreign_keys=OFF" if connection.vendor == "sqlite" else "SET session_replication_role=replica"
        )
    for start in range(there, size, 5000):
        texts = _texts(min(5000, size - start), dice)
        with transaction.atomic():
            signatures.remember((start + at + 1, one) for at, one in enumerate(_signs(texts)))


def _texts(count: int, dice: random.Random) -> list[str]:
    """Texts of which about one in ten is like another: characters by a steep distribution, as language has it."""
    return [
        "".join(CHARACTERS[int(3000 * dice.random() ** 3)] for _ in range(dice.randint(12, 60))) for _ in range(count)
    ]


def _signs(texts: Sequence[str]) -> list[Any]:
    from casework.signatures import Sign

    keys = likeness.band_keys(texts)
    return [
        Sign(text, likeness.digest(text), likeness.digest(text), key) for text, key in zip(texts, keys, strict=True)
    ]


def _sign(text: str) -> Any:
    return _signs([text])[0]


if __name__ == "__main__":
    typer.run(main)
