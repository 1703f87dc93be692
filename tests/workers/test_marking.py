"""What is put before people has marks of its categories, whatever its score."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from classifiers.assessment import Assessment, Span
from tests.casework.factories import make_assessment
from workers.marking import marked


class Notes:
    """An assessor that is only asked where; it notes what."""

    version = "stand-in-1"

    def __init__(self) -> None:
        self.asked: list[tuple[str, list[str]]] = []

    def assess(self, texts: Sequence[str]) -> list[Assessment]:
        raise AssertionError("assessed already")

    def point(self, texts: Sequence[str], categories: Sequence[Collection[str]]) -> list[tuple[Span, ...]]:
        self.asked += [(text, list(slugs)) for text, slugs in zip(texts, categories, strict=True)]
        return [tuple(Span(start=0, end=1, slug=one, reason="linear") for one in slugs) for slugs in categories]


def test_only_what_somebody_looks_at_and_nothing_marks_yet_is_asked_about() -> None:
    notes, there = Notes(), Span(start=2, end=3, slug="gambling", reason="rule:gambling.x")
    texts = ["没人看", "抽查的一句", "命中的一句", "两类", "", "不留文字"]
    assessments = [make_assessment(spans=[there] if text in ("命中的一句", "两类") else []) for text in texts]
    wanted = [[], ["bullying"], ["gambling"], ["gambling", "bullying"], ["bullying"], ["sexual_exploitation"]]
    found = marked(notes, texts, assessments, wanted)
    assert notes.asked == [("抽查的一句", ["bullying"]), ("两类", ["bullying"])]
    slugs = [[span.slug for span in one.spans] for one in found]
    assert slugs == [[], ["bullying"], ["gambling"], ["bullying", "gambling"], [], []]


def test_where_nothing_is_missing_nobody_is_asked() -> None:
    notes, assessment = Notes(), make_assessment()
    assert marked(notes, ["无"], [assessment], [[]]) == [assessment]
    assert notes.asked == []
