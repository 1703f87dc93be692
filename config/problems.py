"""What is wrong with a policy file, said so that a person can mend it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: where it stands, what was found, what is allowed, and the nearest right name."""

    file: str
    line: int | None
    field: str
    found: str
    allowed: str
    nearest: str | None = None

    def __str__(self) -> str:
        where = self.file if self.line is None else f"{self.file}:{self.line}"
        hint = f" Did you mean {self.nearest!r}?" if self.nearest else ""
        return f"{where}: {self.field}: found {self.found}; allowed: {self.allowed}.{hint}"

    def as_dict(self) -> dict[str, Any]:
        """Return the problem for a machine."""
        return asdict(self)


class PolicyError(Exception):
    """A policy cannot be used; `problems` says everything that is wrong with it."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = list(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that a misspelling most likely means, or None."""
    matches = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return matches[0] if matches and matches[0] != name else None


def one(file: Path | str, field: str, found: str, allowed: str, **more: Any) -> PolicyError:
    """Return an error with a single problem."""
    return PolicyError([Problem(str(file), more.pop("line", None), field, found, allowed, **more)])
