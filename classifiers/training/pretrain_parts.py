"""What a pretraining run reads, packed, as a folder to be carried to a machine that has no corpora.

The folder holds every file as parts, each compressed on its own and below a size given, so that they pass where large
files do not and are unpacked by many processors; and a note with the SHA-256 of each, what they were made from and the
SHA-256 of the corpora. The texts can be read back from it: whoever may not have the corpora may not have it either.
"""

from __future__ import annotations

import hashlib
import json
import lzma
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated, Any, Literal

import pydantic
from pydantic import BaseModel, ConfigDict, Field

from classifiers.errors import DataError

FORMAT = "silver-woodpecker packed 1"
NOTE, UNPACKED = "packed.json", "unpacked.sha256"
MIB = 1 << 20
LARGEST_NOTE = 4 * MIB
LARGEST_PART = 1024  # MiB

Name = Annotated[str, Field(pattern=r"^[^./\\\x00][^/\\\x00]{0,250}$")]  # of a file in the folder itself
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Part(_Strict):
    """A part of a file: bytes from `begin` to `end` of it, compressed."""

    name: Name
    sha256: Digest
    begin: Annotated[int, Field(ge=0)]
    end: Annotated[int, Field(ge=0)]


class PackedFile(_Strict):
    """A file and its parts, in order."""

    name: Name
    parts: tuple[Part, ...]


class Note(_Strict):
    """What the folder holds."""

    format: Literal["silver-woodpecker packed 1"]
    made_from: dict[str, Any]
    digests: dict[str, Digest]
    files: tuple[PackedFile, ...]


def write_parts(
    files: Sequence[Path],
    folder: Path,
    part_mib: int,
    *,
    made_from: dict[str, Any],
    digests: dict[str, str],
    tick: Callable[[str], None] = lambda _: None,
) -> Note:
    """Write files into a folder that is not there yet, or empty; it appears whole or not at all.

    Raises:
        DataError: the folder holds something.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DataError(folder, "-", "a folder that holds something", "one that is empty or not there yet")
    partial = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    written = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # hashing and compressing leave the interpreter to others
        for path in files:
            parts = pool.map(lambda one: _write_part(*one), _plan(path, partial, part_mib * MIB))
            written.append(PackedFile(name=path.name, parts=tuple(parts)))
            tick(path.name)
    note = Note(format=FORMAT, made_from=made_from, digests=digests, files=tuple(written))
    (partial / NOTE).write_text(note.model_dump_json(indent=1) + "\n", encoding="utf-8")
    os.replace(partial, folder)
    return note


def read_parts(
    folder: Path, into: Path, made_from: dict[str, Any], tick: Callable[[str], None] = lambda _: None
) -> dict[str, str]:
    """Check a folder that `write_parts` made and unpack it, once; returns the SHA-256 of the corpora.

    Raises:
        DataError: something is missing, damaged, or packed for a recipe that packs otherwise.
    """
    note, digest = _note(folder)
    for key, wanted in made_from.items():
        if note.made_from.get(key) != wanted:
            found = f"{key} = {_short(note.made_from.get(key))}"
            raise DataError(folder / NOTE, key, found, f"{_short(wanted)}, as the recipe says")
    marker = into / UNPACKED
    whole = all((into / file.name).is_file() for file in note.files)
    if whole and marker.is_file() and marker.read_text(encoding="ascii") == digest:
        return dict(note.digests)
    marker.unlink(missing_ok=True)
    into.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for file in note.files:
            partial = into / f"{file.name}.part"
            partial.write_bytes(b"")
            os.truncate(partial, max((part.end for part in file.parts), default=0))
            list(pool.map(lambda part, to=partial: _read_part(folder, part, to), file.parts))
            os.replace(partial, into / file.name)
            tick(file.name)
    marker.write_text(digest, encoding="ascii")
    return dict(note.digests)


def _plan(path: Path, folder: Path, most: int) -> Iterator[tuple[Path, Path, int, int]]:
    """Which bytes of a file go into which part: so many that it stays below `most` even if nothing can be spared."""
    size = path.stat().st_size
    step = most - most // 1024 - 1024
    for number, begin in enumerate(range(0, size, step)):
        yield path, folder / f"{path.name}.{number:04}.xz", begin, min(size, begin + step)


def _write_part(source: Path, target: Path, begin: int, end: int) -> Part:
    with source.open("rb") as stream:
        stream.seek(begin)
        content = lzma.compress(stream.read(end - begin), check=lzma.CHECK_NONE)  # the note has a better sum
    target.write_bytes(content)
    return Part(name=target.name, sha256=hashlib.sha256(content).hexdigest(), begin=begin, end=end)


def _read_part(folder: Path, part: Part, target: Path) -> None:
    path, length = folder / part.name, part.end - part.begin
    allowed = f"the part that {NOTE} names, byte for byte: bring it again"
    if not path.is_file() or path.stat().st_size > LARGEST_PART * MIB:
        raise DataError(path, "-", "no such part", allowed)
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != part.sha256:
        raise DataError(path, "-", "a part that is damaged", allowed)
    try:
        plain = lzma.LZMADecompressor().decompress(content, max_length=length + 1)
    except lzma.LZMAError as error:
        raise DataError(path, "-", f"no xz file ({error})", allowed) from error
    if len(plain) != length:
        raise DataError(path, "-", f"{len(plain)} bytes or more", f"{length}, as {NOTE} says")
    with target.open("r+b") as stream:
        stream.seek(part.begin)
        stream.write(plain)


def _note(folder: Path) -> tuple[Note, str]:
    path = folder / NOTE
    allowed = "a folder that `woodpecker pretrain RECIPE --pack-only DIR` made"
    if not path.is_file() or path.stat().st_size > LARGEST_NOTE:
        raise DataError(path, "-", "no such file", allowed)
    content = path.read_bytes()
    try:
        note = Note.model_validate_json(content)
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "-"
        raise DataError(path, where, first["msg"], allowed) from error
    for file in note.files:
        ends = [0, *(part.end for part in file.parts)]
        for part, end in zip(file.parts, ends, strict=False):
            if part.begin != end or not 0 <= part.end - end <= LARGEST_PART * MIB:
                raise DataError(path, part.name, f"bytes {part.begin} to {part.end}", allowed)
    return note, hashlib.sha256(content).hexdigest()


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 100 else f"{text[:97]}…"
