"""`woodpecker dead`: captures that could not be assessed, set aside one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from workers.cli.output import Exit, Json, complain, console, leave, summary

if TYPE_CHECKING:
    from casework.models import DeadLetter

Letters = Annotated[list[int] | None, typer.Argument(metavar="[NUMBER]…", help="Numbers as in `woodpecker dead list`.")]
Every = Annotated[bool, typer.Option("--all", help="Every letter there is.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    dead = typer.Typer(no_args_is_help=True, help="Captures that could not be assessed: look, try again, drop.")
    dead.command("list")(list_)
    dead.command()(show)
    dead.command()(retry)
    dead.command()(drop)
    app.add_typer(dead, name="dead")


def list_(
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="The newest so many.")] = 50, json: Json = False
) -> None:
    """List what was set aside, newest first: where it was captured, when it failed and how."""
    from workers.cli.start import prepare

    prepare(as_json=json)
    from casework import dead_letters
    from casework.models import DeadLetter

    letters = list(DeadLetter.objects.order_by("-id")[:limit])
    total, full = DeadLetter.objects.count(), dead_letters.full()
    if json:
        summary({"letters": [_told(letter) for letter in letters], "total": total, "full": full})
        return
    from rich.table import Table

    table = Table("number", "failed", "site", "section", "at", "error", box=None)
    for letter in letters:
        table.add_row(
            str(letter.pk),
            f"{letter.failed_at:%Y-%m-%d %H:%M}",
            letter.site,
            letter.section,
            letter.stage,
            letter.error,
        )
    console.print(table if letters else "nothing was set aside")
    if total > len(letters):
        console.print(f"{total - len(letters)} older ones; --limit shows more", markup=False)
    if full:
        complain("there is no room for more (WOODPECKER_DEAD_LETTERS_MAX): what fails now stays in the inbox")


def show(number: Annotated[int, typer.Argument(help="Number of the letter.")], json: Json = False) -> None:
    """Show where a capture came from and what failed. Its text is never printed; its address leads to it."""
    from workers.cli.start import prepare

    prepare(as_json=json)
    from casework import dead_letters, errors

    try:
        told = _told(dead_letters.get(number))
    except errors.NotFound:
        leave(Exit.WRONG_INPUT, f"no letter has the number {number}; `woodpecker dead list` names them", as_json=json)
    if json:
        summary(told)
        return
    from rich.table import Table

    table = Table(show_header=False, box=None)
    for key, value in told.items():
        table.add_row(key.replace("_", " "), str(value))
    console.print(table)


def retry(numbers: Letters = None, every: Every = False, json: Json = False) -> None:
    """Put captures back into the inbox, once what made them fail is mended.

    Exit codes: 0 all went · 2 the call is wrong · 3 some could not go: their text is gone
    """
    asked = _asked(numbers, every, json)
    from casework import dead_letters

    gone = dead_letters.retry(asked)
    _report("back in the inbox", asked, gone, "its text is gone: drop it with --again and capture it anew", json)


def drop(
    numbers: Letters = None,
    every: Every = False,
    again: Annotated[
        bool, typer.Option("--again", help="Also forget that they were seen: the next crawl or ingest may bring them.")
    ] = False,
    json: Json = False,
) -> None:
    """Throw letters away. Without --again the same captures are not taken a second time.

    Exit codes: 0 done · 2 the call is wrong · 3 some were gone already
    """
    asked = _asked(numbers, every, json)
    from casework import dead_letters

    _report("dropped", asked, dead_letters.drop(asked, again=again), "it is gone already", json)


def _asked(numbers: list[int] | None, every: bool, json: bool) -> list[int]:
    from workers.cli.start import prepare

    prepare(as_json=json)
    from casework.models import DeadLetter

    if bool(numbers) == every:
        leave(Exit.WRONG_INPUT, "found neither or both; allowed: numbers of letters, or --all", as_json=json)
    if not numbers:
        return list(DeadLetter.objects.order_by("id").values_list("id", flat=True))
    known = set(DeadLetter.objects.filter(pk__in=numbers).values_list("id", flat=True))
    unknown = sorted(set(numbers) - known)
    if unknown:
        message = f"no letter has the number {', '.join(map(str, unknown))}; nothing was changed"
        leave(Exit.WRONG_INPUT, message, as_json=json)
    return sorted(known)


def _report(what: str, asked: list[int], gone: list[int], why_not: str, json: bool) -> None:
    left = sorted(set(asked) - set(gone))
    if json:
        summary({"done": gone, "left": left})
    else:
        console.print(f"{len(gone)} {what}", markup=False)
    for number in left:
        complain(f"{number}: {why_not}")
    if left:
        raise typer.Exit(int(Exit.PARTLY))


def _told(letter: DeadLetter) -> dict[str, Any]:
    return {
        "number": letter.pk,
        "capture": letter.capture_id,
        "site": letter.site,
        "section": letter.section,
        "url": letter.url,
        "received_at": letter.received_at.isoformat(),
        "failed_at": letter.failed_at.isoformat(),
        "stage": letter.stage,
        "error": letter.error,
        "restricted": letter.restricted,
        "can_be_retried": letter.payload is not None,
    }
