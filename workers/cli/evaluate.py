"""`woodpecker evaluate`: how good is a model, on the rows its recipe holds back, or on an operator's own labels."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from workers.cli.classify import thresholds_of
from workers.cli.output import Exit, Json, complain, console, errors, leave, summary
from workers.cli.train import Permitted, card_table, chosen_tier, understood


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command()(evaluate)


def evaluate(
    source: Annotated[
        Path | None, typer.Option("--input", "-i", help='Your own labelled texts: lines {"text": …, "labels": […]}.')
    ] = None,
    data: Annotated[Path | None, typer.Option(help="Or: the folder of labelled sets that a recipe trains on.")] = None,
    recipe: Annotated[str, typer.Option(help="With --data: whose held-back rows are measured.")] = "linear",
    model: Annotated[Path | None, typer.Option(help="Folder of a model; default: the shipped one.")] = None,
    against: Annotated[Path | None, typer.Option(help="With --input: another model's folder, to compare.")] = None,
    html: Annotated[Path | None, typer.Option(help="With --input: write a page to read here.")] = None,
    site: Annotated[str | None, typer.Option(help="With --input: judge by this site's thresholds.")] = None,
    tier: Permitted = "limited",
    card: Annotated[
        bool, typer.Option("--card", help="With --data and --model: keep the figures as the model's card.")
    ] = False,
    json: Json = False,
) -> None:
    """Measure a model: precision, recall, F1 with intervals, calibration, slices, confusions and worst errors.

    Example: woodpecker evaluate --input ours.jsonl --html report.html
    """
    if (source is None) == (data is None):
        leave(Exit.WRONG_INPUT, "found both or none of --input and --data; allowed: one of them", as_json=json)
    if source is not None:
        _own(source, model, against, html, thresholds_of(site, as_json=json), as_json=json)
        return
    assert data is not None
    from classifiers.training.recipe import find_recipe

    with understood(json) as training:
        found = training.evaluate(
            find_recipe(recipe), data, model_dir=model, tier=chosen_tier(tier, json), console=errors
        )
        if card:
            if model is None:
                leave(
                    Exit.WRONG_INPUT, "--card: found no --model; allowed: the folder that the card is of", as_json=json
                )
            training.keep_card(model, found)
    if json:
        summary(found)
    else:
        card_table(found)


def _own(
    source: Path,
    model: Path | None,
    against: Path | None,
    html: Path | None,
    thresholds: dict[str, float],
    *,
    as_json: bool,
) -> None:
    from classifiers.cascade import load_cascade
    from classifiers.errors import ClassifierError
    from classifiers.evaluation.labelled import judge, read_labelled, report
    from classifiers.evaluation.page import as_html
    from config.settings import get_settings

    own_rules = get_settings().own_rules
    try:
        rows = read_labelled(source)
        judged = judge(load_cascade(model, own_rules), rows)
        other = judge(load_cascade(against, own_rules), rows) if against else None
    except ClassifierError as error:
        leave(Exit.WRONG_INPUT, str(error), as_json=as_json)
    found = report(rows, judged, thresholds, other)
    if html is not None:
        try:
            html.write_text(as_html(found), "utf-8")
        except OSError as error:
            leave(Exit.FAILED, f"--html {html}: {error.strerror}", as_json=as_json)
        complain(f"written: {html}")
    if as_json:
        summary(found)
    else:
        _print(found)


def _print(found: dict[str, Any]) -> None:
    from rich.table import Table

    table = Table("category", "texts", "precision", "recall", "F1", "95 %", "ECE", title=found["model"])
    for slug, one in found["categories"].items():
        low, high = one["f1_interval"]
        figures = (f"{one[name]:.3f}" for name in ("precision", "recall", "f1"))
        table.add_row(slug, str(one["positives"]), *figures, f"{low:.3f}–{high:.3f}", f"{one['ece']:.3f}")
    console.print(table)
    for one in found["confusions"][:8]:
        console.print(f"meant {one['meant']}, said {one['said']}: {one['rows']}", markup=False)
    if found["against"] is not None:
        differing = found["against"]["differing"]
        console.print(
            f"only {found['model']} right: {differing['only_this_right']}; "
            f"only {found['against']['model']} right: {differing['only_other_right']}",
            markup=False,
        )
