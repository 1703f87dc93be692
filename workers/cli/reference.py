"""The reference of commands and settings, made from the code: `python -m workers.cli.reference > docs/commands.md`."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any

import typer
from pydantic import SecretStr
from rich.text import Text

from config.settings import PREFIX, Settings
from workers.cli import build

HEADER = """\
# Commands and settings

<!-- Written by `python -m workers.cli.reference > docs/commands.md`; change the help texts in workers/cli/ instead. -->

Every command reads its settings from the environment (below). Exit codes: **0** all done · **1** it failed ·
**2** the input or the call is wrong, nothing was changed · **3** done in part: some rows were rejected, each is named
with file, line, field, what was found and what is allowed. Errors go to stderr; with `--json` a summary for machines
is the last line of stdout.
"""


def text() -> str:
    """Return the whole reference as Markdown."""
    parts = [HEADER, "## Commands\n"]
    parts += [_command(path, command) for path, command in commands()]
    parts += ["## Settings\n", "| name | default | meaning |\n|---|---|---|", *_settings()]
    return "\n".join(parts) + "\n"


def commands() -> Iterator[tuple[str, Any]]:
    """Yield (path, command) of every command, e.g. `config check`, in the order of `woodpecker --help`."""
    yield from _inside(typer.main.get_command(build()), ())


def _inside(command: Any, path: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    if not hasattr(command, "commands"):
        yield " ".join(path), command
        return
    for name, inner in command.commands.items():
        yield from _inside(inner, (*path, name))


def _command(path: str, command: Any) -> str:
    arguments = [one for one in command.params if one.param_type_name == "argument"]
    options = [one for one in command.params if one.param_type_name == "option"]
    usage = " ".join(["woodpecker", path, *(["[OPTIONS]"] if options else []), *(_metavar(one) for one in arguments)])
    lines = [f"### `{path}`\n", f"`{usage}`\n", _plain(command.help), ""]
    lines += [f"- `{_metavar(one)}` – {one.help}" for one in arguments]
    lines += [f"- `{_spelling(one)}` – {one.help}{_default(one)}" for one in options]
    return "\n".join(lines) + "\n"


def _plain(text: str) -> str:
    """Return a help text without the marks that make it bold on a terminal."""
    return Text.from_markup(inspect.cleandoc(text)).plain


def _metavar(argument: Any) -> str:
    return str(argument.metavar or argument.name.upper())


def _spelling(option: Any) -> str:
    names = ", ".join(sorted((*option.opts, *option.secondary_opts), key=len))
    return names if option.is_flag else f"{names} {option.metavar or _kind(option)}"


def _kind(option: Any) -> str:
    kind = option.type_descriptor.annotation
    if issubclass(kind, Enum):
        return "|".join(str(one.value) for one in kind)
    return {int: "NUMBER", Path: "PATH"}.get(kind, "TEXT")


def _default(option: Any) -> str:
    if option.required:
        return " Required."
    default = option.default.value if isinstance(option.default, Enum) else option.default
    return f" Default: `{default}`." if default not in (None, False, "") else ""


def _settings() -> Iterator[str]:
    for name, field in Settings.model_fields.items():
        default = field.default
        plain = default.get_secret_value() if isinstance(default, SecretStr) else default
        shown = "empty" if plain in (None, "") else f"`{plain}`"
        yield f"| `{PREFIX}{name.upper()}` | {shown} | {field.description} |"


if __name__ == "__main__":
    print(text(), end="")
