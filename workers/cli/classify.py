"""`woodpecker classify`: texts in, assessments out."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workers import garbage
from workers.cli.explain import show
from workers.cli.output import Exit, Json, complain, errors, leave, summary

if TYPE_CHECKING:
    from classifiers.stream import StreamReport


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(classify)


def classify(
    source: Annotated[str, typer.Option("--input", "-i", metavar="FILE|-", help='Lines {"id": …, "text": …}.')] = "-",
    target: Annotated[
        str, typer.Option("--output", "-o", metavar="FILE|-", help="One answer per line, in order.")
    ] = "-",
    model: Annotated[Path | None, typer.Option(help="Folder of a model; default: the shipped one.")] = None,
    site: Annotated[str | None, typer.Option(help="Flag by this site's thresholds; default: the general ones.")] = None,
    explain: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Show one text's way through the stages instead of a stream.")
    ] = None,
    json: Json = False,
) -> None:
    """Assess texts: scores of fifteen categories, what is flagged, where, and which evasions were undone.

    A line that cannot be read is answered in its place with its number and what is wrong; the exit code is then 3.

    Example: echo '{"id": "1", "text": "今天的作文课真有意思"}' | woodpecker classify
    Example: woodpecker classify --explain "加薇❤信领点券"
    """
    from classifiers import stream
    from classifiers.cascade import load
    from classifiers.errors import ClassifierError
    from config.settings import get_settings

    if explain is not None:
        show(explain, model, thresholds_of(site, as_json=json), as_json=json)
        return
    if json and target == "-":
        leave(
            Exit.WRONG_INPUT,
            "--json prints a summary on stdout; found --output -; allowed: --output FILE",
            as_json=True,
        )
    thresholds = thresholds_of(site, as_json=json)
    try:
        assessor = load(model, get_settings().own_rules)
        read = stream.open_source(source, sys.stdin.buffer)
        write = stream.open_target(target, source, sys.stdout.buffer)
    except ClassifierError as error:
        leave(Exit.WRONG_INPUT, str(error), as_json=json)
    garbage.look_seldom()
    try:
        with _counting("texts") as tick, ExitStack() as files:
            for name, opened in ((source, read), (target, write)):
                if name != "-":  # what was not opened here is not closed here
                    files.enter_context(opened)
            report = stream.classify_lines(
                read, write, assessor, thresholds, processes=stream.usable_processes(), tick=tick
            )
    except BrokenPipeError:
        leave(Exit.FAILED, f"{target}: nobody reads the answers any more")
    except OSError as error:
        leave(Exit.FAILED, f"{target} cannot be written: {error.strerror}", as_json=json)
    _tell(report, source, as_json=json)


def _tell(report: StreamReport, source: str, *, as_json: bool) -> None:
    """Name the lines that were rejected; leave with 3 when there are any."""
    for line, reason in report.errors:
        complain(f"{source}:{line}: {reason}")
    if report.rejected > len(report.errors):
        complain(
            f"{source}: {report.rejected - len(report.errors)} more lines were rejected; each is answered in place"
        )
    if as_json:
        summary(_counts(report))
    if report.rejected:
        raise typer.Exit(int(Exit.PARTLY))


def thresholds_of(site: str | None, *, as_json: bool) -> dict[str, float]:
    """Return the thresholds of a site, or the general ones; leave with a clear error when the site is wrong."""
    from config.policy import PolicyError, general_thresholds, load_site

    try:
        return dict(load_site(site).zone_thresholds("general") if site is not None else general_thresholds())
    except PolicyError as error:
        leave(Exit.WRONG_INPUT, str(error), as_json=as_json)


def _counts(report: StreamReport) -> dict[str, Any]:
    speed = report.lines / report.seconds if report.seconds else 0.0
    return {
        "lines": report.lines,
        "assessed": report.assessed,
        "rejected": report.rejected,
        "flagged": dict(report.flagged),
        "seconds": round(report.seconds, 3),
        "texts_per_second": round(speed, 1),
        "model": report.model,
    }


@contextmanager
def _counting(what: str) -> Iterator[Callable[[int], None]]:
    """Count on stderr for a person who waits; say nothing to a pipe."""
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.completed} " + what), TimeElapsedColumn())
    with Progress(*columns, console=errors, disable=not errors.is_terminal, transient=True) as progress:
        task = progress.add_task(what, total=None)
        yield lambda lines: progress.advance(task, lines)
