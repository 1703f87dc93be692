"""Texts written by us for training and measuring: `written/<slug>.tsv`, invented and mild.

Four columns without a header: the categories (comma-separated, "-" for a hard negative, which is harmless in all
fifteen), the register, the topic, the text. Whole topics are held back from training.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from classifiers.errors import DataError
from config.taxonomy import SLUGS

REGISTERS = ("danmaku", "comment", "title", "profile", "question", "post", "chat", "ad")
NONE = "-"


def read_written(path: Path) -> Iterator[dict[str, Any]]:
    """Yield rows with `slugs` (a frozenset), `register`, `topic` (with the file's name, so that topics of two files
    are two) and `text`.

    Raises:
        DataError: the file is missing, or a line is not of the form above.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(path, "-", str(error), "a TSV file in UTF-8") from error
    for number, line in enumerate(lines, 1):
        parts = line.split("\t")
        slugs = frozenset(parts[0].split(",")) - {NONE}
        if len(parts) != 4 or not slugs <= set(SLUGS) or parts[1] not in REGISTERS or not parts[3].strip():
            allowed = f"slugs or -, register ({', '.join(REGISTERS)}), topic, text"
            raise DataError(path, f"line {number}", repr(line[:80]), allowed)
        yield {"slugs": slugs, "register": parts[1], "topic": f"{path.stem}/{parts[2]}", "text": parts[3]}
