"""`woodpecker train`, `distil`: how a model that is served comes to be, each from one recipe file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workers.cli.output import Exit, Json, console, errors, leave, summary

if TYPE_CHECKING:
    from classifiers.training.sets import Tier

RecipeName = Annotated[str, typer.Argument(metavar="RECIPE", help="Name of a shipped recipe, or a recipe file.")]
Data = Annotated[Path, typer.Option(help="Folder with the labelled sets that docs/detection.md names.")]
AllData = Annotated[Path, typer.Option("--data", help="Folder with corpus/ and labelled/, as docs/encoder.md says.")]
Permitted = Annotated[str, typer.Option("--tier", help="Which licences may be used: open, or limited (the default).")]
Models = Annotated[Path | None, typer.Option(help="Where the model's folder is made; default: the shipped.")]
Work = Annotated[Path, typer.Option(help="Where a run keeps what it has until it ends, and float models.")]
Linear = Annotated[Path | None, typer.Option(help="The linear model to blend with; default: the shipped one.")]
WORK = Path("var/encoder")


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(train)
    app.command()(distil)


def train(
    data: Data,
    recipe: Annotated[
        str | None,
        typer.Argument(
            metavar="RECIPE",
            help="Name of a shipped recipe, or a recipe file; default: linear, or with --encoder other.",
            show_default=False,
        ),
    ] = None,
    encoder: Annotated[
        str | None,
        typer.Option(
            metavar="DIR_OR_NAME",
            help="Fine-tune this encoder instead of the linear model: a folder that `woodpecker pretrain` made, a "
            "folder in the Hugging Face format, or a name on a hub.",
        ),
    ] = None,
    models: Models = None,
    linear: Linear = None,
    work: Work = WORK,
    tier: Permitted = "limited",
    json: Json = False,
) -> None:
    """Train a model by a recipe, measure it on rows it never saw, write it with its card. Needs the `train` extra.

    With --encoder an encoder is fine-tuned, exported to one int8 file, and blended with the linear model. A run that
    was ended goes on from what it kept in --work, when it is called again. `woodpecker classify --model DIR` serves
    what was made. The recipe `other` is for encoders of other makers, `labels` for one that `woodpecker pretrain` made.

    Example: woodpecker train linear --data DATA/labelled
    Example: woodpecker train labels --encoder classifiers/training/pretrained --data DATA/labelled
    Example: woodpecker train --encoder hfl/chinese-roberta-wwm-ext --data DATA/labelled --models my-models
    """
    from classifiers.linear import MODELS
    from classifiers.training.recipe import find_recipe

    if encoder is not None:
        _fine_tune(recipe or "other", data, encoder, (), work, models, linear, tier, json)
        return
    if linear is not None:
        leave(Exit.WRONG_INPUT, "--linear: found without --encoder; allowed: with it", as_json=json)
    with understood(json) as training:
        made = training.train(
            find_recipe(recipe or "linear"),
            data,
            work,
            models=models or MODELS,
            tier=chosen_tier(tier, json),
            console=errors,
        )
    if json:
        summary({"folder": str(made.folder), **made.card})
    else:
        console.print(f"model {made.card['version']} in {made.folder}", markup=False)
        card_table(made.card)


def distil(
    data: AllData,
    encoder: Annotated[
        str, typer.Option(metavar="DIR_OR_NAME", help="The pretrained encoder the student begins from.")
    ],
    teacher: Annotated[
        list[Path], typer.Option(metavar="DIR", help="Folder of a served encoder to learn from; may be given again.")
    ],
    recipe: RecipeName = "distil",
    models: Models = None,
    linear: Linear = None,
    work: Work = WORK,
    tier: Permitted = "limited",
    json: Json = False,
) -> None:
    """Train a small encoder to say what larger ones say, of labelled, evaded and unlabelled texts.

    Several teachers are averaged. A run that was ended goes on from its last checkpoint. Needs the `train` extra.

    Example: woodpecker distil distil --data DATA --encoder classifiers/training/pretrained --teacher DIR
    """
    _fine_tune(recipe, data, encoder, teacher, work, models, linear, tier, json)


def _fine_tune(
    recipe: str,
    data: Path,
    encoder: str,
    teachers: list[Path] | tuple[()],
    work: Path,
    models: Path | None,
    linear: Path | None,
    tier: str,
    json: bool,
) -> None:
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
            encoder,
            work,
            teachers=teachers,
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


@contextmanager
def understood(as_json: bool) -> Iterator[Any]:
    """Give the training code; turn what it cannot do into a message and an exit code."""
    from classifiers.errors import ClassifierError

    try:
        from classifiers.training import train as training
    except ImportError as error:
        leave(Exit.WRONG_INPUT, f"training needs {error.name}; install with `uv sync --extra train`", as_json=as_json)
    try:
        yield training
    except ClassifierError as error:
        leave(Exit.WRONG_INPUT, str(error), as_json=as_json)


def chosen_tier(value: str, as_json: bool) -> Tier:
    """The tier named; leave with a clear error when there is none of this name."""
    from typing import cast, get_args

    from classifiers.training.sets import Tier

    if value not in get_args(Tier):
        leave(Exit.WRONG_INPUT, f"--tier: found {value!r}; allowed: {', '.join(get_args(Tier))}", as_json=as_json)
    return cast(Tier, value)


def card_table(card: dict[str, Any]) -> None:
    """Print a card's figures by category."""
    from rich.table import Table

    table = Table("category", "rows", "positive", "precision", "recall", "F1", "average precision", "ECE")
    for slug, figures in card["categories"].items():
        one = figures["at_half"]
        shown = (one[name] for name in ("precision", "recall", "f1", "average_precision", "ece"))
        table.add_row(slug, str(one["rows"]), str(one["positives"]), *(f"{value:.3f}" for value in shown))
    console.print(table)
    console.print(f"word rules alone: {', '.join(card['rules_only'])}", markup=False)
