"""The encoder as served: characters to ids, an int8 ONNX graph, one logit per category. No torch.

A model folder holds `encoder.onnx`, `tokenizer.json`, and `manifest.json` with the categories, their calibration, the
blend with the linear model, and the SHA-256 of each file. Activations are quantised by scales fixed at export, so a
text gets the same logits alone and in any batch.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.calibration import Platt
from classifiers.errors import ModelError
from classifiers.normalise.fold import Folded
from classifiers.normalise.tables import CODE_POINTS

SPECIALS = ("[PAD]", "[UNK]", "[SEP]", "[MASK]")
PAD, UNK, SEP, MASK = range(4)
FORMAT = "silver-woodpecker encoder 1"
MANIFEST, TOKENIZER, GRAPH = "manifest.json", "tokenizer.json", "encoder.onnx"
LONGEST = 126  # characters in a window; with a SEP at either end, 128 ids
MOST_WINDOWS = 8
BATCH_IDS = 1024


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


@dataclass(frozen=True, slots=True)
class Windows:
    """Parts of texts, each short enough to be read at once: `ids[starts[k]:ends[k]]` is a part of text `owner[k]`.
    A text of at most `LONGEST` characters is one window, an empty one too; a longer one has up to `MOST_WINDOWS`,
    evenly spread, the first and the last always among them."""

    ids: NDArray[np.uint16]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    owner: NDArray[np.int64]

    def padded(self, chosen: NDArray[np.int64]) -> NDArray[np.int64]:
        """Some windows as a matrix, a `SEP` at either end of each, filled with `PAD`."""
        lengths = self.ends[chosen] - self.starts[chosen]
        place = np.arange(int(lengths.max(initial=0)) + 2)[None, :] - 1
        inside = (place >= 0) & (place < lengths[:, None])
        rows = np.where(inside, 0, np.where(place <= lengths[:, None], SEP, PAD)).astype(np.int64)
        rows[inside] = self.ids[(self.starts[chosen][:, None] + place)[inside]]
        return rows

    def batches(self, ids: int = BATCH_IDS, among: NDArray[np.int64] | None = None) -> Iterator[NDArray[np.int64]]:
        """Numbers of windows of like length, all or some, together at most `ids` ids where padded."""
        lengths = self.ends - self.starts + 2
        order = (
            np.argsort(lengths, kind="stable") if among is None else among[np.argsort(lengths[among], kind="stable")]
        )
        begin = 0
        while begin < len(order):
            end = begin + 1
            while end < len(order) and lengths[order[end]] * (end + 1 - begin) <= ids:
                end += 1
            yield order[begin:end]
            begin = end


def windows(folded: Folded, alphabet: Alphabet) -> Windows:
    """Cut folded texts into windows."""
    lengths = np.diff(folded.bounds)
    parts = np.minimum(MOST_WINDOWS, 1 + np.maximum(0, lengths - 1) // LONGEST)
    owner = np.repeat(np.arange(len(lengths)), parts)
    number = np.arange(len(owner)) - np.repeat(np.cumsum(parts) - parts, parts)
    room = np.maximum(0, lengths - LONGEST)[owner]
    starts = folded.bounds[owner] + number * room // np.maximum(1, parts[owner] - 1)
    ends = np.minimum(starts + LONGEST, folded.bounds[owner + 1])
    return Windows(alphabet.lookup[folded.points], starts, ends, owner)


class Encoder:
    """A served encoder."""

    def __init__(self, folder: Path, manifest: dict[str, Any], threads: int) -> None:
        self.folder, self._threads = folder, threads
        self._session, self._process = _session(folder, threads), os.getpid()
        self.alphabet = Alphabet.read(folder / TOKENIZER)
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
        cut = windows(folded, self.alphabet)
        among = None if texts is None else np.flatnonzero(texts[cut.owner])
        found = np.full((len(folded), len(self.slugs)), -np.inf)
        for chosen in cut.batches(among=among):
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
    manifest = _manifest(folder)
    for name, digest in manifest["files"].items():
        path = folder / name
        if path.parent != folder or not path.is_file():
            allowed = "every file of the manifest, beside it"
            raise ModelError(folder, f"no file {name!r}, which the manifest names", allowed)
        found = hashlib.sha256(path.read_bytes()).hexdigest()
        if found != digest:
            raise ModelError(path, f"SHA-256 {found}", f"{digest}, as the manifest says")
    return Encoder(folder, manifest, threads)


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
