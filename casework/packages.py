"""Evidence packages checked by whoever holds the files: no database, no network, nothing but the packages."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from casework import canonical

FORMAT = "silver-woodpecker/evidence/1"
_DIGEST = re.compile(r"[0-9a-f]{64}")
_NUMBER = re.compile(r"EV-\d{8}-(\d{6,})")


@dataclass(frozen=True)
class Verdict:
    """What the check of one file found: its digests, to be compared with the list or the register, and its faults."""

    file: str
    number: str
    sha256: str
    sm3: str
    faults: tuple[str, ...]
    foreign: bool = False
    """Whether the file is something else altogether, and not a package that was changed."""

    @property
    def whole(self) -> bool:
        """Whether nothing is wrong."""
        return not self.faults


def verify(files: Sequence[Path]) -> list[Verdict]:
    """Check packages one by one, and each against its predecessor where that is given too; in the order given.

    Stored responses (WARC) may be given beside them: each must be the one that a package names.

    Raises:
        OSError: a file cannot be read.
    """
    packages = [file for file in files if not _is_response(file)]
    verdicts = dict(zip(packages, _packages(packages), strict=True))
    named = {_response_of(file) for file in packages}
    return [verdicts[file] if file in verdicts else _response(file, named) for file in files]


def _is_response(file: Path) -> bool:
    return file.name.endswith((".warc", ".warc.gz"))


def _response_of(file: Path) -> str:
    """Return the digest of the stored response that a package names; empty where it names none."""
    return str(_meta(file.read_bytes()).get("stored_response") or "").removeprefix("sha256:")


def _response(file: Path, named: set[str]) -> Verdict:
    content = file.read_bytes()
    digest = canonical.sha256(content)
    faults = () if digest in named else ("none of the packages given names this response, or it was changed",)
    return Verdict(str(file), "", digest, canonical.sm3(content), faults)


def _packages(files: Sequence[Path]) -> list[Verdict]:
    contents = [file.read_bytes() for file in files]
    metas = [_meta(content) for content in contents]
    digests = {_position(meta): canonical.sha256(content) for meta, content in zip(metas, contents, strict=True)}
    return [
        Verdict(
            file=str(file),
            number=str(meta.get("number", "")),
            sha256=canonical.sha256(content),
            sm3=canonical.sm3(content),
            faults=tuple(_faults(file, content, digests)),
            foreign=_parsed(content) is None and not _DIGEST.fullmatch(file.stem),
        )
        for file, content, meta in zip(files, contents, metas, strict=True)
    ]


def _faults(file: Path, content: bytes, digests: Mapping[int | None, str]) -> Iterator[str]:
    package = _parsed(content)
    if package is None:
        yield f"found something else; allowed: a package of format {FORMAT}"
        return
    if canonical.dumps(package) != content:
        yield "the file was written anew: it is not in canonical form"
    if _DIGEST.fullmatch(file.stem) and file.stem != canonical.sha256(content):
        yield "its SHA-256 is not the one in its name"
    meta, text = package["meta"], package["text"]
    if text and hashlib.sha256(text.encode()).hexdigest() != meta.get("text_sha256"):
        yield "the text does not match the digest that was taken when it was captured"
    position = _position(meta)
    if position is None:
        yield f"found number {meta.get('number')!r}; allowed: EV-YYYYMMDD-NNNNNN"
    elif digests.get(position - 1, meta.get("previous_sha256")) != meta.get("previous_sha256"):
        yield "it does not follow the package before it"


def _parsed(content: bytes) -> dict[str, Any] | None:
    """Return the package, or None when the file is none."""
    try:
        package = json.loads(content)
    except (ValueError, RecursionError):
        return None
    right = isinstance(package, dict) and package.get("format") == FORMAT and isinstance(package.get("meta"), dict)
    return package if right and isinstance(package.get("text"), str | None) else None


def _meta(content: bytes) -> dict[str, Any]:
    package = _parsed(content)
    return dict(package["meta"]) if package else {}


def _position(meta: Mapping[str, Any]) -> int | None:
    """Return the package's place in the chain."""
    match = _NUMBER.fullmatch(str(meta.get("number", "")))
    return int(match[1]) if match else None
