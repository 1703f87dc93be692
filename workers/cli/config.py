"""`woodpecker config` and `woodpecker settings`: what is watched and how, and where each value comes from."""

from __future__ import annotations

import json as jsonlib
import os
import re
from pathlib import Path
from typing import Annotated, Any

import typer

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
    from config.policy import PolicyError, list_classes, list_sites, load_class, load_site

    sources: list[tuple[str, Any]] = [(str(path), lambda path=path: load_site(path)) for path in paths or ()]
    if not paths:
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
    """Print the effective policy of a site and the file and line that each value comes from."""
    from rich.table import Table

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
        table.add_row(row.field, str(row.value), where)
    console.print(table)


def schema() -> None:
    """Print the JSON Schema of a site's effective policy, for editors and other programs."""
    from config.policy import json_schema

    print(jsonlib.dumps(json_schema(), ensure_ascii=False, indent=2))


def settings(json: Json = False) -> None:
    """Print every setting with its value's source, type, default and help; secrets are masked."""
    from pydantic import ValidationError
    from rich.table import Table

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
    table = Table("setting", "value", "source", "type", "default", "help")
    for row in rows:
        table.add_row(*(str(value) for value in row.values()))
    console.print(table)


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
