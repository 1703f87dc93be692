"""`woodpecker thresholds`: thresholds of policies, set from what a model does on held-back texts."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workers.cli.output import Exit, Json, complain, console, errors, leave, summary
from workers.cli.train import Data, Permitted, chosen_tier, understood

if TYPE_CHECKING:
    from classifiers.evaluation.thresholds import HeldBack, Proposal
    from config.policy import GeneralPolicy
    from config.thresholds import Aim, Measured, Zone

EMPHASISED = 1.5
"""How much the recall of a class's emphasised categories counts."""
HIGHEST = 0.7
"""A medium word rule (.7) always brings a human."""
BANTER = 0.9
"""Highest for bullying outside kid zones, where most of what is wrongly flagged is banter: a strong rule still does."""
OWN_LIFE: dict[Zone, float] = {"general": 0.35, "kid_zone": 0.2}
"""Highest for self_harm: a miss may cost a life, so it is found at the cost of the other categories."""


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command()(thresholds)


def thresholds(
    data: Data,
    into: Annotated[Path, typer.Option(metavar="FOLDER", help="Policy folder that the files are written into.")],
    recipe: Annotated[str, typer.Option(help="Whose held-back rows are measured.")] = "linear",
    model: Annotated[Path | None, typer.Option(help="Folder of a model; default: the shipped one.")] = None,
    tier: Permitted = "limited",
    json: Json = False,
) -> None:
    """Set thresholds from measurements: for the general policy and each platform class, by its `aim`.

    Reads the policies that hold here, measures the model on texts it was never trained on, and writes `general.yaml`
    and `classes/*.yaml` with the thresholds that find most within the aim, and the figures at them. Look at the files
    before you put them to use.

    Example: woodpecker thresholds --data DATA --into policies
    """
    from classifiers.training.recipe import find_recipe
    from config.policy import PolicyError, general_and_classes

    try:
        policies = general_and_classes()
    except PolicyError as error:
        leave(Exit.WRONG_INPUT, str(error), as_json=json)
    with understood(json) as training:
        held, version = training.held_back(
            find_recipe(recipe), data, model_dir=model, tier=chosen_tier(tier, json), console=errors
        )
    _check_sets(policies, held, as_json=json)
    told: dict[str, Any] = {}
    for source, policy in policies:
        if policy.aim is None:
            complain(f"{source}: has no `aim`; left alone")
            continue
        measured = measure(policy, policy.aim, held, version)
        target = into / (source.name if policy is policies[0][1] else f"classes/{source.name}")
        _write(source, target, measured, as_json=json)
        told[source.stem] = measured.model_dump(mode="json") | {"file": str(target)}
    if json:
        summary(told)
    else:
        _print(told)


def measure(policy: GeneralPolicy, aim: Aim, held: HeldBack, version: str) -> Measured:
    """Propose thresholds for both zones of one policy; a kid zone's never lie above the others."""
    from classifiers.evaluation.thresholds import Wish, propose
    from config.thresholds import ByZone, Measured, OrdinaryShare

    wanted = dict.fromkeys(getattr(policy, "emphasised", ()), EMPHASISED)
    general = propose(held, Wish(aim.ordinary, aim.general, wanted, _highest(held, "general")))
    chosen = {slug: figures.threshold for slug, figures in general.categories.items()}
    highest = {slug: min(limit, chosen.get(slug, limit)) for slug, limit in _highest(held, "kid_zone").items()}
    kid_zone = propose(held, Wish(aim.ordinary, aim.kid_zone, wanted, highest))
    return Measured(
        model=version,
        date=datetime.now(UTC).date(),
        ordinary=OrdinaryShare(general=general.ordinary, kid_zone=kid_zone.ordinary),
        categories={slug: ByZone(general=_at(general, slug), kid_zone=_at(kid_zone, slug)) for slug in chosen},
    )


def _highest(held: HeldBack, zone: Zone) -> dict[str, float]:
    bullying = BANTER if zone == "general" else HIGHEST
    return dict.fromkeys(held.slugs, HIGHEST) | {"self_harm": OWN_LIFE[zone], "bullying": bullying}


def _at(proposal: Proposal, slug: str) -> Any:
    from config.thresholds import AtThreshold

    figures = proposal.categories[slug]
    return AtThreshold(threshold=figures.threshold, recall=figures.recall, precision=figures.precision)


def _check_sets(policies: list[tuple[Path, GeneralPolicy]], held: HeldBack, *, as_json: bool) -> None:
    for source, policy in policies:
        for name in policy.aim.ordinary if policy.aim else ():
            if name not in held.registers:
                allowed = ", ".join(held.registers)
                leave(Exit.WRONG_INPUT, f"{source}: aim.ordinary: found {name!r}; allowed: {allowed}", as_json=as_json)


def _write(source: Path, target: Path, measured: Measured, *, as_json: bool) -> None:
    from config.proposing import with_measured

    text = with_measured(source, measured)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8")
    except OSError as error:
        leave(Exit.FAILED, f"{target}: {error.strerror}", as_json=as_json)


def _print(told: dict[str, Any]) -> None:
    from rich.table import Table

    table = Table("policy", "ordinary talk flagged", "in kid zones", "written")
    for name, one in told.items():
        shares = (f"{one['ordinary'][zone]:.2%}" for zone in ("general", "kid_zone"))
        table.add_row(name, *shares, one["file"])
    console.print(table)
