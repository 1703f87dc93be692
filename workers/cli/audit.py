"""`woodpecker audit`: the hash-chained record of who did and who saw what."""

from __future__ import annotations

from datetime import date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workers.cli.output import Exit, Json, console, leave, summary

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from casework.audit import Verification
    from casework.models import AuditEntry

MOST = 10_000
"""Entries that one list shows at most."""

FAULTS = {
    "MISSING": "an entry is missing",
    "UNLINKED": "it does not follow the entry before it",
    "ALTERED": "its content does not fit its digest",
    "TAIL": "the last entries are missing or were replaced",
    "ANCHOR": "it is not the entry that was anchored",
}


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    audit = typer.Typer(no_args_is_help=True, help="The hash-chained record of who did and who saw what.")
    audit.command()(verify)
    audit.command()(anchor)
    audit.command("list")(show)
    app.add_typer(audit, name="audit")


def verify(
    anchors: Annotated[
        list[Path] | None,
        typer.Option("--anchor", help="Anchor file, or folder of them, that was kept elsewhere; may be repeated."),
    ] = None,
    json: Json = False,
) -> None:
    """Check every link of the audit chain, and that it still holds what was anchored; name the first that is broken.

    The anchors of this installation's own folder are always looked at. The exit code is 1 when a link is broken.
    """
    from workers.cli.start import prepare

    prepare(migrate=False, as_json=json)
    from casework import anchors as anchoring
    from casework import audit, errors

    try:
        anchored = list(anchoring.kept(anchors or ()))
    except (OSError, errors.InvalidInput) as error:
        leave(Exit.WRONG_INPUT, f"--anchor: {error}", as_json=json)
    verdict = audit.verify(anchored)
    if json:
        summary(_plain(verdict) | {"anchors": len(anchored)})
    elif verdict.whole:
        console.print(f"the audit chain is whole: {verdict.entries} entries, {len(anchored)} anchors fit", markup=False)
    if verdict.fault is not None:
        leave(
            Exit.FAILED,
            f"the audit chain breaks at entry {verdict.broken_at}: {FAULTS[verdict.fault.name]}\n"
            f"  expected {verdict.expected}\n  found    {verdict.found}",
        )


def anchor(
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder to write to; default: WOODPECKER_ANCHOR_DIR.")
    ] = None,
    json: Json = False,
) -> None:
    """Write down how far the audit log has come, for keeping where this machine's administrators cannot change it.

    The schedule does this every day. What has not grown since is not anchored again.
    """
    from workers.cli.start import prepare

    prepare(as_json=json)
    from casework import anchors as anchoring

    try:
        written = anchoring.write(output)
    except OSError as error:
        leave(Exit.FAILED, f"--output: {error.filename}: {error.strerror}", as_json=json)
    if written is None:
        leave(Exit.WRONG_INPUT, "nothing has been recorded yet, so there is nothing to anchor", as_json=json)
    if json:
        summary({"file": str(written.path), "new": written.new, **written.anchor.model_dump()})
        return
    console.print(f"{written.path}{'' if written.new else ' (was there)'}", markup=False, soft_wrap=True)
    console.print(f"  entry {written.anchor.audit_sequence}\n  {written.anchor.audit_hash}", markup=False)
    console.print(f"  SM3 {written.anchor.sm3}", markup=False)


def show(
    case: Annotated[
        int | None,
        typer.Option(help="Only what concerns this case, by its number without A-: also lists in which it was seen."),
    ] = None,
    who: Annotated[str, typer.Option(help="Only what this person did: 工号, or name of the account.")] = "",
    action: Annotated[str, typer.Option(help="Only acts that begin so, e.g. case. or notice.export.")] = "",
    since: Annotated[str, typer.Option(help="Only from this day on, YYYY-MM-DD (Asia/Shanghai).")] = "",
    until: Annotated[str, typer.Option(help="Only up to and with this day, YYYY-MM-DD.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=MOST, help="Show the last so many.")] = 100,
    json: Json = False,
) -> None:
    """List who did and who saw what, oldest first: of one case, one person, one time, or all of it.

    Who saw a grave case or uncovered text is `case.view`; who asked for the text under a mask, `case.reveal`.

    Example: woodpecker audit list --case 123 --action case.view
    """
    from workers.cli.start import prepare

    prepare(migrate=False, as_json=json)
    from casework import audit
    from casework.models import AuditEntry

    found: QuerySet[AuditEntry] = AuditEntry.objects.all()
    if case is not None:
        found = audit.about(case)
    if who:
        found = found.filter(actor=_staff_no(who, as_json=json))
    if action:
        found = found.filter(action__startswith=action)
    if since:
        found = found.filter(at__gte=_moment("--since", since, time.min, as_json=json))
    if until:
        found = found.filter(at__lte=_moment("--until", until, time.max, as_json=json))
    total = found.count()
    entries = list(found.order_by("-sequence")[:limit])[::-1]
    if json:
        summary({"total": total, "entries": [_row(one) for one in entries]})
        return
    _table(entries)
    if total > len(entries):
        console.print(f"the last {len(entries)} of {total}; --limit shows more", markup=False)


def _table(entries: list[AuditEntry]) -> None:
    from django.utils import timezone
    from rich.table import Table
    from rich.text import Text

    table = Table("entry", "when", "who", "what", "to what", "details")
    for one in entries:
        details = ", ".join(f"{name} {value}" for name, value in one.details.items())
        when = f"{timezone.localtime(one.at):%Y-%m-%d %H:%M:%S}"
        cells = (str(one.sequence), when, one.actor, one.action, one.subject, details)
        table.add_row(*(Text(cell) for cell in cells))  # a reason that somebody typed is no markup
    console.print(table)


def _row(entry: AuditEntry) -> dict[str, Any]:
    names = ("sequence", "at", "actor", "action", "subject", "details", "hash")
    return {name: getattr(entry, name) for name in names}


def _staff_no(who: str, *, as_json: bool) -> str:
    from casework.audit import SYSTEM
    from casework.models import User

    user = User.objects.filter(staff_no=who).first() or User.objects.filter(username=who).first()
    if user is None and who != SYSTEM:
        leave(
            Exit.WRONG_INPUT,
            f"--who: found {who!r}; allowed: a 工号 or name of `woodpecker user list`, or {SYSTEM}",
            as_json=as_json,
        )
    return user.staff_no if user else SYSTEM


def _moment(option: str, value: str, at: time, *, as_json: bool) -> datetime:
    from django.utils import timezone

    try:
        return timezone.make_aware(datetime.combine(date.fromisoformat(value), at))
    except ValueError:
        leave(Exit.WRONG_INPUT, f"{option}: found {value!r}; allowed: a day, YYYY-MM-DD", as_json=as_json)


def _plain(verdict: Verification) -> dict[str, Any]:
    return {
        "whole": verdict.whole,
        "entries": verdict.entries,
        "broken_at": verdict.broken_at,
        "why": FAULTS[verdict.fault.name] if verdict.fault else "",
        "expected": verdict.expected,
        "found": verdict.found,
    }
