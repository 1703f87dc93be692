"""How the cascade came to what it says of a text, for whoever asks: `woodpecker classify --explain`."""

from __future__ import annotations

from dataclasses import dataclass

from classifiers.assessment import Assessment


@dataclass(frozen=True, slots=True)
class Stage:
    """What each stage says of one reading: rules by name, all else by category.

    `encoder` is empty where the encoder was not asked, `blend` is then what the linear model says; `context` has the
    factors that words of reporting or warning lower the blend by, for the categories that they lower.
    """

    reading: str
    rules: dict[str, float]
    linear: dict[str, float]
    encoder: dict[str, float]
    blend: dict[str, float]
    context: dict[str, float]
    combined: dict[str, float]


@dataclass(frozen=True, slots=True)
class Explanation:
    """An assessment and the stages it came from, one per reading."""

    assessment: Assessment
    stages: list[Stage]
