"""`woodpecker classify --explain TEXT`: what was undone, who spoke, each stage's score and the threshold."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

from rich.table import Table
from rich.text import Text

from workers.cli.output import Exit, console, leave, summary

LEAST_SHOWN = 0.05


def show(text: str, model: Path | None, thresholds: Mapping[str, float], *, as_json: bool) -> None:
    """Print how one text is assessed; with `as_json` the same as one JSON object."""
    from classifiers.cascade import Explanation, load_cascade
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
        console.print(Text(f"{span.slug:<20} ").append(_marked(text, span.start, span.end)).append(f"  {span.reason}"))
    table = Table("category", "rules", "linear", "score", "threshold", "goes to a human")
    for slug, score in sorted(assessment.scores.items(), key=lambda item: -item[1]):
        if score < LEAST_SHOWN and slug not in flagged:
            continue
        rules = [value for stage in explained.stages for name, value in stage.rules.items() if _of(name, slug)]
        linear = [stage.linear[slug] for stage in explained.stages if slug in stage.linear]
        table.add_row(
            slug,
            f"{max(rules):.2f}" if rules else "–",
            f"{max(linear):.2f}" if linear else "–",
            f"{score:.2f}",
            f"{thresholds[slug]:.2f}",
            "yes" if slug in flagged else "no",
        )
    if table.row_count:
        console.print(table)
    else:
        console.print(f"nothing reaches {LEAST_SHOWN:.2f} in any of the {len(assessment.scores)} categories")
    console.print(f"model    {assessment.model}", markup=False)


def _marked(text: str, start: int, end: int) -> Text:
    around = 12
    before, after = text[max(0, start - around) : start], text[end : end + around]
    return Text(before).append(text[start:end], style="bold reverse").append(after)


def _of(rule: str, slug: str) -> bool:
    return rule.split(".", 1)[0] == slug
