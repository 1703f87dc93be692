"""`Assessment`: what the classifier says of a text. The contract between classifiers and casework."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from pydantic import BaseModel, ConfigDict, Field


class Span(BaseModel):
    """A stretch of the text as given that drove a category; offsets are code points, `end` exclusive."""

    model_config = ConfigDict(frozen=True)

    start: int = Field(ge=0)
    end: int = Field(gt=0)
    slug: str
    reason: str = Field(description="who spoke: `rule:<name>`, `linear`, or `encoder` where neither did")


class Undone(BaseModel):
    """An evasion that was read through: `seen` stands in the text as given, `read_as` is what it was taken for."""

    model_config = ConfigDict(frozen=True)

    start: int = Field(ge=0)
    end: int = Field(gt=0)
    seen: str
    read_as: str
    kind: str


class Assessment(BaseModel):
    """A calibrated probability per category, the spans that drove it, the evasions undone and the model's version.

    `scores` holds every slug of the taxonomy. A score never decides: it only says what a human should look at.
    """

    model_config = ConfigDict(frozen=True, protected_namespaces=())

    scores: Mapping[str, float]
    spans: tuple[Span, ...] = ()
    undone: tuple[Undone, ...] = ()
    model: str

    def flagged(self, thresholds: Mapping[str, float]) -> list[str]:
        """Return the slugs whose score reaches their threshold, highest score first.

        Raises:
            KeyError: a category has no threshold.
        """
        over = [slug for slug, score in self.scores.items() if score >= thresholds[slug]]
        return sorted(over, key=lambda slug: (-self.scores[slug], slug))


class Assessor(Protocol):
    """Anything that assesses texts. The same text gets the same assessment alone and in any batch."""

    @property
    def version(self) -> str:
        """Name of the model, as written into each assessment."""

    def assess(self, texts: Sequence[str]) -> list[Assessment]:
        """Assess a batch; the answer has one entry per text, in order."""

    def point(self, texts: Sequence[str], categories: Sequence[Collection[str]]) -> list[tuple[Span, ...]]:
        """Say of each text what speaks most for its categories, however low they score; one entry per text."""
