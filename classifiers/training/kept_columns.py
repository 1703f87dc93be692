"""Columns of a linear model that are fitted, kept in a run's working folder until the others are: a run that was ended
goes on from them.

A column is named after its category and the digest of all that it was fitted on, so it is taken up again only where
nothing of that has changed, and is fitted anew where it has. Nothing is unpickled.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from importlib.metadata import version as installed
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from classifiers.errors import ModelError

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

Fitted = tuple[NDArray[np.float64], float]
"""The weight of each bucket, and the intercept."""


class KeptColumns:
    """The columns in a folder, of texts whose counts are `x`. What fits them is scikit-learn's, of one version."""

    def __init__(self, folder: Path, x: csr_matrix) -> None:
        self._folder = folder
        self._texts = _digest(x.shape, x.data, x.indices, x.indptr, installed("scikit-learn"))
        self.found = 0

    def fitted(self, slug: str, *fitted_on: Any, fit: Callable[[], Fitted]) -> Fitted:
        """A category's column as it was kept, or fitted now and kept. `fitted_on` is all that it depends on beside the
        texts: arrays, and what JSON could hold.

        Raises:
            ModelError: the file that was kept is damaged.
        """
        path = self._folder / f"column-{slug}-{_digest(self._texts, *fitted_on)[:32]}.npz"
        if path.is_file():
            self.found += 1
            return _read(path)
        weights, offset = fit()
        partial = path.with_suffix(".part")
        with partial.open("wb") as stream:
            np.savez(stream, weights=weights, offset=np.float64(offset))
        os.replace(partial, path)
        for old in self._folder.glob(f"column-{slug}-*"):
            if old != path:
                old.unlink()
        return weights, offset


def _read(path: Path) -> Fitted:
    try:
        with np.load(path, allow_pickle=False) as kept:  # a changed byte shows in the ZIP's checksum
            return kept["weights"], float(kept["offset"])
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        raise ModelError(
            path, f"a damaged column ({error})", "the file that the run kept; remove it to fit this column again"
        ) from error


def _digest(*parts: Any) -> str:
    """SHA-256 of arrays, by their bytes, and of other values, by what they print as."""
    found = hashlib.sha256()
    for part in parts:
        raw = part if isinstance(part, np.ndarray) else np.frombuffer(repr(part).encode(), dtype=np.uint8)
        found.update(f"{raw.dtype}{raw.shape}".encode())
        found.update(np.ascontiguousarray(raw).data)
    return found.hexdigest()
