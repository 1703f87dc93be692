"""`woodpecker user`: accounts. Nobody gets a default password; a one-time link lets the person choose one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from workers.cli.output import Exit, Json, console, leave, summary

if TYPE_CHECKING:
    from casework.models import User
    from config.settings import Settings


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    user = typer.Typer(no_args_is_help=True, help="Accounts and their roles.")
    user.command("add")(add)
    user.command("list")(show)
    user.command("link")(link)
    user.command("disable")(disable)
    user.command("enable")(enable)
    app.add_typer(user, name="user")


def add(
    name: Annotated[str, typer.Argument(help="Name to sign in with: letters, digits and @.+-_")],
    role: Annotated[str, typer.Option(help="reviewer, volunteer, liaison, lead, duty or admin.")],
    json: Json = False,
) -> None:
    """Add an account and print a one-time link with which the person sets a password."""
    from workers.cli.start import prepare

    settings = prepare(as_json=json)
    from casework import accounts, errors

    try:
        user = accounts.create(name, role)
    except errors.InvalidInput as error:
        leave(Exit.WRONG_INPUT, str(error), as_json=json)
    _print_link(user.username, user.role, _base(settings) + accounts.set_password_link(user), as_json=json)


def link(name: Annotated[str, typer.Argument(help="Name of the account.")], json: Json = False) -> None:
    """Print a fresh one-time set-password link for an account, e.g. when the password is forgotten."""
    from workers.cli.start import prepare

    settings = prepare(as_json=json)
    from casework import accounts

    user = _find(name, as_json=json)
    _print_link(user.username, user.role, _base(settings) + accounts.set_password_link(user), as_json=json)


def show(json: Json = False) -> None:
    """List the accounts."""
    from rich.table import Table

    from workers.cli.start import prepare

    prepare(as_json=json)
    from casework.models import User

    rows = list(User.objects.order_by("staff_no").values("staff_no", "username", "role", "is_active", "last_login"))
    if json:
        summary({"users": rows})
        return
    table = Table("工号", "name", "role", "active", "last sign-in")
    for row in rows:
        table.add_row(*(str(value) if value is not None else "–" for value in row.values()))
    console.print(table)


def disable(name: Annotated[str, typer.Argument(help="Name of the account.")], json: Json = False) -> None:
    """Close an account: it can no longer sign in; what it did stays in the audit log."""
    _set_active(name, active=False, as_json=json)


def enable(name: Annotated[str, typer.Argument(help="Name of the account.")], json: Json = False) -> None:
    """Open a closed account again."""
    _set_active(name, active=True, as_json=json)


def _set_active(name: str, *, active: bool, as_json: bool) -> None:
    from workers.cli.start import prepare

    prepare(as_json=as_json)
    from casework import accounts

    user = _find(name, as_json=as_json)
    accounts.set_active(user, active)
    if as_json:
        summary({"user": user.username, "active": active})
    else:
        console.print(f"{user.username} is {'open' if active else 'closed'}.", markup=False)


def _find(name: str, *, as_json: bool) -> User:
    from casework.models import User

    user = User.objects.filter(username=name).first()
    if user is None:
        known = ", ".join(User.objects.order_by("username").values_list("username", flat=True)[:20]) or "none yet"
        leave(Exit.WRONG_INPUT, f"no account is named {name!r}; there are: {known}", as_json=as_json)
    return user


def _base(settings: Settings) -> str:
    return settings.public_url.rstrip("/") or f"http://{settings.http_host}:{settings.http_port}"


def _print_link(name: str, role: str, address: str, *, as_json: bool) -> None:
    if as_json:
        summary({"user": name, "role": role, "set_password_link": address})
        return
    console.print(f"{name} ({role}) sets a password here, once, within three days:", markup=False)
    console.print(address, markup=False, soft_wrap=True)
