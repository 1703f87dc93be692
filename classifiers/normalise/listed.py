"""Lists of characters as text: a key, a tab, what belongs to it between spaces. Lines that begin with # are notes.

Every command that assesses reads them when it starts; as YAML they took a quarter of a second.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

DATA = Path(__file__).parent


@cache
def read_listed(name: str | Path) -> Mapping[str, tuple[str, ...]]:
    """Read one of the files beside this one, or one at a path, once per process.

    Raises:
        ValueError: a line has no tab, nothing on one side of it, or a key that stands there twice.
    """
    found: dict[str, tuple[str, ...]] = {}
    for number, line in enumerate((DATA / name).read_text(encoding="utf-8").split("\n"), 1):
        if not line or line.startswith("#"):
            continue
        key, _, rest = line.partition("\t")
        values = tuple(rest.split())
        if not key or not values or key in found:
            raise ValueError(f"{name}:{number}: {line!r}: a key that is new, a tab, and one or more values are allowed")
        found[key] = values
    return found
