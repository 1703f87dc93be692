"""The linear model: hashed character n-grams, one column of small integers per category. NumPy alone serves it.

A text's margin for a category is the sum of the weights of its n-grams divided by the square root of their number.
The sum is of integers, so a text gets exactly the same score alone and in any batch.

A model folder holds `weights.npz` (int8, buckets × columns, compressed), `manifest.json` with the names, scales,
offsets and calibration of the columns and the SHA-256 of each file, and `card.json` with what was measured.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from classifiers.calibration import Platt, sigmoid
from classifiers.errors import ModelError
from classifiers.ngrams import Grams, grams
from classifiers.normalise.fold import Folded

FORMAT = "silver-woodpecker linear 2"
WIDTH = 16  # columns of the stored matrix: sixteen int8 are read by one 128-bit gather
MODELS = Path(__file__).parent / "models"
MANIFEST = "manifest.json"
WEIGHTS = "weights.npz"
KEY = "weights"

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class LinearModel:
    """A model ready to score.

    `weights` has shape (2**bits, 16), int8; the first `len(slugs)` columns are in use. `scales` bring a column
    back to the units it was trained in, `offsets` are its intercepts, `calibration` turns margins into probabilities.
    """

    version: str
    bits: int
    slugs: tuple[str, ...]
    weights: NDArray[np.int8]
    scales: NDArray[np.float64]
    offsets: NDArray[np.float64]
    calibration: tuple[Platt, ...]
    manifest: dict[str, Any]

    def grams(self, folded: Folded) -> Grams:
        """Hash texts into this model's buckets."""
        return grams(folded, self.bits)

    def margins(self, found: Grams) -> NDArray[np.float64]:
        """Raw margins, one row per text and one column per trained category."""
        counts = np.diff(found.offsets)
        sums = np.zeros((len(counts), WIDTH), dtype=np.int64)
        if len(found.buckets):
            # A 128-bit view gathers a whole row at once, sixteen times fewer cache misses than column by column.
            rows = self.weights.view(np.complex128)[:, 0][found.buckets].view(np.int8).reshape(-1, WIDTH)
            filled = np.flatnonzero(counts)
            sums[filled] = np.add.reduceat(rows, found.offsets[filled], axis=0, dtype=np.int32)
        used = sums[:, : len(self.slugs)].astype(np.float64)
        return used * self.scales / np.sqrt(np.maximum(counts, 1))[:, None] + self.offsets

    def probabilities(self, margins: NDArray[np.float64]) -> NDArray[np.float64]:
        """Calibrated probabilities of margins, same shape."""
        slopes = np.array([curve.slope for curve in self.calibration])
        offsets = np.array([curve.offset for curve in self.calibration])
        return sigmoid(slopes * margins + offsets)

    def contributions(self, found: Grams, texts: Ints, lengths: Ints, columns: Ints) -> NDArray[np.float64]:
        """How much each folded character of some texts, of `lengths` characters, adds to the margin of a category each:
        a row for each text, filled up to the longest. The first `lengths[k]` of row k sum to margin − offset.

        An n-gram's weight is shared evenly among its characters; boundary marks keep theirs for themselves.
        """
        counts = found.offsets[texts + 1] - found.offsets[texts]
        row = np.repeat(np.arange(len(texts)), counts)
        gram = np.arange(len(row)) + (found.offsets[texts] - np.cumsum(counts) + counts)[row]
        starts, sizes = found.starts[gram], found.sizes[gram]
        scales = self.scales[columns] / np.sqrt(np.maximum(counts, 1))
        shares = self.weights[found.buckets[gram], columns[row]] * scales[row] / sizes
        ends = np.minimum(starts + sizes, lengths[row])
        shape = (len(texts), int(lengths.max(initial=0)) + 1)
        base, room = row * shape[1], shape[0] * shape[1]
        steps = np.bincount(base + np.maximum(starts, 0), shares, room) - np.bincount(base + ends, shares, room)
        return np.asarray(steps.reshape(shape).cumsum(axis=1)[:, :-1])


def newest(models: Path = MODELS) -> Path:
    """Return the folder of the newest shipped linear model; versions sort by name.

    Raises:
        ModelError: there is none.
    """
    found = sorted(file.parent for file in models.glob(f"*/{WEIGHTS}") if (file.parent / MANIFEST).is_file())
    if not found:
        raise ModelError(models, f"no model folder with a {MANIFEST} and {WEIGHTS}", "at least one")
    return found[-1]


