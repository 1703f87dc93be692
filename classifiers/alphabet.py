"""Which characters our encoder knows: one id each, in a tokenizer file that the `tokenizers` library reads too."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from classifiers.errors import ModelError
from classifiers.normalise.fold import Folded
from classifiers.normalise.tables import CODE_POINTS
from classifiers.windows import Frame, Windows, cut

SPECIALS = ("[PAD]", "[UNK]", "[SEP]", "[MASK]")
PAD, UNK, SEP, MASK = range(4)
FRAME = Frame(SEP, SEP, PAD)


@dataclass(frozen=True, slots=True)
class Alphabet:
    """Which characters have an id; `lookup[code point]` is the id, `UNK` for those that have none."""

    characters: tuple[str, ...]
    lookup: NDArray[np.uint16]

    def __len__(self) -> int:
        return len(SPECIALS) + len(self.characters)

    @classmethod
    def of(cls, characters: Sequence[str]) -> Alphabet:
        """Number characters in the order given, after the special tokens."""
        lookup = np.full(CODE_POINTS, UNK, dtype=np.uint16)
        for number, character in enumerate(characters, len(SPECIALS)):
            lookup[ord(character)] = number
        return cls(tuple(characters), lookup)

    @classmethod
    def read(cls, path: Path) -> Alphabet:
        """Read a tokenizer file.

        Raises:
            ModelError: it is missing, or is no character tokenizer of ours.
        """
        try:
            vocabulary = json.loads(path.read_text(encoding="utf-8"))["model"]["vocab"]
            tokens = sorted(vocabulary, key=vocabulary.__getitem__)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ModelError(path, f"no tokenizer ({error})", "a tokenizer.json with a vocabulary") from error
        whole = sorted(vocabulary.values()) == list(range(len(tokens)))
        plain = tokens[len(SPECIALS) :]
        if not whole or tuple(tokens[: len(SPECIALS)]) != SPECIALS or any(len(token) != 1 for token in plain):
            allowed = f"{', '.join(SPECIALS)}, then single characters, numbered from 0"
            raise ModelError(path, f"a vocabulary of {len(tokens)} tokens of another kind", allowed)
        return cls.of(plain)

    @property
    def digest(self) -> str:
        """SHA-256 of the characters in order."""
        return hashlib.sha256("".join(self.characters).encode()).hexdigest()

    @property
    def mask(self) -> int:
        """The id that hides a character in training."""
        return MASK

    def windows(self, folded: Folded) -> Windows:
        """Cut folded texts into windows of characters."""
        return cut(self.lookup[folded.points], folded.bounds, FRAME)

    def special(self, ids: NDArray[np.integer]) -> NDArray[np.bool_]:
        """Which ids stand for no character of a text."""
        return np.asarray(ids < len(SPECIALS))
