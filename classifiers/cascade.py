"""The cascade: undo evasion → word rules and the linear model on every reading → one probability per category.

Combination, per category and reading: p = 1 − (1 − r)(1 − c·m), where r is the strongest rule that speaks, m the
calibrated probability of the models (the linear one, or its blend with the encoder where that was asked) and c the
factor of a context that reports or warns (1 without one). This noisy-or says that rule and models are independent
reasons; either alone keeps its own probability. A text with several readings (as folded, with hidden words read, as it
is likeliest meant, and with swapped characters put back) gets the highest probability of them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from classifiers.assessment import Assessment, Assessor, Span, Undone
from classifiers.blend import Blend, Blended
from classifiers.calibration import sigmoid
from classifiers.encoder import GRAPH, load_encoder, newest_encoder, read_manifest
from classifiers.errors import ModelError
from classifiers.explanation import Explanation, Stage
from classifiers.linear import MODELS, WEIGHTS, LinearModel, load_model, newest
from classifiers.ngrams import Grams
from classifiers.normalise import Folded, Reading, fold, undone
from classifiers.normalise.guess import load_guesser
from classifiers.normalise.swapped import load_swaps
from classifiers.rules.engine import RuleEngine, RuleHit
from classifiers.rules.model import RULES_DIR, load_rules
from classifiers.rules.reading import build_reader
from classifiers.spans import occlusions, strongest
from classifiers.windows import alike
from config.taxonomy import SLUGS

BATCH, CHARACTERS = 512, 1 << 16
"""Texts folded and hashed together, and what they have together: keeps memory small whatever the caller passes."""
EXPLAIN_FROM = 0.2  # no shipped threshold lies lower: below, spans are found only where they are asked for (`point`)
MOST_SPANS = 24
DIGITS = 4
ROOM = 1 << 13  # characters of texts of like length whose spans are found together

_Place = tuple[int, int, str, str]
"""A span before it is one of many: begin, end, category and reason."""


@dataclass(frozen=True, slots=True)
class _Scored:
    """A batch of readings, scored."""

    folded: Folded
    grams: Grams
    hits: list[list[RuleHit]]
    linear: NDArray[np.float64]  # the linear model alone; columns as its slugs, here and in the next two
    blended: Blended | None  # None without an encoder
    factors: list[dict[str, float]]
    models: NDArray[np.float64]  # what the models say together, after context factors
    scores: NDArray[np.float64]  # columns as SLUGS


@dataclass(frozen=True, slots=True)
class _Read:
    """A batch as folded; its other readings with their texts' numbers, scored; and the best score of each text."""

    plain: _Scored
    readings: list[tuple[int, Reading]]
    other: _Scored | None
    best: NDArray[np.float64]


class FindsReadings(Protocol):
    """Anything that reads texts otherwise than they stand."""

    def read(self, folded: Folded) -> Mapping[int, Reading]:
        """Return another reading for each text number that has one; the same alone and in any batch."""