def load_model(folder: Path) -> LinearModel:
    """Load a model folder; every file named by its manifest is hashed and compared first, nothing is unpickled.

    Raises:
        ModelError: something is missing, of a wrong kind, or not what the manifest says.
    """
    manifest = _manifest(folder)
    for name, digest in manifest["files"].items():
        _check_file(folder, name, digest)
    try:
        with np.load(folder / WEIGHTS, allow_pickle=False) as stored:
            weights = stored[KEY]
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        raise ModelError(
            folder / WEIGHTS, f"a file NumPy cannot read ({error})", f"an int8 array named {KEY} in .npz form"
        ) from error
    bits, columns = manifest["bits"], manifest["columns"]
    shape = (1 << bits, WIDTH)
    if weights.dtype != np.int8 or weights.shape != shape or len(columns) > WIDTH:
        found = f"{weights.dtype} of shape {weights.shape} for {len(columns)} columns"
        raise ModelError(folder / WEIGHTS, found, f"int8 of shape {shape}, at most {WIDTH} columns")
    return LinearModel(
        version=manifest["version"],
        bits=bits,
        slugs=tuple(column["slug"] for column in columns),
        weights=np.ascontiguousarray(weights),
        scales=np.array([column["scale"] for column in columns], dtype=np.float64),
        offsets=np.array([column["offset"] for column in columns], dtype=np.float64),
        calibration=tuple(Platt(*column["platt"]) for column in columns),
        manifest=manifest,
    )


def _manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    if not path.is_file():
        raise ModelError(folder, f"no {MANIFEST}", f"a model folder with {MANIFEST} and the files it names")
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(path, f"a file that is no JSON ({error})", "a JSON object") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        found = manifest.get("format") if isinstance(manifest, dict) else type(manifest).__name__
        raise ModelError(path, f"format {found!r}", f"format {FORMAT!r}")
    wanted = {"version": str, "bits": int, "columns": list, "files": dict}
    for field, kind in wanted.items():
        if not isinstance(manifest.get(field), kind):
            raise ModelError(path, f"{field} = {manifest.get(field)!r}", f"{field} of type {kind.__name__}")
    for column in manifest["columns"]:
        if not isinstance(column, dict) or not {"slug", "scale", "offset", "platt"} <= column.keys():
            raise ModelError(path, f"column {column!r}", "an object with slug, scale, offset, platt")
    if WEIGHTS not in manifest["files"]:
        raise ModelError(path, f"files {sorted(manifest['files'])}", f"{WEIGHTS} among them")
    return manifest


def _check_file(folder: Path, name: str, digest: str) -> None:
    path = folder / name
    if path.parent != folder or not path.is_file():
        raise ModelError(folder, f"no file {name!r}, which the manifest names", "every file of the manifest, beside it")
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != digest:
        raise ModelError(path, f"SHA-256 {found}", f"{digest}, as the manifest says")


def save_model(
    folder: Path,
    *,
    version: str,
    bits: int,
    columns: list[dict[str, Any]],
    weights: NDArray[np.int8],
    about: dict[str, Any],
) -> None:
    """Write a model folder. `about` (data, seeds, hardware) goes into the manifest as it is."""
    folder.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(folder / WEIGHTS, weights=weights)
    files = {WEIGHTS: hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest()}
    manifest = {"format": FORMAT, "version": version, "bits": bits, "columns": columns, "files": files, **about}
    (folder / MANIFEST).write_text(json.dumps(manifest, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def quantise(columns: NDArray[np.float64]) -> tuple[NDArray[np.int8], list[float]]:
    """Round weight columns to int8; returns the (buckets, 16) matrix and the scale of each column.

    The scale is set by the 99.99th percentile of the non-zero weights: a few extreme ones are clipped rather than
    costing all others their precision.
    """
    rounded = np.zeros((columns.shape[0], WIDTH), dtype=np.int8)
    scales: list[float] = []
    for k in range(columns.shape[1]):
        size = np.abs(columns[:, k])
        top = float(np.quantile(size[size > 0], 0.9999)) if (size > 0).any() else 1.0
        scale = top / 127.0
        rounded[:, k] = np.clip(np.rint(columns[:, k] / scale), -127, 127).astype(np.int8)
        scales.append(scale)
    return rounded, scales
