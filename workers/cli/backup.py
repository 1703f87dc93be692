"""`woodpecker backup` and `restore`: everything that cannot be made again, in one file, and back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workers.cli.output import Exit, Json, console, errors, leave, summary

if TYPE_CHECKING:
    from casework.backups import Manifest


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(backup)
    app.command()(restore)


def backup(
    file: Annotated[Path, typer.Argument(help="File to write, e.g. backup.tgz.")],
    with_key: Annotated[
        bool, typer.Option("--key/--no-key", help="Also keep the secret key, where this installation made its own.")
    ] = True,
    json: Json = False,
) -> None:
    """Write database, evidence files and key into one file, while everything goes on running.

    Whoever has the file has all that; its mode is 600. Your policy folder is yours to keep.
    Example: woodpecker backup /media/safe/2026-11-27.tgz
    """
    from workers.cli.start import prepare

    prepare(as_json=json)
    from django.db import DatabaseError

    from casework import backups

    try:
        with errors.status("reading …"):
            manifest = backups.make(file, with_key=with_key)
    except (OSError, DatabaseError) as error:
        leave(Exit.FAILED, f"{file} was not written: {str(error).splitlines()[0]}", as_json=json)
    _tell(manifest, json, f"{file}, {file.stat().st_size:,} bytes", file=str(file), bytes=file.stat().st_size)


def restore(
    file: Annotated[Path, typer.Argument(help="A file of `woodpecker backup`.")],
    replace: Annotated[
        bool, typer.Option("--replace", help="Also where there is something already; a copy of it is kept.")
    ] = False,
    check: Annotated[bool, typer.Option("--check", help="Only read the file to its end; change nothing.")] = False,
    json: Json = False,
) -> None:
    """Put a backup in place of this installation's database, evidence files and key. Stop every part first.

    Afterwards start the parts; `woodpecker reindex` fills the search fastest. A copy of what stood here before is kept
    in before-restore/ in the data folder, so that a restore can itself be taken back.
    """
    from workers.cli.start import prepare

    prepare(as_json=json)
    from django.db import DatabaseError

    from casework import audit, backups, restoring

    try:
        with errors.status("reading …"):
            if check:
                _tell(backups.check(file), json, f"{file} is whole", file=str(file))
                return
            done = restoring.restore(file, replace=replace)
    except (backups.BackupError, FileNotFoundError) as error:
        leave(Exit.WRONG_INPUT, str(error), as_json=json)
    except (OSError, DatabaseError) as error:
        reason = str(error).splitlines()[0]
        leave(Exit.FAILED, f"{file} was not put in place to the end: {reason}; run it again", as_json=json)
    verdict = audit.verify()
    kept = str(done.kept) if done.kept else None
    said = f"{file} is in place" + (f"; what stood here is kept in {kept}" if kept else "")
    _tell(done.manifest, json, said, file=str(file), kept=kept, audit_whole=verdict.whole)
    if not verdict.whole:
        leave(Exit.PARTLY, "the audit chain that was put back is broken; see: woodpecker audit verify")


def _tell(manifest: Manifest, as_json: bool, said: str, **values: object) -> None:
    rows = {name.removeprefix("casework_"): n for name, n in manifest.rows.items() if name.startswith("casework_")}
    if as_json:
        counted = {"made_at": manifest.made_at, "files": len(manifest.members), "rows": rows}
        summary({**values, **counted, "audit_entries": manifest.audit_sequence})
        return
    console.print(said, markup=False, soft_wrap=True)
    console.print(
        f"made {manifest.made_at}: {rows.get('case', 0)} cases, {manifest.audit_sequence} audit entries, "
        f"{rows.get('evidencerecord', 0)} evidence packages, {len(manifest.members)} files inside",
        markup=False,
    )
