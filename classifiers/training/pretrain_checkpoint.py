"""Checkpoints of a run: tensors in a safetensors file, everything else beside it in JSON. Nothing is unpickled."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from classifiers.errors import ModelError

NOTE, LOCK = "checkpoint.json", ".lock"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Where a run stands after `step` steps. `identity` is what must not change before it goes on: the recipe but
    for its length, and the SHA-256 of every file read."""

    step: int
    identity: dict[str, Any]
    tensors: dict[str, Any]


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Keep a run's folder to this process while the block runs; the folder is made. A killed process keeps nothing.

    Raises:
        ModelError: another process is at work in it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            found = "a run that another process is at work on"
            raise ModelError(folder, found, "one process for a run: wait for it, or end it and call again") from error
        yield


def save_checkpoint(folder: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint so that at any moment one whole checkpoint is there; the one before is removed."""
    from safetensors.torch import save_file

    name = f"checkpoint-{checkpoint.step:08d}.safetensors"
    partial = folder / f"{name}.part"
    save_file(checkpoint.tensors, partial)
    digest = _digest(partial)
    os.replace(partial, folder / name)
    note = {"file": name, "sha256": digest, "step": checkpoint.step, "identity": checkpoint.identity}
    partial = folder / f"{NOTE}.part"
    partial.write_text(json.dumps(note, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    os.replace(partial, folder / NOTE)
    for old in folder.glob("checkpoint-*.safetensors*"):
        if old.name != name:
            old.unlink()


def read_checkpoint(folder: Path, identity: dict[str, Any]) -> Checkpoint | None:
    """The checkpoint of a folder, or None where a run has not got that far.

    Raises:
        ModelError: it is damaged, or belongs to another recipe or other data.
    """
    note_path = folder / NOTE
    if not note_path.is_file():
        return None
    remedy = f"the run's own checkpoint; remove {folder} to begin again"
    try:
        note = json.loads(note_path.read_text(encoding="utf-8"))
        path, digest, step = folder / note["file"], note["sha256"], int(note["step"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(note_path, f"an unreadable note ({error})", remedy) from error
    changed = sorted(key for key in identity if note["identity"].get(key) != identity[key])
    if changed:
        what = ", ".join(f"{key} = {_short(identity[key])}" for key in changed)
        was = ", ".join(_short(note["identity"].get(key)) for key in changed)
        raise ModelError(note_path, f"a run with another {what}", f"what it was begun with ({was}); or remove {folder}")
    if not path.is_file() or _digest(path) != digest:
        raise ModelError(path, "a checkpoint that is missing or damaged", f"the file its note names; {remedy}")
    from safetensors.torch import load_file

    return Checkpoint(step, note["identity"], load_file(path))


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 100 else f"{text[:97]}…"
