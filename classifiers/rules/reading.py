"""Word rules alone, on a text as the cascade reads it: as folded, and with hidden words read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from classifiers.assessment import Undone
from classifiers.errors import RuleError
from classifiers.normalise import Reader, fold
from classifiers.normalise.readings import load_variants
from classifiers.rules.engine import RuleEngine, RuleHit, Silent
from classifiers.rules.model import RuleBook

BATCH = 2048


@dataclass(frozen=True, slots=True)
class Explained:
    """One reading of a text: what it was read as, what was undone for it, who spoke and who nearly did."""

    text: str
    undone: tuple[Undone, ...]
    spoken: tuple[RuleHit, ...]
    silent: tuple[Silent, ...]


class RuleReader:
    """Reads texts and asks the rules."""

    def __init__(self, engine: RuleEngine) -> None:
        self._engine, self._reader = engine, build_reader(engine)

    def hits(self, texts: Sequence[str]) -> list[list[RuleHit]]:
        """Return, per text, every rule that speaks in either reading; offsets are of that reading."""
        answers: list[list[RuleHit]] = []
        for begin in range(0, len(texts), BATCH):
            folded = fold(texts[begin : begin + BATCH])
            spoken = self._engine.match(folded.texts())
            second = self._reader.read(folded)
            for number, hits in zip(second, self._engine.match([r.text for r in second.values()]), strict=True):
                spoken[number] = spoken[number] + hits
            answers += spoken
        return answers

    def strongest(self, texts: Sequence[str]) -> list[dict[str, float]]:
        """Return, per text, the strongest rule's probability of each category a rule spoke for."""
        answers: list[dict[str, float]] = []
        for hits in self.hits(texts):
            best: dict[str, float] = {}
            for hit in hits:
                best[hit.slug] = max(best.get(hit.slug, 0.0), hit.probability)
            answers.append(best)
        return answers

    def explain(self, text: str) -> list[Explained]:
        """Return the readings of one text, with the rules that spoke and those whose conditions kept them silent."""
        folded = fold([text])
        readings: list[tuple[str, tuple[Undone, ...]]] = [(folded.text(0), ())]
        readings += [(reading.text, reading.undone) for reading in self._reader.read(folded).values()]
        return [
            Explained(read, undone, tuple(self._engine.match([read])[0]), tuple(self._engine.silent(read)))
            for read, undone in readings
        ]


def build_reader(engine: RuleEngine) -> Reader:
    """A reader that undoes evasion towards the words of the rules and of the listed spellings."""
    variants = load_variants()
    return Reader([*engine.trigger_words(), *(variant.word for variant in variants)], variants)


def failing_examples(book: RuleBook, engine: RuleEngine) -> list[RuleError]:
    """Return one error per example inside the files that a rule should have caught, or should have left alone."""
    reader = RuleReader(engine)
    wanted = [
        (f"{slug}.{rule.name}", path, text, wants)
        for slug, rule, path in book.rules
        for wants, texts in ((True, rule.examples.hit), (False, rule.examples.miss))
        for text in texts
    ]
    failing = []
    for (name, path, text, wants), hits in zip(wanted, reader.hits([text for _, _, text, _ in wanted]), strict=True):
        if any(hit.name == name for hit in hits) != wants:
            allowed = "an example that the rule catches" if wants else "an example that the rule leaves alone"
            failing.append(RuleError(path, name, "examples." + ("hit" if wants else "miss"), repr(text), allowed))
    return failing
