"""`woodpecker site new` and `site try`: a site file proposed from one page, and an edited one tried on three."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

import typer

from workers.cli.contact import contact_for
from workers.cli.output import Exit, Json, complain, console, errors, leave, summary, whole_address

if TYPE_CHECKING:
    from config.policy import PolicyError, SitePolicy
    from crawlers.proposal import Proposal
    from crawlers.tryout import PageReading
    from crawlers.visit import Visitor

T = TypeVar("T")
ROWS_SHOWN = 12
TEXT_SHOWN = 60


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    site = typer.Typer(no_args_is_help=True, help="Sites: a file from one page, and a try before the first crawl.")
    site.command("new")(new)
    site.command("try")(try_)
    app.add_typer(site, name="site")


def new(
    url: Annotated[str, typer.Argument(metavar="URL", help="A page of the site: best a board, else a thread.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write the site file here; default: print it.")
    ] = None,
    basis: Annotated[
        Literal["robots", "owner", "authority"],
        typer.Option(metavar="robots|owner|authority", help="The permission under which it will be read."),
    ] = "robots",
    document: Annotated[
        str, typer.Option(metavar="TEXT", help="What was agreed, by whom, when; without it a person fills it in.")
    ] = "",
    preset: Annotated[
        str | None,
        typer.Option(metavar="PRESET", help="Read it with this preset; default: what the page looks like."),
    ] = None,
    title: Annotated[str | None, typer.Option(help="Name that people see; default: the page's.")] = None,
    platform_class: Annotated[
        str | None,
        typer.Option("--class", metavar="CLASS", help="Platform class; default: what such software usually is."),
    ] = None,
    private_hosts: Annotated[
        bool, typer.Option("--private-hosts", help="Allow loopback and private addresses: a site on your own network.")
    ] = False,
    delay: Annotated[
        float | None,
        typer.Option(min=0, metavar="SECONDS", help="Least pause between two requests; default: the class's."),
    ] = None,
    json: Json = False,
) -> None:
    """Look at one page, recognise its software, and propose a site file with what it would capture.

    robots.txt is asked first; nothing but it and this page is asked for. The
    file has at most ten lines. Its permission, `basis.document`, is for a
    person to write down: without it the file is not complete, and no crawl
    begins.

    [bold]woodpecker site new https://forum.example/forum-2-1.html -o sites/forum.yaml[/bold]
    then write down the permission in the file, and:

    [bold]woodpecker site try sites/forum.yaml[/bold]

    Exit codes: 0 proposed · 1 the page could not be had · 2 the call is wrong,
    nothing was asked · 3 proposed, but the software is not known: the generic
    preset with hints
    """
    from config.policy import PolicyError, list_presets
    from crawlers.proposal import Wishes, probe_policy, propose

    wishes = Wishes(basis, document, platform_class, title, private_hosts, delay, preset)
    whole_address("URL", url, as_json=json)
    if preset is not None and preset not in list_presets():
        leave(Exit.WRONG_INPUT, f"--preset: found {preset!r}; allowed: {', '.join(list_presets())}", as_json=json)
    if output is not None and output.exists():
        leave(Exit.WRONG_INPUT, f"{output}: found a file; allowed: a new file's name", as_json=json)
    try:
        policy = probe_policy(url, wishes)
    except PolicyError as error:
        leave(Exit.WRONG_INPUT, _of_the_call(error), as_json=json)

    async def look(visitor: Visitor) -> Any:
        from crawlers.visit import Unreached

        try:
            response = await visitor.fetch(url)
            found = propose(response, wishes, _key())
            bare = found.reading is None and not found.recognised
            return (visitor.wall(response) if bare else None) or found
        except Unreached as error:
            checks = await visitor.checks(url) if error.refused else []
            return next((one.says for one in checks if one.refuses), str(error))

    found = _visit(policy, look, as_json=json)
    if isinstance(found, str):
        leave(Exit.FAILED, f"{url}: {found}; nothing is proposed", as_json=json, url=url)
    _tell(found, output, as_json=json)
    if not found.known:
        raise typer.Exit(int(Exit.PARTLY))


def try_(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A site file, or a configured site's name.")],
    json: Json = False,
) -> None:
    """Look at no more than three pages of a site and show what would be captured; nothing is kept.

    The first section's list is read, a thread of it, and that thread's next
    page or another thread. What a field does not find is shown with how often.

    Exit codes: 0 units were found on every page · 1 no page could be had ·
    2 the file is wrong, nothing was asked · 3 on some page nothing was found
    """
    from config.policy import PolicyError, load_site
    from crawlers.tryout import try_site

    try:
        policy = load_site(file)
    except PolicyError as error:
        leave(Exit.WRONG_INPUT, str(error), as_json=json, problems=[one.as_dict() for one in error.problems])
    if policy.crawl is None or policy.basis.kind == "import":
        leave(
            Exit.WRONG_INPUT, f"{file}: found nothing to crawl; allowed: a file with `extends` or `crawl`", as_json=json
        )
    readings: list[PageReading] = _visit(policy, lambda visitor: try_site(policy, visitor, _key()), as_json=json)
    if json:
        summary({"site": policy.name, "pages": [one.as_dict() for one in readings]})
    else:
        for reading in readings:
            _show(reading)
        console.print(_advice(file, readings), markup=False, soft_wrap=True)
    if not any(reading.items for reading in readings):
        raise typer.Exit(int(Exit.FAILED))
    if any(not reading.rows for reading in readings):
        raise typer.Exit(int(Exit.PARTLY))


def _visit(policy: SitePolicy, act: Callable[[Visitor], Any], *, as_json: bool) -> Any:
    from config.settings import get_settings
    from crawlers.state import Unusable, default_folder
    from crawlers.visit import visit

    contact = contact_for(policy, as_json=as_json)
    try:
        with errors.status(f"{policy.base_url} …"):
            return visit(policy, act, state_dir=default_folder(get_settings().data_dir), contact=contact)
    except Unusable as error:
        leave(Exit.WRONG_INPUT, str(error), as_json=as_json)


def _key() -> bytes:
    from config.settings import get_settings

    return get_settings().effective_redaction_key()


def _of_the_call(error: PolicyError) -> str:
    """Say what is wrong with the call, where the policy that it makes is."""
    problem = error.problems[0]
    option = {"delay_seconds": "delay", "basis.document": "document"}.get(problem.field, problem.field)
    hint = f" Did you mean {problem.nearest!r}?" if problem.nearest else ""
    return f"--{option}: found {problem.found}; allowed: {problem.allowed}.{hint}"


def _tell(found: Proposal, output: Path | None, *, as_json: bool) -> None:
    from crawlers.recognise import looked_for

    if output is not None:
        try:
            output.write_text(found.text, "utf-8")
        except OSError as error:
            leave(Exit.WRONG_INPUT, f"{output} cannot be written: {error.strerror}", as_json=as_json)
    if as_json:
        recognised = [{"preset": one.preset, "evidence": list(one.evidence)} for one in found.recognised]
        reading = found.reading.as_dict() if found.reading else None
        values = {"name": found.name, "preset": found.preset, "known": found.known, "recognised": recognised}
        summary({**values, "file": str(output) if output else None, "text": found.text, "hints": found.hints,
                 "looked_for": looked_for(), "page": reading})  # fmt: skip
        return
    for one in found.recognised:
        name = one.recognition.software
        console.print(
            f"recognised  {name} (preset {one.preset}): {'; '.join(one.evidence)}", markup=False, soft_wrap=True
        )
    if not found.known:
        complain(f"no known software: looked for {', '.join(looked_for())}")
        complain("the preset `forum` is proposed; what it does not find is said under `crawl:`, see docs/add-a-site.md")
    if found.reading:
        _show(found.reading)
    for hint in found.hints:
        console.print(f"hint        {hint}", markup=False, soft_wrap=True)
    console.print(f"\n# {output}\n{found.text}" if output else f"\n{found.text}", markup=False, soft_wrap=True)
    where = output or "FILE"
    if 'document: ""' in found.text:
        complain(f"next: write down the permission at `document` in {where}, then `woodpecker site try {where}`")
    else:
        complain(f"next: `woodpecker site try {where}`")


def _show(reading: PageReading) -> None:
    from rich.table import Table
    from rich.text import Text

    console.print(f"\n{reading.role} page {reading.url}", markup=False, soft_wrap=True)
    if reading.rows:
        table = Table("kind", "key", "time", "text (redacted)", box=None, pad_edge=False)
        for row in reading.rows[:ROWS_SHOWN]:
            when = row.published_at.isoformat(sep=" ", timespec="minutes") if row.published_at else "–"
            said = " ".join(row.text.split())
            shown = said if len(said) <= TEXT_SHOWN else said[: TEXT_SHOWN - 1] + "…"
            table.add_row(row.kind, Text(row.key[-24:]), when, Text(shown or row.address or ""))
        console.print(table)
        if len(reading.rows) > ROWS_SHOWN:
            console.print(f"… and {len(reading.rows) - ROWS_SHOWN} more")
    found = ", ".join(f"{one.name} {one.found} of {one.of}" for one in reading.fields)
    if found:
        console.print(f"found       {found}", markup=False, soft_wrap=True)
    console.print(f"next page   {reading.next_page or 'none'}", markup=False, soft_wrap=True)
    for problem in [reading.problem, *reading.notes]:
        if problem:
            console.print(f"problem     {problem}", markup=False, soft_wrap=True)


def _advice(file: str, readings: list[PageReading]) -> str:
    if readings and all(reading.rows for reading in readings):
        return f"\nnext: woodpecker crawl {file} -o captures.jsonl --limit 20"
    return "\nsomething was not read: docs/add-a-site.md, “Captures 0: why?”"
