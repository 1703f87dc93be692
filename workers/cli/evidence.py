"""`woodpecker evidence`: what is known of a stored response, and opening one, which leaves a line in the audit log."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from workers.cli.output import Exit, Json, console, leave, summary

Reference = Annotated[
    str, typer.Argument(metavar="REF", help="What a capture or a package names as its evidence: sha256:….")
]
Folder = Annotated[
    Path | None,
    typer.Option("--folder", metavar="DIR", help="Where it lies, e.g. captures.jsonl.evidence; default: data folder."),
]


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    evidence = typer.Typer(no_args_is_help=True, help="Stored responses: sealed, and opened only with a reason.")
    evidence.command("show")(show)
    evidence.command("open")(open_)
    evidence.command("key")(key)
    app.add_typer(evidence, name="evidence")


def show(reference: Reference, folder: Folder = None, json: Json = False) -> None:
    """Print what is known of a stored response without opening it: address, time, status, headers, robots, digests."""
    from config.settings import get_settings
    from crawlers import evidence

    try:
        told = evidence.metadata(folder or get_settings().path("files", "responses"), reference)
    except evidence.Damaged as error:
        leave(Exit.FAILED, str(error), as_json=json)
    except evidence.Missing as error:
        leave(Exit.WRONG_INPUT, str(error), as_json=json)
    if json:
        summary(told)
        return
    for name, value in told.items():
        console.print(f"{name}: {value}", markup=False, soft_wrap=True)


def open_(
    reference: Reference,
    reason: Annotated[str, typer.Option(help="Why it is opened, for the audit log.")],
    as_user: Annotated[str, typer.Option("--as", help="Account that opens it, for the audit log.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write; default: its digest with .warc.gz, here.")
    ] = None,
    folder: Folder = None,
    json: Json = False,
) -> None:
    """Open a stored response and write it as a WARC file. Who opened it and why stands in the audit log first.

    It holds personal data: delete the file when it has served its purpose.

    [bold]woodpecker evidence open sha256:3f… --as duty1 --reason "court order 12/2026"[/bold]
    """
    from workers.cli.start import prepare

    if not reason.strip() or len(reason) > 300:
        leave(Exit.WRONG_INPUT, f"--reason: found {len(reason.strip())} characters; allowed: 1 to 300", as_json=json)
    prepare(as_json=json)
    from casework import audit
    from casework.models import User
    from config.settings import get_settings
    from crawlers import evidence

    user = User.objects.filter(username=as_user, is_active=True).first()
    if user is None:
        leave(Exit.WRONG_INPUT, f"--as: no active account is named {as_user!r}", as_json=json)
    settings = get_settings()
    try:
        keys = evidence.Keys.of(settings.evidence_key.get_secret_value())
        record = evidence.unseal(folder or settings.path("files", "responses"), reference, keys)
    except evidence.Damaged as error:
        leave(Exit.FAILED, str(error), as_json=json)
    except (evidence.Missing, evidence.WrongKey) as error:
        leave(Exit.WRONG_INPUT, str(error), as_json=json)
    digest = evidence.digest_of(reference)
    audit.record("evidence.open", user, f"response:{digest}", reason=reason.strip())
    target = output or Path(f"{digest}.warc.gz")
    try:
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(record)
    except OSError as error:
        leave(Exit.FAILED, f"{target} cannot be written: {error.strerror}", as_json=json)
    if json:
        summary({"output": str(target), "bytes": len(record), "sha256": digest})
    else:
        console.print(f"{target} ({len(record)} bytes); delete it when it has served its purpose", markup=False)


def key(json: Json = False) -> None:
    """Make a key for WOODPECKER_EVIDENCE_KEY and print it. It is kept nowhere: without it nothing can be opened."""
    from cryptography.fernet import Fernet

    made = Fernet.generate_key().decode("ascii")
    if json:
        summary({"key": made})
    else:
        print(made)