class Cascade:
    """The shipped assessor. Scores of a text do not depend on what else is in the batch."""

    def __init__(
        self,
        model: LinearModel,
        engine: RuleEngine,
        readers: Sequence[FindsReadings],
        blend: Blend | None = None,
        *,
        fold: Callable[[Sequence[str]], Folded] = fold,
        own: str = "",
    ) -> None:
        self._own = own
        self.blend, self.every, self._fold = blend, False, fold
        self._model, self.engine, self.readers = model, engine, tuple(readers)
        self._column = {slug: k for k, slug in enumerate(SLUGS)}
        self._trained = np.array([self._column[slug] for slug in model.slugs], dtype=np.int64)

    @property
    def version(self) -> str:
        """Name of the model: the linear one, and the encoder where there is one; and of rules that are not the shipped
        ones, so that what was assessed with others can be told and assessed again."""
        models = f"{self.blend.encoder.version}+{self._model.version}" if self.blend else self._model.version
        return f"{models}+rules-{self._own}" if self._own else models

    @property
    def model(self) -> LinearModel:
        """The linear model inside."""
        return self._model

    def assess(self, texts: Sequence[str]) -> list[Assessment]:
        """Assess texts; the answer has one entry per text, in order."""
        found: list[Assessment] = []
        for batch in batches(texts):
            found += self._assess(batch)
        return found

    def point(self, texts: Sequence[str], categories: Sequence[Collection[str]]) -> list[tuple[Span, ...]]:
        """Say of each text what speaks most for its categories, however little: found as for a high score."""
        found: list[tuple[Span, ...]] = []
        for batch in batches(texts):
            wanted = np.zeros((len(batch), len(SLUGS)), dtype=bool)
            for number, slugs in enumerate(categories[len(found) : len(found) + len(batch)]):
                wanted[number, [self._column[slug] for slug in slugs]] = True
            places, _ = self._explained(batch, self._read(batch), wanted, least=0.0)
            found += [_merged(one) for one in places]
        return found

    def scores(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Scores alone, one row per text, columns as `SLUGS`: for measuring, where spans are not wanted."""
        rows = [self._read(batch).best for batch in batches(texts)]
        return np.concatenate(rows) if rows else np.zeros((0, len(SLUGS)))

    def explain(self, text: str) -> Explanation:
        """Return one text's way through the stages."""
        read = self._read([text])
        return Explanation(
            assessment=self._assess([text])[0],
            stages=[
                self._stage(scored, k)
                for scored in (read.plain, read.other)
                if scored is not None
                for k in range(len(scored.folded))
            ],
        )

    def _stage(self, scored: _Scored, k: int) -> Stage:
        slugs, blended = self._model.slugs, scored.blended
        odds = np.full(len(slugs), np.nan) if blended is None else blended.encoder[k]
        blend = scored.linear if blended is None else blended.probabilities
        return Stage(
            reading=scored.folded.text(k),
            rules={hit.name: hit.probability for hit in scored.hits[k]},
            linear=dict(zip(slugs, scored.linear[k].tolist(), strict=True)),
            encoder={slug: float(sigmoid(odd)) for slug, odd in zip(slugs, odds, strict=True) if not np.isnan(odd)},
            blend=dict(zip(slugs, blend[k].tolist(), strict=True)),
            context={slug: factor for slug, factor in scored.factors[k].items() if slug in slugs},
            combined=dict(zip(SLUGS, scored.scores[k].tolist(), strict=True)),
        )

    def _read(self, texts: Sequence[str]) -> _Read:
        folded = self._fold(texts)
        plain = self._score(folded)
        readings = [found for reader in self.readers for found in reader.read(folded).items()]
        numbers = np.array([number for number, _ in readings], dtype=np.int64)
        best = plain.scores.copy()
        if not readings:
            return _Read(plain, readings, None, best)
        other = self._score(fold([reading.text for _, reading in readings]))
        np.maximum.at(best, numbers, other.scores)
        return _Read(plain, readings, other, best)

    def _score(self, folded: Folded) -> _Scored:
        hits, factors = self.engine.read(folded.texts())
        grams = self._model.grams(folded)
        margins = self._model.margins(grams)
        linear = self._model.probabilities(margins)
        blended = self.blend.read(folded, margins, linear, every=self.every) if self.blend else None
        models = (blended.probabilities if blended else linear).copy()
        models[np.diff(folded.bounds) == 0] = 0  # where nothing is to be read a model tells its own leaning alone
        for number, lowered in enumerate(factors):
            for slug, factor in lowered.items():
                if slug in self._model.slugs:
                    models[number, self._model.slugs.index(slug)] *= factor
        rules = np.zeros((len(folded), len(SLUGS)))
        for number, spoken in enumerate(hits):
            for hit in spoken:
                column = self._column[hit.slug]
                rules[number, column] = max(rules[number, column], hit.probability)
        scores = rules.copy()
        scores[:, self._trained] = 1 - (1 - rules[:, self._trained]) * (1 - models)
        return _Scored(folded, grams, hits, linear, blended, factors, models, scores)

    def _assess(self, texts: Sequence[str]) -> list[Assessment]:
        read = self._read(texts)
        rounded = np.round(read.best, DIGITS)
        found, evasions = self._explained(texts, read, read.best >= EXPLAIN_FROM, least=EXPLAIN_FROM / 2)
        for number, entries in undone(read.plain.folded).items():
            evasions[number] += entries
        return [
            Assessment(
                scores=dict(zip(SLUGS, scores, strict=True)),
                spans=_merged(found[number]) if found[number] else (),
                undone=_distinct(evasions[number]) if evasions[number] else (),
                model=self.version,
            )
            for number, scores in enumerate(rounded.tolist())
        ]

    def _explained(
        self, texts: Sequence[str], read: _Read, wanted: NDArray[np.bool_], *, least: float
    ) -> tuple[list[list[_Place]], list[list[Undone]]]:
        """Say of each text what drove the categories that are `wanted` of it, and what other readings that raised one
        of them undid; the linear model is asked where it gives a category `least` or more."""
        found: list[list[_Place]] = [[] for _ in texts]
        evasions: list[list[Undone]] = [[] for _ in texts]
        self._speak(read.plain, wanted, range(len(texts)), found, least)
        if read.other is not None:
            numbers = [number for number, _ in read.readings]
            raised = (read.other.scores > read.plain.scores[numbers] + 1e-9) & wanted[numbers]
            raising = {k: read.readings[k][1] for k in np.flatnonzero(raised.any(axis=1)).tolist()}
            for k, reading in raising.items():
                evasions[numbers[k]] += reading.undone
            other = replace(read.other, folded=_traced(read.other.folded, raising))
            self._speak(other, raised, numbers, found, least)
        for number, places in self._occluded(texts, wanted, found).items():
            found[number] += places
        return found, evasions

    def _speak(
        self,
        scored: _Scored,
        wanted: NDArray[np.bool_],
        numbers: Sequence[int],
        found: list[list[_Place]],
        least: float,
    ) -> None:
        """Add to each text, whose number `numbers` has for each reading, what drove the categories that are `wanted` of
        it: words of rules, and stretches of the linear model."""
        folded = scored.folded
        for k in np.flatnonzero(wanted.any(axis=1)).tolist():
            base = int(folded.bounds[k])
            for hit in scored.hits[k]:
                if wanted[k, self._column[hit.slug]]:
                    start, end = folded.source[base + hit.start], folded.ends[base + hit.end - 1]
                    found[numbers[k]].append((int(start), int(end), hit.slug, f"rule:{hit.name}"))
        for text, start, end, slug in self._leaning(scored, wanted, least):
            found[numbers[text]].append((start, end, slug, "linear"))

    def _leaning(self, scored: _Scored, wanted: NDArray[np.bool_], least: float) -> Iterator[tuple[int, int, int, str]]:
        """Reading, begin, end and category of the stretches that pushed the linear model up, in the texts as given."""
        folded = scored.folded
        lengths = np.diff(folded.bounds)
        lean = wanted[:, self._trained] & (scored.models >= least) & (lengths > 0)[:, None]
        texts, columns = np.nonzero(lean)
        for part in alike(lengths[texts], ROOM):
            some, column, length = texts[part], columns[part], lengths[texts[part]]
            row, starts, ends = strongest(self._model.contributions(scored.grams, some, length, column), length)
            # Characters read come from ever later ones of the text as given, so a stretch's edges bound it.
            begins = folded.bounds[some[row]]
            first, last = folded.source[begins + starts], folded.ends[begins + ends - 1]
            slugs = (self._model.slugs[k] for k in column[row])
            yield from zip(some[row].tolist(), first.tolist(), last.tolist(), slugs, strict=True)

    def _occluded(
        self, texts: Sequence[str], wanted: NDArray[np.bool_], places: Sequence[Sequence[_Place]]
    ) -> dict[int, list[_Place]]:
        """Where a category is wanted and nothing says why: the part without which its score falls most."""
        unexplained = {
            number: missing
            for number in np.flatnonzero(wanted.any(axis=1)).tolist()
            if texts[number]
            and (missing := {SLUGS[k] for k in np.flatnonzero(wanted[number])} - {place[2] for place in places[number]})
        }
        parts = [(number, *part) for number in unexplained for part in occlusions(len(texts[number]))]
        without = self.scores([texts[number][:start] + texts[number][end:] for number, start, end in parts])
        found: dict[int, list[_Place]] = {}
        for number, missing in unexplained.items():
            mine = [k for k, part in enumerate(parts) if part[0] == number]
            for slug in sorted(missing, key=SLUGS.index):
                _, start, end = parts[mine[int(without[mine, self._column[slug]].round(DIGITS).argmin())]]
                found.setdefault(number, []).append((start, end, slug, "encoder"))
        return found


def load(model_dir: Path | None = None, own_rules: Path | None = None) -> Assessor:
    """Load the shipped assessor, or the one of a folder that `woodpecker train` wrote; with rules of one's own added.

    Raises:
        ModelError: the folder is no model or does not match its manifest.
        RuleError: a word-rule file is wrong.
    """
    return load_cascade(model_dir, own_rules)


def load_cascade(model_dir: Path | None = None, own_rules: Path | None = None) -> Cascade:
    """As `load`, for callers inside this room that need more than the contract."""
    model, blend = _models(model_dir)
    book = load_rules((RULES_DIR, own_rules) if own_rules else (RULES_DIR,))
    own = book.digest if own_rules and book.digest != load_rules().digest else ""
    engine = RuleEngine(book)
    return Cascade(model, engine, (build_reader(engine), load_guesser(), load_swaps()), blend, own=own)


def load_linear(folder: Path | None = None) -> LinearModel:
    """Load the linear model that `load` of this folder serves, without the encoder: for a glance.

    Raises:
        ModelError: as `load`.
    """
    encoder_dir = _encoder_dir(folder)
    return load_model(_beside(encoder_dir, read_manifest(encoder_dir)) if encoder_dir else folder or newest())


def _models(folder: Path | None) -> tuple[LinearModel, Blend | None]:
    """A linear model's folder is served alone, an encoder's together with the linear model that its manifest names."""
    encoder_dir = _encoder_dir(folder)
    if encoder_dir is None:
        return load_model(folder or newest()), None
    encoder = load_encoder(encoder_dir)
    linear = load_model(_beside(encoder_dir, encoder.manifest))
    return linear, Blend(encoder, linear)


def _encoder_dir(folder: Path | None) -> Path | None:
    return newest_encoder(MODELS) if folder is None else folder if (folder / GRAPH).is_file() else None


def _beside(encoder_dir: Path, manifest: Mapping[str, Any]) -> Path:
    """The folder of the linear model that an encoder's manifest names."""
    name = str(manifest.get("linear", ""))
    beside = [place / name for place in (encoder_dir.parent, MODELS) if name and (place / name / WEIGHTS).is_file()]
    if not beside:
        raise ModelError(encoder_dir, f"linear model {name!r}, which is not there", f"{name}/ beside it, or shipped")
    return beside[0]


def batches(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    """Texts that are read together: a few, of not too many characters, or a single one."""
    begin = size = 0
    for number, text in enumerate(texts):
        if number > begin and (number - begin == BATCH or size + len(text) > CHARACTERS):
            yield texts[begin:number]
            begin, size = number, 0
        size += len(text)
    if begin < len(texts):
        yield texts[begin:]


def _traced(folded: Folded, readings: Mapping[int, Reading]) -> Folded:
    """Folded readings with where some of them were read from, in the texts as given."""
    source, ends = np.zeros_like(folded.source), np.zeros_like(folded.ends)
    for number, reading in readings.items():
        part = slice(int(folded.bounds[number]), int(folded.bounds[number + 1]))
        at = folded.source[part]
        source[part], ends[part] = reading.starts[at], reading.ends[at]
    return replace(folded, source=source, ends=ends)


def _merged(places: list[_Place]) -> tuple[Span, ...]:
    """Join spans of one category and reason that touch; in order of place, rules before the linear model."""
    merged: list[_Place] = []
    for start, end, slug, reason in sorted(places, key=lambda p: (p[2], p[3], p[0], p[1])):
        last = merged[-1] if merged else None
        if last and last[2:] == (slug, reason) and start <= last[1]:
            merged[-1] = (last[0], max(last[1], end), slug, reason)
        else:
            merged.append((start, end, slug, reason))
    ordered = sorted(merged, key=lambda p: (p[3] == "linear", *p[:3]))[:MOST_SPANS]
    return tuple(
        Span(start=start, end=end, slug=slug, reason=reason)
        for start, end, slug, reason in sorted(ordered, key=lambda p: p[:3])
    )


def _distinct(entries: list[Undone]) -> tuple[Undone, ...]:
    seen = {(entry.start, entry.end, entry.kind): entry for entry in entries}
    return tuple(sorted(seen.values(), key=lambda entry: (entry.start, entry.end)))
