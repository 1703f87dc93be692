"""`woodpecker export` and `verify`: what leaves the house, and the proof that it is whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from workers.cli.output import Exit, Json, complain, console, leave, summary


class Format(StrEnum):
    """File formats of a list."""

    CSV = "csv"
    XLSX = "xlsx"
    JSON = "json"
    PDF = "pdf"


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(export)
    app.command()(verify)


def export(
    notice: Annotated[str, typer.Argument(help="Number of an approved list, e.g. SW-20261124-001.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write.")],
    format_: Annotated[Format, typer.Option("--format", help="csv, xlsx, json or pdf.")] = Format.XLSX,
    as_user: Annotated[str, typer.Option("--as", help="Account that exports, for the audit log.")] = "",
    json: Json = False,
) -> None:
    """Write an approved takedown list to a file; the export is recorded under the account that is named."""
    from workers.cli.start import prepare

    prepare(as_json=json)
    from casework import errors, notices
    from casework.models import Notice, User

    found = Notice.objects.filter(number=notice).first()
    if found is None:
        leave(Exit.WRONG_INPUT, f"no list is numbered {notice!r}", as_json=json)
    user = User.objects.filter(username=as_user).first() if as_user else found.prepared_by
    if user is None:
        leave(Exit.WRONG_INPUT, f"--as: no account is named {as_user!r}", as_json=json)
    try:
        content = notices.export(found, format_.value, user)
    except errors.CaseworkError as error:
        leave(Exit.WRONG_INPUT, str(error), as_json=json)
    try:
        output.write_bytes(content)
    except OSError as error:
        leave(Exit.FAILED, f"{output} cannot be written: {error.strerror}", as_json=json)
    if json:
        summary({"notice": notice, "output": str(output), "bytes": len(content), "sha256": found.manifest_sha256})
    else:
        console.print(f"{notice} → {output} ({len(content)} bytes)", markup=False)


def verify(
    packages: Annotated[
        list[Path],
        typer.Argument(metavar="PACKAGE…", help="Evidence packages, and responses (.warc.gz): files or folders."),
    ],
    json: Json = False,
) -> None:
    """Check evidence packages offline: form, digests, and the chain as far as the packages given follow each other.

    The digests are printed, to be compared with those on the list or in the register. Exit codes: 0 all whole ·
    1 one was changed, which and how is told · 2 a file is not there, or no package at all
    """
    from casework import packages as checking

    try:
        verdicts = checking.verify(list(_files(packages)))
    except OSError as error:
        leave(Exit.WRONG_INPUT, f"{error.filename}: {error.strerror}", as_json=json)
    for one in verdicts:
        if not json:
            console.print(f"{one.number or one.file}  {'whole' if one.whole else 'BROKEN'}", markup=False)
            console.print(f"  SHA-256 {one.sha256}\n  SM3     {one.sm3}", markup=False, soft_wrap=True)
        for fault in one.faults:
            complain(f"{one.file}: {fault}")
    broken = sum(not one.whole for one in verdicts)
    if json:
        summary({"checked": len(verdicts), "broken": broken, "packages": [asdict(one) for one in verdicts]})
    if broken:
        wrong = all(one.foreign for one in verdicts if not one.whole)
        raise typer.Exit(int(Exit.WRONG_INPUT if wrong else Exit.FAILED))


def _files(packages: list[Path]) -> Iterator[Path]:
    for path in packages:
        inside = [*path.rglob("*.json"), *path.rglob("*.warc.gz")] if path.is_dir() else []
        yield from sorted(inside) if path.is_dir() else [path]
