"""Likeness: the normal form of a text, its digest and band keys, and how alike two normal forms are.

MinHash over character pairs (Broder 1997) with locality-sensitive hashing: two texts meet when they agree on all
`ROWS` minima of one of `BANDS` bands. Pairs with a Jaccard index of .7 meet with probability .96, of .8 with .998, of
.3 with .09; whoever meets is then compared exactly (`likeness`), so that the bands cost time at most, never truth.

Digests and minima are keyed with the installation's secret key: whoever has the database alone cannot try texts
against them.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

import numpy as np
import rensa
from django.conf import settings

from casework.folding import fold

BANDS, ROWS = 12, 4
ALIKE = 0.7
"""Jaccard index of character pairs from which two texts are copies of each other."""
LEAST_CHARACTERS = 12
"""Characters of a normal form from which near copies are looked for; shorter ones are copies only when equal."""

BandKeys = tuple[int, ...]
_MIX = np.uint64(0x9E3779B97F4A7C15)  # odd, so that multiplying loses nothing


def normal_form(folded: str, undone: Sequence[Mapping[str, Any]] = ()) -> str:
    """Return a text without what copies differ in: evasions undone, and no space, sign or emoji.

    Args:
        folded: the text as `casework.folding.fold` gives it.
        undone: the evasions that the classifier undid: `start`, `end` (in the text and so in its fold), `read_as`.
    """
    parts, at = [], 0
    for one in sorted(undone, key=lambda each: (each["start"], -each["end"])):
        if at <= one["start"] < one["end"] <= len(folded):
            parts += [folded[at : one["start"]], fold(one["read_as"])]
            at = one["end"]
    parts.append(folded[at:])
    return "".join(filter(str.isalnum, "".join(parts)))


def former_keys() -> list[str]:
    """Return the installation's secret keys of before, under which older cases are still signed."""
    return list(settings.SECRET_KEY_FALLBACKS)


def digest(form: str, secret: str = "") -> str:
    """Return the keyed digest (HMAC-SHA-256) of a normal form, by which exact copies are found.

    Args:
        form: the normal form.
        secret: one of `former_keys`; empty: the present one.
    """
    return hmac.new(_key(secret), form.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def band_keys(forms: Sequence[str], secret: str = "") -> list[BandKeys | None]:
    """Return the band keys of each normal form, signed 64-bit numbers; None where it is too short for near copies.

    Args:
        forms: normal forms.
        secret: one of `former_keys`; empty: the present one.
    """
    long_enough = [at for at, form in enumerate(forms) if len(form) >= LEAST_CHARACTERS]
    keys: list[BandKeys | None] = [None] * len(forms)
    if not long_enough:
        return keys
    seed = int.from_bytes(hmac.digest(_key(secret), b"bands", "sha256")[:8], "big")
    sets = [[pair.encode("utf-8", "surrogatepass") for pair in pairs(forms[at])] for at in long_enough]
    minima = rensa.RMinHash.digest_matrix_from_token_byte_sets(sets, BANDS * ROWS, seed).to_rows()
    rows = np.asarray(minima, dtype=np.uint64).reshape(len(sets), BANDS, ROWS)
    mixed = np.zeros((len(sets), BANDS), dtype=np.uint64)
    for row in range(ROWS):
        mixed = (mixed ^ rows[:, :, row]) * _MIX
        mixed ^= mixed >> np.uint64(29)
    for at, values in zip(long_enough, mixed.view(np.int64).tolist(), strict=True):
        keys[at] = tuple(values)
    return keys


def pairs(form: str) -> set[str]:
    """Return the pairs of neighbouring characters of a normal form."""
    return {form[at : at + 2] for at in range(len(form) - 1)}


def likeness(one: str, other: str, pairs_of: Callable[[str], AbstractSet[str]] = pairs) -> float:
    """Return how alike two normal forms are: 1 when equal, else the Jaccard index of their character pairs.

    Args:
        one: a normal form.
        other: another.
        pairs_of: gives the pairs of a form; whoever compares each with many hands in what keeps them.
    """
    if one == other:
        return 1.0
    first, second = pairs_of(one), pairs_of(other)
    both = len(first & second)
    together = len(first) + len(second) - both
    # Equal sets of pairs do not make equal texts.
    return min(both / together, 0.999) if together else 0.0


def _key(secret: str) -> bytes:
    return hmac.digest((secret or settings.SECRET_KEY).encode(), b"casework.likeness", "sha256")
