"""`woodpecker pretrain`, `train-encoder`: from plain text to an encoder, and from that to one that is served."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workers.cli.classify import chosen_tier
from workers.cli.output import Exit, Json, console, errors, leave, summary

RecipeName = Annotated[str, typer.Argument(metavar="RECIPE", help="Name of a shipped recipe, or a recipe file.")]
Folder = Annotated[Path, typer.Option("--data", help="Folder with corpus/ and labelled/, as docs/encoder.md says.")]
Work = Annotated[Path, typer.Option(help="Where packed ids, checkpoints and the pretrained encoder are kept.")]
LabelledData = Annotated[Path, typer.Option("--data", help="Folder with the labelled sets that docs/encoder.md names.")]
Pretrained = Annotated[Path, typer.Option(help="The model folder that `woodpecker pretrain` made.")]
Models = Annotated[Path | None, typer.Option(help="Where the model's folder is made; default: the shipped.")]
Linear = Annotated[Path | None, typer.Option(help="The linear model to blend with; default: the shipped one.")]
Permitted = Annotated[str, typer.Option("--tier", help="Which licences may be used: open, or limited (the default).")]


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(pretrain)
    app.command()(train_encoder)


def pretrain(
    data: Folder,
    recipe: RecipeName = "pretrain",
    work: Work = Path("var/encoder"),
    tier: Permitted = "limited",
    json: Json = False,
) -> None:
    """Pretrain the encoder by a recipe; a run that was ended goes on from its last checkpoint. Needs the `train` extra.

    Example: woodpecker pretrain pretrain --data DATA --work var/encoder
    """
    from classifiers.errors import ClassifierError
    from classifiers.training.recipe import find_recipe

    try:
        from classifiers.training.pretrain import pretrain as run
    except ImportError as error:
        leave(Exit.WRONG_INPUT, f"pretraining needs {error.name}; install with `uv sync --extra train`", as_json=json)
    try:
        made = run(find_recipe(recipe), data, work, tier=chosen_tier(tier, json), console=errors)
    except ClassifierError as error:
        leave(Exit.WRONG_INPUT, str(error), as_json=json)
    if made is None:
        return
    if json:
        summary({"folder": str(made.folder), **made.manifest})
    else:
        console.print(f"pretrained encoder in {made.folder}", markup=False)


def train_encoder(
    data: LabelledData,
    pretrained: Pretrained,
    recipe: RecipeName = "encoder",
    work: Work = Path("var/encoder"),
    models: Models = None,
    linear: Linear = None,
    tier: Permitted = "limited",
    json: Json = False,
) -> None:
    """Fine-tune a pretrained encoder for the categories, export it to one int8 file, calibrate and measure it.

    A run that was ended goes on from its last checkpoint. Needs the `train` extra.

    Example: woodpecker train-encoder encoder --data DATA/labelled --pretrained var/encoder/pretrained-2026.11.1/model
    """
    from classifiers.errors import ClassifierError
    from classifiers.linear import MODELS
    from classifiers.training.recipe import find_recipe

    try:
        from classifiers.training.encoder_run import train_encoder as run
    except ImportError as error:
        leave(Exit.WRONG_INPUT, f"training needs {error.name}; install with `uv sync --extra train`", as_json=json)
    try:
        made = run(
            find_recipe(recipe),
            data,
            pretrained,
            work,
            models=models or MODELS,
            linear=linear,
            tier=chosen_tier(tier, json),
            console=errors,
        )
    except ClassifierError as error:
        leave(Exit.WRONG_INPUT, str(error), as_json=json)
    if json:
        summary({"folder": str(made.folder), **made.card})
        return
    console.print(f"encoder in {made.folder}", markup=False)
    for scorer in ("linear", "encoder", "average"):
        for texts, found in made.card[scorer].items():
            means = ", ".join(f"{figure} {value:.3f}" for figure, value in found["mean"].items())
            console.print(f"{scorer}, {texts}: {means}", markup=False)
