"""`woodpecker pretrain`: the encoder that fine-tuning begins from, read from plain text, here or on another machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from workers.cli.output import Exit, Json, console, errors, leave, summary
from workers.cli.train import WORK, Permitted, RecipeName, Work, chosen_tier

PART_MIB = 16


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command()(pretrain)


def pretrain(
    recipe: RecipeName = "pretrain",
    data: Annotated[
        Path | None, typer.Option(help="Folder with corpus/ and labelled/, as docs/encoder.md says.")
    ] = None,
    packed: Annotated[
        Path | None, typer.Option(metavar="DIR", help="In place of --data: a folder that --pack-only made of it.")
    ] = None,
    work: Work = WORK,
    tier: Permitted = "limited",
    stop_after: Annotated[
        int | None,
        typer.Option(min=1, metavar="STEPS", help="Leave a checkpoint after this step; call again to go on."),
    ] = None,
    rehearsal: Annotated[
        bool, typer.Option("--rehearse", help="Only try two small steps of the recipe's shape, and keep nothing.")
    ] = False,
    pack_only: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Only pack what the recipe reads into this folder, for --packed elsewhere."),
    ] = None,
    part_mib: Annotated[
        int | None,
        typer.Option(
            min=1, max=1024, metavar="MIB", help=f"With --pack-only: no file is larger than this; default: {PART_MIB}."
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Pretrain the encoder by a recipe; a run that was ended goes on from its last checkpoint. Needs the `train` extra.

    Where there is a GPU it runs there. --rehearse tells in a minute whether a recipe reads, packs and runs at all.
    For a machine that has no corpora, pack here with --pack-only, carry the folder there, and train with --packed.
    The texts can be read back from it, so it is as confidential as they are.

    Example: woodpecker pretrain pretrain --data DATA --work var/encoder
    Example: woodpecker pretrain pretrain-teacher --data DATA --rehearse
    Example: woodpecker pretrain pretrain-student --data DATA --pack-only packed --part-mib 16
    Example: woodpecker pretrain pretrain-student --packed packed
    """
    from classifiers.errors import ClassifierError
    from classifiers.training.recipe import find_recipe

    folder = _source(data, packed, json)
    _check(packed, pack_only, part_mib, rehearsal or stop_after is not None, json)
    try:
        from classifiers.training import pretrain as training
    except ImportError as error:
        leave(Exit.WRONG_INPUT, f"pretraining needs {error.name}; install with `uv sync --extra train`", as_json=json)
    source = training.Source(folder, packed=packed is not None)
    try:
        path, allowed = find_recipe(recipe), chosen_tier(tier, json)
        if pack_only:
            size = part_mib or PART_MIB
            note = training.pack_only(path, source, work, pack_only, part_mib=size, tier=allowed, console=errors)
            _packed(pack_only, [part.name for file in note.files for part in file.parts], json)
        elif rehearsal:
            _rehearsed(training.rehearse(path, source, work, tier=allowed, console=errors), json)
        else:
            made = training.pretrain(path, source, work, tier=allowed, console=errors, stop_after=stop_after)
            _trained(made, stop_after, json)
    except ClassifierError as error:
        leave(Exit.WRONG_INPUT, str(error), as_json=json)


def _source(data: Path | None, packed: Path | None, as_json: bool) -> Path:
    """The one folder that is read; leave with a clear error where there is none, or more."""
    if data and packed:
        leave(Exit.WRONG_INPUT, "--data, --packed: found both; allowed: one of them", as_json=as_json)
    folder = data or packed
    if folder is None:
        leave(Exit.WRONG_INPUT, "--data, --packed: found neither; allowed: one of them", as_json=as_json)
    return folder


def _check(packed: Path | None, pack_only: Path | None, part_mib: int | None, steps: bool, as_json: bool) -> None:
    """Leave with a clear error where options contradict each other."""
    wrong = ""
    if pack_only and packed:
        wrong = "--pack-only: found with --packed; allowed: with --data, which it packs"
    elif pack_only and steps:
        wrong = "--pack-only: found with --rehearse or --stop-after; allowed: without, for it trains nothing"
    elif part_mib and not pack_only:
        wrong = "--part-mib: found without --pack-only; allowed: with it"
    if wrong:
        leave(Exit.WRONG_INPUT, wrong, as_json=as_json)


def _packed(folder: Path, parts: list[str], as_json: bool) -> None:
    size = sum((folder / name).stat().st_size for name in parts)
    if as_json:
        summary({"folder": str(folder), "parts": len(parts), "bytes": size})
        return
    console.print(f"{len(parts)} parts, {size / (1 << 20):,.1f} MiB, in {folder}", markup=False)


def _rehearsed(tried: dict[str, Any], as_json: bool) -> None:
    if as_json:
        summary(tried)
        return
    steps, seconds = tried["steps_of_the_run"], tried["seconds_of_the_run"]
    whole = f"has {steps:,} steps" if seconds is None else f"is given {seconds:,.0f} seconds"
    console.print(
        f"{tried['version']}: {tried['parameters']:,} parameters, {tried['steps']} small steps on {tried['device']} in "
        f"{tried['seconds_of_steps']:.1f} s, loss {tried['loss']['guess']:.2f}; the run itself {whole}",
        markup=False,
    )


def _trained(made: Any, stop_after: int | None, as_json: bool) -> None:
    if made is None:
        if as_json:
            summary({"stopped_after": stop_after})
        return
    if as_json:
        summary({"folder": str(made.folder), **made.manifest})
    else:
        console.print(f"pretrained encoder in {made.folder}", markup=False)
