"""Anchors: how far the audit log and the evidence chain had come, written down outside the database.

Whoever can write the database can compute both chains anew. An anchor that lies where that person cannot change it
(another machine, a printout, a mail to the supervising office) shows that they did.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from django.utils import timezone
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from casework import audit, canonical, evidence
from casework.errors import InvalidInput
from casework.models import ChainHead
from config.settings import get_settings

FORMAT = "silver-woodpecker-anchor/1"
MAX_BYTES = 10_000


class Anchor(BaseModel):
    """One anchor file. `sm3` and `sha256` are over the canonical JSON of everything else."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: str = Field(FORMAT, pattern=f"^{FORMAT}$")
    made_at: str
    audit_sequence: int = Field(ge=1)
    audit_hash: str = Field(pattern=r"^[0-9a-f]{64}$")
    evidence_sequence: int = Field(ge=0)
    evidence_hash: str = Field(pattern=r"^(?:[0-9a-f]{64})?$")
    sha256: str = ""
    sm3: str = ""

    def sealed(self) -> Anchor:
        """Return it with its digests."""
        content = canonical.dumps(self.model_dump(exclude={"sha256", "sm3"}))
        return self.model_copy(update={"sha256": canonical.sha256(content), "sm3": canonical.sm3(content)})


@dataclass(frozen=True)
class Written:
    """Where an anchor stands, and whether it is new: what has not grown is not anchored twice."""

    path: Path
    anchor: Anchor
    new: bool


def folder() -> Path:
    """Return where this installation keeps its anchors."""
    return get_settings().anchor_dir or get_settings().path("anchors")


def write(into: Path | None = None) -> Written | None:
    """Write an anchor of the chains as they stand; None where nothing was recorded yet.

    Args:
        into: the folder; default: the installation's.

    Raises:
        OSError: the folder cannot be written.
    """
    last = audit.head()
    if last is None:
        return None
    sealed = ChainHead.objects.filter(name=evidence.CHAIN).first()
    now = timezone.localtime()
    anchor = Anchor(
        made_at=now.isoformat(timespec="seconds"),
        audit_sequence=last.sequence,
        audit_hash=last.hash,
        evidence_sequence=sealed.sequence if sealed else 0,
        evidence_hash=sealed.hash if sealed else "",
    ).sealed()
    place = into or folder()
    place.mkdir(parents=True, exist_ok=True)
    for present in sorted(place.glob(f"audit-*-{last.sequence:010d}.json")):
        return Written(present, read(present), new=False)
    path = place / f"audit-{now:%Y%m%d}-{last.sequence:010d}.json"
    fresh = path.with_suffix(f".{os.getpid()}.part")
    fresh.write_bytes(canonical.dumps(anchor.model_dump()) + b"\n")
    fresh.chmod(0o444)
    fresh.rename(path)
    return Written(path, anchor, new=True)


def read(path: Path) -> Anchor:
    """Read one anchor and check its own digests.

    Raises:
        OSError: it cannot be read.
        InvalidInput: it is no anchor, or was changed.
    """
    with path.open("rb") as file:
        content = file.read(MAX_BYTES + 1)
    try:
        anchor = Anchor.model_validate(json.loads(content))
    except (ValueError, ValidationError) as error:
        kind = "not JSON" if isinstance(error, json.JSONDecodeError) else "not an anchor"
        raise InvalidInput(str(path), kind, f"a file of `woodpecker audit anchor`, {FORMAT}") from error
    if anchor != anchor.sealed():
        raise InvalidInput(str(path), anchor.sha256, f"its own SHA-256 {anchor.sealed().sha256}")
    return anchor


def set_aside(after: int) -> list[Path]:
    """Move anchors of entries after this one into `superseded/`: a backup that is put back knows nothing of them.

    Raises:
        OSError: the folder cannot be written.
    """
    later = [path for path in sorted(folder().glob("audit-*.json")) if read(path).audit_sequence > after]
    for path in later:
        aside = path.parent / "superseded" / path.name
        aside.parent.mkdir(exist_ok=True)
        path.rename(aside)
    return later


def kept(further: Sequence[Path] = ()) -> Iterator[audit.Anchored]:
    """Yield what the installation's anchors say, and those in further files and folders.

    Raises:
        OSError, InvalidInput: as `read`.
    """
    for place in (folder(), *further):
        for path in sorted(place.glob("audit-*.json")) if place.is_dir() or place == folder() else [place]:
            anchor = read(path)
            yield audit.Anchored(anchor.audit_sequence, anchor.audit_hash)
