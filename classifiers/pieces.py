"""Word pieces of any encoder in the Hugging Face format, read from its tokenizer file. No transformers to serve."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from classifiers.errors import ModelError
from classifiers.normalise.fold import Folded
from classifiers.windows import LONGEST, Frame, Windows, cut


class PieceIds(BaseModel):
    """The special ids of a tokenizer and the longest window its encoder reads, as a manifest keeps them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    first: int = Field(ge=0)
    last: int = Field(ge=0)
    pad: int = Field(ge=0)
    mask: int = Field(ge=0)
    longest: int = Field(default=LONGEST, ge=8, le=LONGEST)


class Pieces:
    """A tokenizer file with its special ids."""

    def __init__(self, tokenizer: Any, ids: PieceIds) -> None:
        self._tokenizer, self.ids = tokenizer, ids
        self._special = np.array(sorted({ids.first, ids.last, ids.pad, ids.mask}))

    @classmethod
    def read(cls, path: Path, ids: object) -> Self:
        """Read a tokenizer file; `ids` as in `PieceIds`.

        Raises:
            ModelError: the file is missing or no tokenizer, or the ids are not in its vocabulary.
        """
        from tokenizers import Tokenizer

        try:
            known = PieceIds.model_validate(ids)
        except ValidationError as error:
            first = error.errors()[0]
            found = f"pieces.{'.'.join(map(str, first['loc']))}: {first['msg']}"
            raise ModelError(path, found, "first, last, pad and mask as ids, longest 8 to 126") from error
        try:
            tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:  # the library raises Exception itself
            raise ModelError(path, f"no tokenizer ({error})", "a tokenizer.json of a fast tokenizer") from error
        if max(known.first, known.last, known.pad, known.mask) >= tokenizer.get_vocab_size():
            found = f"special ids beyond a vocabulary of {tokenizer.get_vocab_size()}"
            raise ModelError(path, found, "the tokenizer that the manifest was written for")
        tokenizer.no_padding()
        tokenizer.no_truncation()
        return cls(tokenizer, known)

    @property
    def mask(self) -> int:
        """The id that hides a piece in training."""
        return self.ids.mask

    def windows(self, folded: Folded) -> Windows:
        """Cut folded texts into windows of word pieces."""
        encoded = self._tokenizer.encode_batch(folded.texts(), add_special_tokens=False)
        bounds = np.concatenate(([0], np.cumsum([len(one) for one in encoded]))).astype(np.int64)
        ids = np.fromiter((i for one in encoded for i in one.ids), dtype=np.int64, count=int(bounds[-1]))
        frame = Frame(self.ids.first, self.ids.last, self.ids.pad)
        return cut(ids, bounds, frame, self.ids.longest)

    def special(self, ids: NDArray[np.integer]) -> NDArray[np.bool_]:
        """Which ids stand for no piece of a text."""
        return np.isin(ids, self._special)
