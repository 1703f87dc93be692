"""Makers of the nouns of casework; every value may be given, what is not given is ordinary."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from itertools import count
from typing import Any

from casework import accounts
from casework.folding import fold
from casework.models import Case, Role, User
from classifiers.assessment import Assessment, Span, Undone
from config.taxonomy import SLUGS
from crawlers.capture import Capture, capture_id

SITE, PLATFORM_CLASS, SECTION = "nowhere", "forum_qa", "talk"
"""A site that no installation configures: the general thresholds hold."""
MODEL = "stand-in-1"
_numbers = count(1)


def make_user(role: Role | str = Role.REVIEWER) -> User:
    return accounts.create(f"{role}-{next(_numbers)}", role)


def make_capture(text: str = "下雨天记得带伞", **values: Any) -> Capture:
    number = next(_numbers)
    fields: dict[str, Any] = {
        "site": SITE,
        "platform_class": PLATFORM_CLASS,
        "section": SECTION,
        "url": f"https://forum.example/thread/{number}",
        "unit": f"post-{number}",
        "kind": "comment",
        "text": text,
        "captured_at": datetime(2026, 11, 20, 8, 30, tzinfo=UTC),
        "method": "latest",
        "basis": "owner",
        "crawler": "silver-woodpecker/0.1",
    } | values
    fields.setdefault("canonical_url", fields["url"])
    fields.setdefault("id", capture_id(fields["site"], fields["canonical_url"], fields["unit"], fields["text"]))
    return Capture.model_validate(fields)


def make_assessment(
    scores: Mapping[str, float] | None = None, spans: Sequence[Span] = (), undone: Sequence[Undone] = ()
) -> Assessment:
    return Assessment(
        scores=dict.fromkeys(SLUGS, 0.01) | dict(scores or {}),
        spans=tuple(spans),
        undone=tuple(undone),
        model=MODEL,
    )


def make_case(text: str = "他说你真笨，大家都别理他", **values: Any) -> Case:
    number = next(_numbers)
    fields: dict[str, Any] = {
        "capture_id": hashlib.sha256(str(number).encode()).hexdigest(),
        "site": SITE,
        "platform_class": PLATFORM_CLASS,
        "section": SECTION,
        "url": f"https://forum.example/thread/{number}",
        "canonical_url": f"https://forum.example/thread/{number}",
        "unit": f"post-{number}",
        "kind": "comment",
        "method": "latest",
        "basis": "owner",
        "crawler": "silver-woodpecker/0.1",
        "captured_at": datetime(2026, 11, 20, 8, 30, tzinfo=UTC),
        "text": text,
        "folded": fold(text),
        "text_sha256": hashlib.sha256(text.encode()).hexdigest(),
        "category": "bullying",
        "severity": "S1",
        "grade": "illegal",
        "score": 0.8,
        "scores": {"bullying": 0.8},
        "model_version": MODEL,
        "policy_digest": "general",
    } | values
    fields.setdefault("categories", [fields["category"]])
    return Case.objects.create(**fields)


def make_restricted_case(**values: Any) -> Case:
    return make_case(
        text="",
        category="sexual_exploitation",
        severity="S0",
        scores={"sexual_exploitation": 0.9},
        score=0.9,
        restricted=True,
        **values,
    )


class Points:
    """The part of an assessor that says where; for stand-ins whose tests do not ask: the first character."""

    def point(self, texts: Sequence[str], categories: Sequence[Collection[str]]) -> list[tuple[Span, ...]]:
        return [tuple(Span(start=0, end=1, slug=one, reason="linear") for one in slugs) for slugs in categories]
