"""The `woodpecker` command line: one file per command group, each with a `register(app)`."""

from __future__ import annotations

import importlib
import sys

import typer

GROUPS = ("config", "crawl", "classify", "inbox", "run", "accounts", "export")


def main() -> None:
    """Run the command line; an unforeseen error ends with exit code 1 and one line that names it."""
    try:
        build()()
    except KeyboardInterrupt:
        sys.exit(130)


def build() -> typer.Typer:
    """Return the command line with every group registered."""
    app = typer.Typer(
        name="woodpecker",
        help="Silver Woodpecker 银发啄木鸟: find what may harm minors, and carry it to the people who decide.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_show_locals=False,
        rich_markup_mode="rich",
    )
    for group in GROUPS:
        importlib.import_module(f"workers.cli.{group}").register(app)
    return app
