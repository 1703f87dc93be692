"""`woodpecker ablate`: what did each part of the cascade, and each kind of label, bring?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from workers.cli.output import Exit, Json, console, errors, leave, summary
from workers.cli.train import Data, Permitted, RecipeName, chosen_tier, understood


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command()(ablate)


def ablate(
    data: Data,
    recipe: RecipeName = "ablation",
    model: Annotated[Path | None, typer.Option(help="Folder of a model; default: the shipped one.")] = None,
    work: Annotated[Path, typer.Option(help="Where the models trained without some labels are kept.")] = Path(
        "var/ablation"
    ),
    tier: Permitted = "limited",
    card: Annotated[bool, typer.Option("--card", help="With --model: keep the figures in the model's card.")] = False,
    json: Json = False,
) -> None:
    """Measure a model without word rules, undoing, linear model, encoder; and a small one without kinds of labels.

    The labels are left out of a small linear model that the recipe tells, which trains in minutes; one that was trained
    before is taken from the work folder. Needs the `train` extra.

    Example: woodpecker ablate --data DATA/labelled --model classifiers/models/encoder-2026.11.6 --card
    """
    if card and model is None:
        leave(Exit.WRONG_INPUT, "--card: found no --model; allowed: the folder that the card is of", as_json=json)
    with understood(json) as training:
        from classifiers.training.ablation import ablate as run
        from classifiers.training.recipe import find_recipe

        found = run(find_recipe(recipe), data, work, model_dir=model, tier=chosen_tier(tier, json), console=errors)
        if card:
            training.keep_ablation(model, found)
    if json:
        summary(found)
    else:
        for title, part in (("parts of the cascade", "parts"), ("labels of a small linear model", "labels")):
            _print(title, found[part])


def _print(title: str, found: dict[str, Any]) -> None:
    from rich.table import Table

    kinds = ("untouched", "evaded")
    table = Table(title, *(f"{kind}: {what}" for kind in kinds for what in ("average precision", "brought", "95 %")))
    for name, by_kind in found.items():
        cells = []
        for one in (by_kind[kind] for kind in kinds):
            low, high = one["interval"]
            cells += [f"{one['average_precision']:.3f}", f"{one['brought']:+.3f}", f"{low:+.3f} to {high:+.3f}"]
        table.add_row(name if name == "everything" else f"without {name}", *cells)
    console.print(table)
