"""`Capture`: one public text with where, when and how it was obtained. The contract between crawlers and casework."""

from __future__ import annotations

import hashlib
import unicodedata
from functools import lru_cache
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, HttpUrl, TypeAdapter, field_validator, model_validator

MAX_TEXT_CHARS = 20_000
"""Longest text of a capture, in code points."""

Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
Line = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]*$", max_length=300)]
"""A short string without control characters."""
Kind = Literal["title", "post", "comment", "danmaku", "description", "other"]
Basis = Literal["robots", "owner", "authority", "import"]

_URL = TypeAdapter(HttpUrl)


class Redaction(BaseModel):
    """A span of personal data that was replaced in `Capture.text`; offsets are code points, the value is not kept."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Slug
    start: int = Field(ge=0)
    end: int = Field(gt=0)
    key: str | None = Field(
        default=None, max_length=64, description="keyed hash of a contact code that is itself the harm"
    )


class Capture(BaseModel):
    """One public text as it was captured, already redacted. See `docs/formats.md` for each field's meaning."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern=r"^[0-9a-f]{32,128}$", description="hex digest; `capture_id` makes ours")
    site: Slug
    platform_class: Slug
    section: Slug
    url: str = Field(max_length=2000, pattern=r"^[^\x00-\x20\x7f]+$")
    canonical_url: str = Field(max_length=2000, pattern=r"^[^\x00-\x20\x7f]+$")
    sealed_url: str | None = Field(
        default=None, max_length=4000, pattern=r"^[A-Za-z0-9_=-]+$", description="`url` as it is, where it was masked"
    )
    unit: Line = Field(min_length=1)
    kind: Kind
    text: str = Field(min_length=1, max_length=MAX_TEXT_CHARS)
    redactions: tuple[Redaction, ...] = ()
    published_at: AwareDatetime | None = None
    captured_at: AwareDatetime
    thread: Line | None = None
    position: int | None = Field(default=None, ge=0, le=2**31 - 1)
    flags: tuple[Slug, ...] = Field(default=(), max_length=20)
    method: Slug
    inclusion_probability: float | None = Field(default=None, gt=0, le=1)
    stratum: Slug | None = Field(default=None, description="part of the section that it was drawn from")
    frame: int | None = Field(
        default=None, ge=1, le=2**31 - 1, description="threads in the section or stratum that it was drawn from"
    )
    replaces: str | None = Field(
        default=None, pattern=r"^[0-9a-f]{32,128}$", description="id of the capture whose text this one replaces"
    )
    basis: Basis
    evidence: Line | None = None
    crawler: Line = Field(min_length=1, max_length=100)

    @field_validator("url", "canonical_url")
    @classmethod
    def _absolute(cls, value: str) -> str:
        _check_url(value)
        return value

    @field_validator("text")
    @classmethod
    def _clean(cls, value: str) -> str:
        if "\x00" in value:
            raise ValueError("text holds a NUL character; allowed: any other character")
        if not value.strip():
            raise ValueError("text is blank; allowed: at least one visible character")
        return unicodedata.normalize("NFC", value)

    @model_validator(mode="after")
    def _consistent(self) -> Capture:
        for redaction in self.redactions:
            if not redaction.start < redaction.end <= len(self.text):
                raise ValueError(
                    f"redaction {redaction.start}..{redaction.end} lies outside the text of {len(self.text)}"
                )
        return self


@lru_cache(maxsize=1024)
def _check_url(value: str) -> None:
    """Raise unless a URL is one; the captures of a page share theirs."""
    _URL.validate_python(value)


def capture_id(site: str, canonical_url: str, unit: str, text: str) -> str:
    """Return the SHA-256 hex digest that makes the same thing seen twice the same capture.

    The text is normalised (NFC, white space runs folded to one space, ends trimmed) before it is hashed, so that
    a re-rendered page does not make a new capture.
    """
    normal = " ".join(unicodedata.normalize("NFC", text).split())
    joined = "\x1f".join((site, canonical_url, unit, normal))
    return hashlib.sha256(joined.encode("utf-8")).hexdigest()
