"""`woodpecker prevalence`: how common harmful content is on a site, and how sure that is."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workers.cli.output import Exit, Json, complain, console, leave, summary

if TYPE_CHECKING:
    from casework.estimation import Estimate
    from casework.prevalence import Prevalence

WIDTH = 40
"""Characters of the widest bar."""


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command()(prevalence)


def prevalence(
    site: Annotated[str, typer.Option(metavar="SITE", help="Name of a configured site.")],
    since: Annotated[str, typer.Option(metavar="DATE", help="First day of capture, e.g. 2026-11-01.")] = "",
    until: Annotated[str, typer.Option(metavar="DATE", help="Last day of capture, included.")] = "",
    plot: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the figure here too, as SVG.")] = None,
    json: Json = False,
) -> None:
    """Estimate what share of a site's units reaches a threshold, with 95 % intervals.

    Only sections whose method has a probability (random, reservoir, stratified,
    adaptive) allow an estimate; of the others it is told what was read and
    found. A score decides nothing: the share is of what people are asked to
    look at, not of what they confirmed.

    [bold]woodpecker prevalence --site forum --since 2026-11-01 --plot november.svg[/bold]

    Exit codes: 0 done · 1 the figure cannot be written · 2 the call is wrong.
    """
    first, last = _day("--since", since, as_json=json), _day("--until", until, as_json=json)
    if first and last and first > last:
        leave(Exit.WRONG_INPUT, f"--until: found {last}; allowed: {first} or later", as_json=json)
    if plot is not None and plot.suffix.lower() != ".svg":
        leave(Exit.WRONG_INPUT, f"--plot: found {plot.name}; allowed: a name that ends in .svg", as_json=json)
    from workers.cli.start import prepare

    prepare(as_json=json)
    from casework import prevalence as module
    from config.policy import list_sites
    from config.problems import nearest

    known = sorted({*list_sites(), *module.sites()})
    if site not in known:
        near = nearest(site, known)
        hint = f"; did you mean {near}?" if near else ""
        leave(Exit.WRONG_INPUT, f"--site: found {site!r}; allowed: {', '.join(known)}{hint}", as_json=json)
    told = module.of_site(site, first, last)
    if plot is not None:
        _draw(told, plot, as_json=json)
    if json:
        summary(_as_dict(told))
    else:
        _print(told)


def _day(option: str, value: str, *, as_json: bool) -> date | None:
    try:
        return date.fromisoformat(value) if value else None
    except ValueError:
        leave(Exit.WRONG_INPUT, f"{option}: found {value!r}; allowed: a date such as 2026-11-01", as_json=as_json)


def _draw(told: Prevalence, path: Path, *, as_json: bool) -> None:
    from casework.figure import svg

    if told.overall is None:
        complain(f"{told.site}: nothing to draw, since nothing was drawn with a known probability")
        return
    try:
        path.write_text(svg(told), "utf-8")
    except OSError as error:
        leave(Exit.FAILED, f"{path} cannot be written: {error.strerror}", as_json=as_json)


def _as_dict(told: Prevalence) -> dict[str, Any]:
    return {
        "site": told.site,
        "since": told.since,
        "until": told.until,
        "overall": _numbers(told.overall) if told.overall else None,
        "categories": {slug: _numbers(one) for slug, one in told.categories.items()},
        "sections": {slug: _numbers(one) for slug, one in told.sections.items()},
        "coverage": [asdict(one) for one in told.coverage],
    }


def _numbers(one: Estimate) -> dict[str, Any]:
    whole = one.effective == float("inf")
    return {name: round(getattr(one, name), 6) for name in ("rate", "low", "high")} | {
        "units": one.units, "found": one.found, "threads": one.threads,
        "effective_units": None if whole else round(one.effective, 1),
    }  # fmt: skip


def _print(told: Prevalence) -> None:
    from rich.table import Table

    if told.overall is None:
        console.print(
            f"{told.site}: nothing was drawn with a known probability in this time, so nothing can be said of how "
            "common anything is. Sections with method random, reservoir, stratified or adaptive allow it "
            "(docs/policies.md, Sections and sampling).",
            markup=False,
        )
    else:
        console.print(
            f"{told.site}, {told.since} to {told.until}: of {told.overall.units} units in {told.overall.threads} "
            "threads, drawn with known probabilities",
            markup=False,
        )
        rows = {"any": told.overall, **dict(sorted(told.categories.items(), key=lambda pair: -pair[1].rate))}
        console.print(_estimates("category", rows))
        if len(told.sections) > 1:
            console.print(_estimates("section", told.sections))
    table = Table("section", "method", "assessed", "of known probability", "reached a threshold", title="what was read")
    for one in told.coverage:
        table.add_row(one.section, one.method or "not configured", *map(str, (one.assessed, one.sampled, one.flagged)))
    console.print(table)
    if any(not one.sampled and one.assessed for one in told.coverage):
        console.print(
            "Sections without a known probability tell what was found there, not how much there is.", markup=False
        )


def _estimates(head: str, rows: dict[str, Estimate] | Any) -> Any:
    from rich.table import Table

    table = Table(head, "share", "95 % interval", "found", "")
    top = max(one.high for one in rows.values()) or 1.0
    for name, one in rows.items():
        table.add_row(
            name, _share(one.rate), f"{_share(one.low)} to {_share(one.high)}", str(one.found), _bar(one, top)
        )
    return table


def _bar(one: Estimate, top: float) -> str:
    """Draw the interval and the estimate in it: `├──●────┤`."""
    low, middle, high = (round(value / top * (WIDTH - 1)) for value in (one.low, one.rate, one.high))
    cells = [" "] * low + ["─"] * (high - low + 1)
    cells[low], cells[high], cells[middle] = "├", "┤", "●"
    return "".join(cells)


def _share(value: float) -> str:
    return f"{value:.2%}"
