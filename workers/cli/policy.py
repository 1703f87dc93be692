"""`woodpecker policy activate|history|revert`: putting a policy in force, on the record, and taking it back."""

from __future__ import annotations

import json as jsonlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workers.cli.output import Exit, Json, console, leave, summary

if TYPE_CHECKING:
    from casework.models import User
    from config.site_policy import SitePolicy
    from config.thresholds import GeneralPolicy
    from config.work import Work

    Policy = SitePolicy | Work | GeneralPolicy

MAX_REPORT = 20_000_000
As = Annotated[str, typer.Option("--as", help="Account that puts it in force, for the record.")]
Reason = Annotated[str, typer.Option(help="Why, in a few words.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    policy = typer.Typer(no_args_is_help=True, help="Put policies in force on the record, and take them back.")
    policy.command()(activate)
    policy.command()(history)
    policy.command()(revert)
    app.add_typer(policy, name="policy")


def activate(
    file: Annotated[
        Path, typer.Argument(help="A site's file, whose name says which site, or a work.yaml, general.yaml or class.")
    ],
    as_user: As,
    reason: Reason = "",
    backtest: Annotated[
        Path | None, typer.Option(help="Report of `woodpecker backtest --json` on which it is put in force.")
    ] = None,
    json: Json = False,
) -> None:
    """Check a policy file, copy it into the policy folder, and record who did so, when, why and on which backtest.

    What the file is for is told by its keys: queues or second_confirmation make it the work.yaml, thresholds alone the
    general.yaml, a slug the class of that name. A report that tried something else is refused.

    Example: woodpecker policy activate new/our-forum.yaml --as lead1 --reason "fewer false alarms" --backtest r.json
    """
    from workers.cli.start import prepare

    prepare(as_json=json)
    from config.policy import PolicyError, load_site
    from config.standing import load_standing

    try:
        policy: Policy = load_standing(file) or load_site(file)
        content = file.read_text("utf-8")
    except PolicyError as error:
        leave(Exit.WRONG_INPUT, "\n".join(map(str, error.problems)), as_json=json)
    except OSError as error:
        leave(Exit.WRONG_INPUT, f"{file}: {error.strerror}", as_json=json)
    figures = _figures(backtest, policy, as_json=json) if backtest else None
    _put(policy, content, _account(as_user, as_json=json), reason, figures, as_json=json)


def history(
    subject: Annotated[
        str, typer.Argument(help="Site, work.yaml, general.yaml, classes/NAME.yaml or rules/; empty: all.")
    ] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Show the last so many.")] = 20,
    json: Json = False,
) -> None:
    """List which policy held from when on, and who put it in force."""
    from django.utils import timezone
    from rich.table import Table
    from rich.text import Text

    from workers.cli.start import prepare

    prepare(migrate=False, as_json=json)
    from casework.models import PolicyActivation

    found = PolicyActivation.objects.filter(subject=subject) if subject else PolicyActivation.objects.all()
    rows = list(found.values("id", "subject", "at", "by", "reason", "digest", "backtest")[:limit])
    if json:
        summary({"activations": rows})
        return
    table = Table("no.", "what", "from", "by", "backtest", "reason", "digest")
    for row in rows:
        when = f"{timezone.localtime(row['at']):%Y-%m-%d %H:%M:%S}"
        cells = (str(row["id"]), row["subject"], when, row["by"], "yes" if row["backtest"] else "–")
        table.add_row(*(Text(one) for one in (*cells, row["reason"], row["digest"][:12])))
    console.print(table)


def revert(
    subject: Annotated[str, typer.Argument(help="Name of a site, work.yaml, general.yaml or classes/NAME.yaml.")],
    as_user: As,
    reason: Reason = "",
    json: Json = False,
) -> None:
    """Put back the file of the policy that held before the present one; doing it again undoes the revert."""
    from workers.cli.start import prepare

    prepare(as_json=json)
    from casework import activations
    from config.standing import kind_of

    user = _account(as_user, as_json=json)
    before, kind = activations.before_last(subject), kind_of(subject)
    if before is None or kind is None:
        found = f"no earlier policy of {subject!r} is on record" if kind else f"{subject!r} is no policy of one file"
        leave(Exit.WRONG_INPUT, f"{found}; see: woodpecker policy history", as_json=json)
    policy = activations.read(before, kind)
    if policy is None:
        leave(Exit.WRONG_INPUT, f"the policy no. {before.pk} is no longer understood by this version", as_json=json)
    _put(policy, before.content, user, reason or f"back to no. {before.pk}", None, as_json=json)


def _put(
    policy: Policy, content: str, user: User, reason: str, figures: dict[str, Any] | None, *, as_json: bool
) -> None:
    from casework import activations, policies
    from config.settings import get_settings
    from config.standing import place_of, subject_of

    folder = get_settings().policy_dir
    if folder is None:
        leave(Exit.WRONG_INPUT, "WOODPECKER_POLICY_DIR is not set; it names the folder to put it into", as_json=as_json)
    subject = subject_of(policy)
    target = folder / place_of(subject)
    policies.record_present(subject)  # so that a revert has something to go back to
    fresh = target.with_suffix(f".{os.getpid()}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_text(content, "utf-8")
        fresh.rename(target)
    except OSError as error:
        leave(Exit.FAILED, f"{target} cannot be written: {error.strerror}", as_json=as_json)
    made = activations.note(policy, content, user, reason=reason, backtest=figures)
    assert made is not None
    if as_json:
        summary({"activation": made.pk, "subject": subject, "file": str(target), "digest": made.digest})
    else:
        console.print(f"{target} is in force within seconds, as no. {made.pk}", markup=False, soft_wrap=True)


def _account(name: str, *, as_json: bool) -> User:
    from casework.models import User
    from casework.roles import Action, may

    user = User.objects.filter(username=name).first() or User.objects.filter(staff_no=name).first()
    if user is None or not may(user, Action.SEE_STATUS):
        leave(Exit.WRONG_INPUT, f"--as: found {name!r}; allowed: an open account of a lead or admin", as_json=as_json)
    return user


def _figures(path: Path, policy: Policy, *, as_json: bool) -> dict[str, Any]:
    """Read a report on this policy; its examples stay where they are."""
    from workers import backtest

    try:
        if path.stat().st_size > MAX_REPORT:
            leave(Exit.WRONG_INPUT, f"--backtest {path}: more than {MAX_REPORT:,} bytes", as_json=as_json)
        found = jsonlib.loads(path.read_text("utf-8").splitlines()[-1])
    except (OSError, ValueError, IndexError) as error:
        leave(Exit.WRONG_INPUT, f"--backtest {path}: {type(error).__name__}", as_json=as_json)
    if not isinstance(found, dict) or found.get("format") != "silver-woodpecker-backtest/1":
        leave(
            Exit.WRONG_INPUT,
            f"--backtest {path}: found something else; allowed: the output of `woodpecker backtest --json`",
            as_json=as_json,
        )
    if tried := backtest.unlike(found, policy):
        allowed = "a report on the policy that is put in force"
        leave(Exit.WRONG_INPUT, f"--backtest {path}: tried {tried}; allowed: {allowed}", as_json=as_json)
    return {name: value for name, value in found.items() if name != "examples"}
