"""Labels given by reading: which categories each text of a public spam set has. Our labels, without the texts.

`typed/labels.tsv`: SHA-256 of the text (UTF-8), a tab, the slugs, comma-separated, or "-" where it has none of the
fifteen. `typed/second.tsv` has the same form: some of the same texts, read independently by a second reader.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from classifiers.errors import DataError
from config.taxonomy import SLUGS

TYPED = Path(__file__).parent / "typed"
LABELS = TYPED / "labels.tsv"
SECOND = TYPED / "second.tsv"
NONE = "-"


def digest_of(text: str) -> str:
    """The key of a text: lone surrogates, which UTF-8 has no form for, are hashed as they are."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


@lru_cache(maxsize=4)
def load_typed(path: Path = LABELS) -> Mapping[str, frozenset[str]]:
    """Read labels; returns SHA-256 of a text → its categories.

    Raises:
        DataError: the file is missing, or a line is not of the form above.
    """
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(path, "-", str(error), "a file of SHA-256 and slugs") from error
    found: dict[str, frozenset[str]] = {}
    for number, line in enumerate(lines, 1):
        key, _, named = line.partition("\t")
        slugs = frozenset(named.split(",")) - {NONE}
        if len(key) != 64 or not named or not slugs <= set(SLUGS):
            raise DataError(path, f"line {number}", repr(line[:120]), f"SHA-256, a tab, and any of {', '.join(SLUGS)}")
        found[key] = slugs
    return found
