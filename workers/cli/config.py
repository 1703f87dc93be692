"""`woodpecker config` and `woodpecker settings`: what is watched and how, and where each value comes from."""

from __future__ import annotations

import json as jsonlib
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from config.policy import SitePolicy

from workers.cli.output import Exit, Json, complain, console, leave, summary


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    config = typer.Typer(no_args_is_help=True, help="Policies of platform classes and sites.")
    config.command("check")(check)
    config.command("explain")(explain)
    config.command("schema")(schema)
    app.add_typer(config, name="config")
    app.command()(settings)


def check(
    paths: Annotated[list[Path] | None, typer.Argument(metavar="[PATH…]", help="Site files; default: all.")] = None,
    json: Json = False,
) -> None:
    """Validate site files; without PATH everything that is configured here."""
    from config.policy import PolicyError, list_classes, list_sites, load_class, load_general, load_site
    from config.work import load_work

    sources: list[tuple[str, Any]] = [(str(path), lambda path=path: load_site(path)) for path in paths or ()]
    if not paths:
        sources += [("general", load_general), ("work", load_work)]
        sources += [(f"class {name}", lambda name=name: load_class(name)) for name in list_classes()]
        sources += [(f"site {name}", lambda name=name: load_site(name)) for name in list_sites()]
    problems = []
    for _, load in sources:
        try:
            load()
        except PolicyError as error:
            problems += error.problems
    for problem in problems:
        complain(str(problem))
    if json:
        summary({"checked": len(sources), "problems": [problem.as_dict() for problem in problems]})
    elif not problems:
        console.print(f"{len(sources)} checked, nothing wrong", markup=False)
    if problems:
        raise typer.Exit(int(Exit.WRONG_INPUT))


def explain(
    site: Annotated[str, typer.Argument(metavar="SITE", help="Name of a configured site, or its file.")],
    json: Json = False,
) -> None:
    """Print the effective policy of a site, where each value comes from, and the thresholds that follow."""
    from rich.table import Table
    from rich.text import Text

    from config import policy

    try:
        rows = policy.explain(site)
        effective = policy.load_site(site)
    except policy.PolicyError as error:
        leave(Exit.WRONG_INPUT, str(error), as_json=json, problems=[one.as_dict() for one in error.problems])
    if json:
        values = [{"field": row.field, "value": row.value, "file": row.file, "line": row.line} for row in rows]
        thresholds = {section.slug: effective.thresholds_for(section.slug) for section in effective.sections}
        summary({"site": effective.name, "digest": effective.digest, "values": values, "thresholds": thresholds})
        return
    table = Table("field", "value", "from")
    for row in rows:
        where = f"{_short(row.file)}:{row.line}" if row.line else row.file
        table.add_row(Text(row.field), Text(str(row.value)), Text(where))
    console.print(table)
    console.print(_sampling(effective))
    console.print(_thresholds(effective))


def _sampling(policy: SitePolicy) -> Table:
    """Return a table of how each section is sampled, and with what probability."""
    from rich.table import Table
    from rich.text import Text

    table = Table("section", "method", "each run reads", "probability")
    for section in policy.sections:
        what, probability = section.drawing
        table.add_row(section.slug, section.method, Text(what), Text(probability))
    if policy.allocation:
        table.caption = (
            f"{policy.allocation.threads} threads shared by size and spread, at least {policy.allocation.floor} each; "
            "until the past tells a spread, as above"
        )
    return table


def _thresholds(policy: SitePolicy) -> Table:
    """Return a table of the scores from which an item goes to a human, zone by zone."""
    from rich.table import Table

    zones = {zone: policy.zone_thresholds(zone) for zone in ("general", "kid_zone")}
    table = Table("goes to a human from", *zones, "because")
    usual = {zone: getattr(policy.thresholds, zone) for zone in zones}
    table.add_row("every category but", *(f"{value:g}" for value in usual.values()), policy.thresholds.reason)
    reasons = _reasons(policy)
    for slug in zones["general"]:
        values = {zone: zones[zone][slug] for zone in zones}
        if values != usual:
            table.add_row(slug, *(f"{value:g}" for value in values.values()), reasons.get(slug, ""))
    return table


def _reasons(policy: SitePolicy) -> dict[str, str]:
    """Why a category has a threshold of its own; the last word is the site's."""
    from config.thresholds import S0_CATEGORIES

    found: dict[str, str] = {}
    if measured := policy.platform_class.measured:
        for slug, zones in measured.categories.items():
            figures = (f"{one.recall:.0%} found, {one.precision:.0%} right" for one in (zones.general, zones.kid_zone))
            found[slug] = f"measured with {measured.model}: {'; kid zone: '.join(figures)}"
    found |= dict.fromkeys(S0_CATEGORIES, "severity S0")
    return found | {one.category: one.reason for one in policy.overrides}


def schema() -> None:
    """Print the JSON Schema of a site file, for editors: names, kinds and limits of every key."""
    from config.schema import json_schema

    print(jsonlib.dumps(json_schema(), ensure_ascii=False, indent=2))


def settings(json: Json = False) -> None:
    """Print every setting with its value's source, type, default and help; secrets are masked."""
    from pydantic import ValidationError

    from config.settings import PREFIX, Settings

    try:
        values = Settings()
    except ValidationError as error:
        wrong = [f"{PREFIX}{str(one['loc'][0]).upper()}: {one['msg']}" for one in error.errors(include_url=False)]
        leave(Exit.WRONG_INPUT, "wrong setting:\n  " + "\n  ".join(wrong), as_json=json)
    rows = []
    for name, field in Settings.model_fields.items():
        variable = f"{PREFIX}{name.upper()}"
        rows.append(
            {
                "name": variable,
                "value": _masked(getattr(values, name)),
                "source": "environment" if variable in os.environ else "default",
                "type": _type_name(field.annotation),
                "default": _masked(field.default),
                "help": field.description,
            }
        )
    if json:
        summary({"mode": values.mode, "settings": rows})
        return
    console.print(f"{values.mode} mode", markup=False)
    for row in rows:
        value = row["value"] or "(empty)"
        console.print(f"\n{row['name']} = {value}", markup=False, soft_wrap=True)
        console.print(
            f"  from: {row['source']}, type: {row['type']}, default: {row['default'] or '(empty)'}", markup=False
        )
        console.print(f"  {row['help']}", markup=False, soft_wrap=True)


def _masked(value: Any) -> str:
    from pydantic import SecretStr

    if not isinstance(value, SecretStr):
        return str(value)
    secret = value.get_secret_value()
    if not secret:
        return ""
    return re.sub(r"(://[^:/@]*):[^@]*@", r"\1:***@", secret) if "://" in secret else "***"


def _type_name(annotation: Any) -> str:
    return getattr(annotation, "__name__", str(annotation)).replace("typing.", "").replace("SecretStr", "secret")


def _short(file: str) -> str:
    try:
        return str(Path(file).relative_to(Path.cwd()))
    except ValueError:
        return file
