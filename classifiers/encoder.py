"""The encoder as served: texts to ids, an int8 ONNX graph, one logit per category. No torch.

A model folder holds `encoder.onnx`, `tokenizer.json`, and `manifest.json` with the categories, their calibration, the
blend with the linear model, and the SHA-256 of each file. Activations are quantised by scales fixed at export, so a
text gets the same logits alone and in any batch.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from classifiers.alphabet import Alphabet
from classifiers.calibration import Platt
from classifiers.errors import ModelError
from classifiers.normalise.fold import Folded
from classifiers.pieces import Pieces
from classifiers.windows import FILLED, Windows

FORMAT = "silver-woodpecker encoder 1"
MANIFEST, TOKENIZER, GRAPH = "manifest.json", "tokenizer.json", "encoder.onnx"


class Tokens(Protocol):
    """What turns texts into ids: an alphabet of ours, or the word pieces of another encoder."""

    @property
    def mask(self) -> int: ...

    def windows(self, folded: Folded) -> Windows: ...

    def special(self, ids: NDArray[np.integer]) -> NDArray[np.bool_]: ...


class Encoder:
    """A served encoder."""

    def __init__(self, folder: Path, manifest: dict[str, Any], threads: int) -> None:
        self.folder, self._threads = folder, threads
        self._session, self._process = _session(folder, threads), os.getpid()
        self.tokens = _tokens(folder, manifest)
        self.manifest = manifest
        self.version: str = manifest["version"]
        self.slugs: tuple[str, ...] = tuple(entry["slug"] for entry in manifest["categories"])
        self.calibration = tuple(Platt(*entry["platt"]) for entry in manifest["categories"])

    def margins(self, folded: Folded, texts: NDArray[np.bool_] | None = None) -> NDArray[np.float64]:
        """Raw logits, one row per text and one column per category; a long text has its strongest window's.

        Where `texts` is given, only those are read; the rows of the others are −inf.
        """
        if os.getpid() != self._process:  # a session does not survive a fork
            self._session, self._process = _session(self.folder, self._threads), os.getpid()
        cut = self.tokens.windows(folded)
        among = None if texts is None else np.flatnonzero(texts[cut.owner])
        found = np.full((len(folded), len(self.slugs)), -np.inf)
        for chosen in cut.batches(among=among, filling=FILLED):
            logits = self._session.run(None, {"input_ids": cut.padded(chosen)})[0]
            np.maximum.at(found, cut.owner[chosen], logits)
        return found

    def probabilities(self, margins: NDArray[np.float64]) -> NDArray[np.float64]:
        """Calibrated probabilities of logits, same shape."""
        return np.stack([curve(margins[:, k]) for k, curve in enumerate(self.calibration)], axis=1)


def newest_encoder(models: Path) -> Path | None:
    """Return the folder of the newest encoder among model folders; None where there is none."""
    found = sorted(file.parent for file in models.glob(f"*/{GRAPH}") if (file.parent / MANIFEST).is_file())
    return found[-1] if found else None


def _tokens(folder: Path, manifest: dict[str, Any]) -> Tokens:
    """Word pieces where the manifest tells their special ids, else characters."""
    ids = manifest.get("pieces")
    return Alphabet.read(folder / TOKENIZER) if ids is None else Pieces.read(folder / TOKENIZER, ids)


def _session(folder: Path, threads: int) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(folder / GRAPH, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's own exceptions share no base but this
        found = f"a graph that cannot be loaded ({type(error).__name__})"
        raise ModelError(folder / GRAPH, found, "the ONNX file its manifest names") from error


def load_encoder(folder: Path, *, threads: int = 1) -> Encoder:
    """Load a model folder; every file its manifest names is hashed and compared first, nothing is unpickled.

    Raises:
        ModelError: something is missing, of a wrong kind, or not what the manifest says.
    """
    manifest = read_manifest(folder)
    for name, digest in manifest["files"].items():
        path = folder / name
        if path.parent != folder or not path.is_file():
            allowed = "every file of the manifest, beside it"
            raise ModelError(folder, f"no file {name!r}, which the manifest names", allowed)
        found = hashlib.sha256(path.read_bytes()).hexdigest()
        if found != digest:
            raise ModelError(path, f"SHA-256 {found}", f"{digest}, as the manifest says")
    return Encoder(folder, manifest, threads)


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read what a model folder says of itself, without loading it.

    Raises:
        ModelError: there is none, or it is not of the form that training writes.
    """
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
    for field, kind in {"version": str, "categories": list, "files": dict}.items():
        if not isinstance(manifest.get(field), kind):
            raise ModelError(path, f"{field} = {manifest.get(field)!r}", f"{field} of type {kind.__name__}")
    for entry in manifest["categories"]:
        if not isinstance(entry, dict) or not {"slug", "platt"} <= entry.keys():
            raise ModelError(path, f"category {entry!r}", "an object with slug and platt")
    if not {GRAPH, TOKENIZER} <= manifest["files"].keys():
        raise ModelError(path, f"files {sorted(manifest['files'])}", f"{GRAPH} and {TOKENIZER} among them")
    return manifest


def save_manifest(folder: Path, *, version: str, categories: list[dict[str, Any]], about: dict[str, Any]) -> None:
    """Write the manifest of a folder whose graph and tokenizer are in place. `about` goes in as it is."""
    files = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in (GRAPH, TOKENIZER)}
    manifest = {"format": FORMAT, "version": version, "categories": categories, "files": files, **about}
    (folder / MANIFEST).write_text(json.dumps(manifest, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
