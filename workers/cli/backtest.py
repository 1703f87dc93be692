"""`woodpecker backtest`: what would a change have put before humans, and what would it have lost?"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workers.cli.output import Exit, Json, console, errors, leave, summary

if TYPE_CHECKING:
    from config.site_policy import SitePolicy
    from config.work import Work


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command()(backtest)


def backtest(  # noqa: PLR0913, PLR0917 - each is an option
    policy: Annotated[
        list[Path] | None, typer.Option(help="Site file that would replace the one in force; may be repeated.")
    ] = None,
    threshold: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="Threshold of a category, or of `all`, everywhere; may be repeated."),
    ] = None,
    rules: Annotated[Path | None, typer.Option(help="Folder of word rules that would replace your own.")] = None,
    model: Annotated[Path | None, typer.Option(help="Folder of a model that would replace the one in use.")] = None,
    queues: Annotated[
        Path | None, typer.Option(help="A work.yaml (queues, second confirmations) that would replace yours.")
    ] = None,
    source: Annotated[
        Path | None,
        typer.Option("--input", "-i", help='Further texts: lines {"text": …, "labels": […], "site": …, "section": …}.'),
    ] = None,
    site: Annotated[str, typer.Option(help="Only the cases of this site.")] = "",
    days: Annotated[int, typer.Option(min=1, max=3650, help="Replay the cases of the last so many days.")] = 30,
    minutes: Annotated[
        float | None, typer.Option(min=0.01, max=600, help="A reviewer's time for a case; default: measured.")
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Write a page with masked examples here.")] = None,
    json: Json = False,
) -> None:
    """Replay a changed policy, threshold, word list, model or division of work over past cases and labelled texts.

    Nothing is changed. Told are what would be added and lost, through which queue each case would come, and what time
    of reviewers that takes, by category, site and queue. Thresholds belong to a model: with --model name the policies
    or thresholds that fit it too.

    Example: woodpecker backtest --threshold bullying=0.8 --html report.html
    """
    from workers.cli.start import prepare

    prepare(migrate=False, as_json=json)
    from classifiers.errors import ClassifierError
    from workers import backtest as replaying

    change = replaying.Change(
        policies=_policies(policy or [], as_json=json),
        thresholds=_thresholds(threshold or [], as_json=json),
        rules=_folder("--rules", rules, as_json=json),
        model=_folder("--model", model, as_json=json),
        work=_work(queues, as_json=json) if queues else None,
    )
    if not (change.policies or change.thresholds or change.scores_differ or change.work):
        leave(
            Exit.WRONG_INPUT,
            "found no change; allowed: --policy, --threshold, --rules, --model or --queues, one or several",
            as_json=json,
        )
    try:
        with errors.status("replaying …") as shown:
            report = replaying.run(
                change, days=days, site=site, source=source, minutes=minutes,
                progress=lambda done, of: shown.update(f"reading texts: {done:,} of {of:,}"),
            )  # fmt: skip
    except (replaying.BacktestError, ClassifierError) as error:
        leave(Exit.WRONG_INPUT, str(error), as_json=json)
    if html is not None:
        _write(html, replaying.page(report), as_json=json)
    if json:
        summary(report)
    else:
        _print(report)


def _policies(files: list[Path], *, as_json: bool) -> dict[str, SitePolicy]:
    from config.policy import PolicyError, load_site

    found = {}
    for file in files:
        try:
            policy = load_site(file)
        except PolicyError as error:
            leave(Exit.WRONG_INPUT, "\n".join(map(str, error.problems)), as_json=as_json)
        found[policy.name] = policy
    return found


def _work(file: Path, *, as_json: bool) -> Work:
    from config.policy import PolicyError
    from config.work import load_work

    try:
        return load_work(file)
    except PolicyError as error:
        leave(Exit.WRONG_INPUT, "\n".join(map(str, error.problems)), as_json=as_json)


def _thresholds(given: list[str], *, as_json: bool) -> dict[str, float]:
    from config.taxonomy import SLUGS

    found: dict[str, float] = {}
    for one in given:
        name, _, value = one.partition("=")
        try:
            number = float(value)
        except ValueError:
            number = -1.0
        if name not in (*SLUGS, "all") or not 0 < number < 1:
            allowed = f"NAME=VALUE with NAME all or one of {', '.join(SLUGS)}, and VALUE between 0 and 1"
            leave(Exit.WRONG_INPUT, f"--threshold: found {one!r}; allowed: {allowed}", as_json=as_json)
        found |= dict.fromkeys(SLUGS, number) if name == "all" else {name: number}
    return found


def _folder(option: str, path: Path | None, *, as_json: bool) -> Path | None:
    if path is not None and not path.is_dir():
        leave(Exit.WRONG_INPUT, f"{option} {path}: found no such folder", as_json=as_json)
    return path


def _write(path: Path, content: str, *, as_json: bool) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(content)
    except OSError as error:
        leave(Exit.FAILED, f"--html {path}: {error.strerror}", as_json=as_json)
    if not as_json:
        console.print(f"written: {path}", markup=False, soft_wrap=True)


def _print(report: dict[str, Any]) -> None:
    from rich.table import Table

    for name, one in report["sources"].items():
        table = Table(name, "before", "after", "added", "harmful", "lost", "harmful", "harmless")
        for title, row in (("all", one["total"]), *one["categories"].items(), *one["sites"].items()):
            names = ("before", "after", "added", "added_confirmed", "lost", "lost_confirmed", "lost_dismissed")
            table.add_row(title, *(f"{row[figure]:g}" for figure in names))
        console.print(table)
    _print_queues(report)
    hours, each = report["reviewer_hours"], report["minutes_per_case"]
    console.print(
        f"reviewers: {hours['per_week']:+.1f} hours a week, at {each['value']} minutes a case ({each['from']})",
        markup=False,
    )


def _print_queues(report: dict[str, Any]) -> None:
    from rich.table import Table

    table = Table("queue", "before", "after", "in", "out", "hours a week before", "after")
    rows = [(name or "(none)", row) for name, row in report["queues"].items()]
    for name, row in (*rows, ("second confirmation", report["second_confirmation"])):
        hours = row["hours_per_week"]
        figures = (row["before"], row["after"], row.get("in", ""), row.get("out", ""), hours["before"], hours["after"])
        table.add_row(name, *(f"{figure:g}" if figure != "" else "" for figure in figures))
    console.print(table)
