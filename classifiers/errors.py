"""What can go wrong in this room.

    ClassifierError
    ├── ModelError       a model folder is missing, incomplete, of a wrong kind or does not match its manifest
    ├── RuleError        a word-rule file says something that cannot be read, or one of its examples fails
    ├── RecipeError      a training recipe or the description of the data sets is wrong
    ├── DataError        training or evaluation data are missing or cannot be read
    └── InputError       the texts to classify cannot be read at all (a folder as input, no such file)

Each message names what, where, what was found and what is allowed. None of them quotes an assessed text.
"""

from __future__ import annotations

from pathlib import Path


class ClassifierError(Exception):
    """Anything this room raises on purpose."""


class ModelError(ClassifierError):
    """A model folder cannot be used."""

    def __init__(self, path: Path, found: str, allowed: str) -> None:
        self.path, self.found, self.allowed = path, found, allowed
        super().__init__(f"model {path}: found {found}; allowed: {allowed}")


class RuleError(ClassifierError):
    """A word rule is wrong; `rule` is its name, or "-" where the file itself cannot be read."""

    def __init__(self, path: Path, rule: str, field: str, found: str, allowed: str, *, line: int | None = None) -> None:
        self.path, self.rule, self.field, self.found, self.allowed = path, rule, field, found, allowed
        self.line = line
        where = path if line is None else f"{path}:{line}"
        super().__init__(f"{where}: rule {rule}, {field}: found {found}; allowed: {allowed}")


class RecipeError(ClassifierError):
    """A recipe or the file that describes the data sets is wrong."""

    def __init__(self, path: Path, field: str, found: str, allowed: str) -> None:
        self.path, self.field, self.found, self.allowed = path, field, found, allowed
        super().__init__(f"{path}: {field}: found {found}; allowed: {allowed}")


class DataError(ClassifierError):
    """Labelled data cannot be read."""

    def __init__(self, path: Path, where: str, found: str, allowed: str) -> None:
        self.path, self.where, self.found, self.allowed = path, where, found, allowed
        super().__init__(f"{path}, {where}: found {found}; allowed: {allowed}")


class InputError(ClassifierError):
    """The stream to classify cannot be opened."""

    def __init__(self, name: str, found: str, allowed: str) -> None:
        self.name, self.found, self.allowed = name, found, allowed
        super().__init__(f"{name}: found {found}; allowed: {allowed}")
