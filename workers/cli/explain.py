"""`woodpecker classify --explain TEXT`: what was undone, who spoke, each stage's score and the threshold."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from workers.cli.output import Exit, console, leave, summary

if TYPE_CHECKING:
    from classifiers.explanation import Explanation, Stage

LEAST_SHOWN = 0.05
WIDEST = 90  # columns of a terminal that the table takes where the longest category is in it
COLUMNS = ("category", "reading", "rules", "linear", "encoder", "blend", "context", "score", "threshold", "human")


def show(text: str, model: Path | None, thresholds: Mapping[str, float], *, as_json: bool) -> None:
    """Print how one text is assessed; with `as_json` the same as one JSON object."""
    from classifiers.cascade import load_cascade
    from classifiers.errors import ClassifierError
    from classifiers.lines import LONGEST_TEXT
    from config.settings import get_settings

    if len(text) > LONGEST_TEXT:
        leave(Exit.WRONG_INPUT, f"--explain: found {len(text)} characters; allowed: {LONGEST_TEXT}", as_json=as_json)
    try:
        explained: Explanation = load_cascade(model, get_settings().own_rules).explain(text)
    except ClassifierError as error:
        leave(Exit.WRONG_INPUT, str(error), as_json=as_json)
    assessment = explained.assessment
    flagged = assessment.flagged(thresholds)
    if as_json:
        stages = [dataclasses.asdict(stage) for stage in explained.stages]
        summary({**assessment.model_dump(mode="json"), "flagged": flagged, "stages": stages})
        return
    for entry in assessment.undone:
        console.print(f"undone   {entry.seen} → {entry.read_as}  ({entry.kind})", markup=False)
    for span in assessment.spans:
        marked = Text(f"{span.slug:<20} ").append(_marked(text, span.start, span.end)).append(f"  {span.reason}")
        console.print(marked, soft_wrap=True)
    if len(explained.stages) > 1:
        for number, stage in enumerate(explained.stages, 1):
            console.print(f"reading {number}  {stage.reading}", markup=False, soft_wrap=True)
    table = _table(explained.stages, assessment.scores, thresholds, flagged)
    if table.row_count:
        console.print(table, width=max(console.width, WIDEST), crop=False)
    else:
        console.print(f"nothing reaches {LEAST_SHOWN:.2f} in any of the {len(assessment.scores)} categories")
    console.print(f"model    {assessment.model}", markup=False)


def _table(
    stages: Sequence[Stage], scores: Mapping[str, float], thresholds: Mapping[str, float], flagged: Sequence[str]
) -> Table:
    """What each stage says of each category in the reading that gave its score."""
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    for heading in COLUMNS if len(stages) > 1 else [name for name in COLUMNS if name != "reading"]:
        table.add_column(heading, justify="left" if heading == "category" else "right", no_wrap=True)
    for slug, score in sorted(scores.items(), key=lambda item: -item[1]):
        if score < LEAST_SHOWN and slug not in flagged:
            continue
        number, stage = max(enumerate(stages, 1), key=lambda item: item[1].combined[slug])
        rules = [value for name, value in stage.rules.items() if _of(name, slug)]
        table.add_row(
            slug,
            *([str(number)] if len(stages) > 1 else []),
            _figure(max(rules, default=None)),
            *(_figure(said.get(slug)) for said in (stage.linear, stage.encoder, stage.blend, stage.context)),
            _figure(score),
            _figure(thresholds[slug]),
            "yes" if slug in flagged else "no",
        )
    return table


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _marked(text: str, start: int, end: int) -> Text:
    around = 12
    before, after = text[max(0, start - around) : start], text[end : end + around]
    if console.color_system is None or console.no_color:
        return Text(f"{before}【{text[start:end]}】{after}")
    return Text(before).append(text[start:end], style="bold reverse").append(after)


def _of(rule: str, slug: str) -> bool:
    return rule.split(".", 1)[0] == slug
